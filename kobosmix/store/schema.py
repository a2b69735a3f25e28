"""The tables of the store. What a submission was is written once and never changed."""

APPLICATION_ID = 0x6B627378  # "kbsx": tells a store from any other SQLite file
FORMAT = 2

_VERSION = """
    CREATE TABLE version (
        id INTEGER PRIMARY KEY,
        submission INTEGER NOT NULL REFERENCES submission,
        sweep INTEGER NOT NULL REFERENCES sweep,
        fate TEXT NOT NULL CHECK (
            fate IN ('new', 'edited', 'reviewed', 'media', 'deleted', 'restored', 'confirmed')
        ),
        stored TEXT NOT NULL,
        server_id TEXT NOT NULL,
        received TEXT NOT NULL,
        validation TEXT NOT NULL,
        digest TEXT NOT NULL,
        content TEXT,
        CHECK ((fate = 'deleted') = (content IS NULL))
    ) STRICT
    """
_SWEEP = """
    CREATE TABLE sweep (
        id INTEGER PRIMARY KEY,
        asset_uid TEXT NOT NULL,
        begun TEXT NOT NULL,
        cursor TEXT NOT NULL,
        seen INTEGER NOT NULL,
        in_full INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        finished TEXT
    ) STRICT
    """
# The newest version of each submission, so that a pull needs to read no content to see what is
# new: `mark` and `digest` as they were last seen, `sweep` in which that was.
_HEAD = """
    CREATE TABLE head (
        submission INTEGER PRIMARY KEY REFERENCES submission,
        asset_uid TEXT NOT NULL,
        server_id TEXT NOT NULL,
        mark TEXT NOT NULL,
        version INTEGER NOT NULL REFERENCES version,
        digest TEXT NOT NULL,
        is_deleted INTEGER NOT NULL,
        sweep INTEGER NOT NULL
    ) STRICT
    """
# The form as the server had it in each version that answers came from; NULL until it was asked.
_DEFINITION = """
    CREATE TABLE definition (
        asset_uid TEXT NOT NULL,
        form_version TEXT NOT NULL,
        stored TEXT,
        content TEXT,
        PRIMARY KEY (asset_uid, form_version)
    ) STRICT, WITHOUT ROWID
    """
_INDEXES = (
    "CREATE UNIQUE INDEX one_sweep_at_a_time ON sweep (asset_uid) WHERE finished IS NULL",
    "CREATE INDEX version_of ON version (submission)",
    "CREATE INDEX version_in ON version (sweep, submission)",
    "CREATE INDEX head_at ON head (asset_uid, server_id)",
)
# INSERT OR REPLACE would delete without any delete trigger; the last one is for that.
_GUARDS = tuple(
    f"""
    CREATE TRIGGER {table}_is_never_{name} BEFORE {event} ON {table} {when}
    BEGIN SELECT RAISE(ABORT, 'what was stored is never changed'); END
    """
    for table in ("version", "submission")
    for name, event, when in (
        ("changed", "UPDATE", ""),
        ("removed", "DELETE", ""),
        (
            "replaced",
            "INSERT",
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)",  # noqa: S608
        ),
    )
)

STATEMENTS = (
    """
    CREATE TABLE submission (
        id INTEGER PRIMARY KEY,
        asset_uid TEXT NOT NULL,
        root_uuid TEXT NOT NULL,
        UNIQUE (asset_uid, root_uuid)
    ) STRICT
    """,
    _SWEEP,
    _VERSION,
    _HEAD,
    _DEFINITION,
    *_INDEXES,
    *_GUARDS,
)

# Format 1 had numbers in server_id, no heads, and a table of what each sweep had seen. A sweep
# that was under way is begun anew; marks are unknown, so the next pull reads every row once.
FROM_FORMAT_1 = (
    "DROP TABLE seen",
    "DROP INDEX one_sweep_at_a_time",
    "DROP INDEX version_of",
    "DROP INDEX version_in",
    *(
        f"DROP TRIGGER {table}_is_never_{name}"
        for table in ("version", "submission")
        for name in ("changed", "removed", "replaced")
    ),
    "ALTER TABLE version RENAME TO version_1",
    "ALTER TABLE sweep RENAME TO sweep_1",
    _SWEEP,
    "INSERT INTO sweep SELECT id, asset_uid, begun, '', 0, 1, finished IS NOT NULL, coalesce(finished, begun)"
    " FROM sweep_1",
    _VERSION,
    "INSERT INTO version SELECT id, submission, sweep, fate, stored, CAST(server_id AS TEXT),"
    " received, validation, digest, content FROM version_1 ORDER BY id",
    "DROP TABLE version_1",
    "DROP TABLE sweep_1",
    _HEAD,
    "INSERT INTO head SELECT v.submission, asset_uid, v.server_id, '', v.id, v.digest,"
    " v.fate = 'deleted', 0 FROM version AS v JOIN submission ON submission.id = v.submission"
    " WHERE v.id = (SELECT max(id) FROM version WHERE submission = v.submission)",
    _DEFINITION,
    "INSERT INTO definition SELECT DISTINCT asset_uid, content ->> '$.__version__', NULL, NULL"
    " FROM version JOIN submission ON submission.id = submission"
    " WHERE content ->> '$.__version__' IS NOT NULL",
    *_INDEXES,
    *_GUARDS,
)
