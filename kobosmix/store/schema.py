"""The tables of the store. What is in them is written once and never changed."""

APPLICATION_ID = 0x6B627378  # "kbsx": tells a store from any other SQLite file
FORMAT = 1

STATEMENTS = (
    """
    CREATE TABLE submission (
        id INTEGER PRIMARY KEY,
        asset_uid TEXT NOT NULL,
        root_uuid TEXT NOT NULL,
        UNIQUE (asset_uid, root_uuid)
    ) STRICT
    """,
    """
    CREATE TABLE sweep (
        id INTEGER PRIMARY KEY,
        asset_uid TEXT NOT NULL,
        begun TEXT NOT NULL,
        expected INTEGER NOT NULL,
        cursor INTEGER NOT NULL,
        finished TEXT
    ) STRICT
    """,
    "CREATE UNIQUE INDEX one_sweep_at_a_time ON sweep (asset_uid) WHERE finished IS NULL",
    """
    CREATE TABLE version (
        id INTEGER PRIMARY KEY,
        submission INTEGER NOT NULL REFERENCES submission,
        sweep INTEGER NOT NULL REFERENCES sweep,
        fate TEXT NOT NULL CHECK (fate IN ('new', 'edited', 'deleted', 'restored')),
        stored TEXT NOT NULL,
        server_id INTEGER NOT NULL,
        received TEXT NOT NULL,
        validation TEXT NOT NULL,
        digest TEXT NOT NULL,
        content TEXT,
        CHECK ((fate = 'deleted') = (content IS NULL))
    ) STRICT
    """,
    "CREATE INDEX version_of ON version (submission)",
    "CREATE INDEX version_in ON version (sweep, submission)",
    """
    CREATE TABLE seen (
        sweep INTEGER NOT NULL REFERENCES sweep,
        server_id INTEGER NOT NULL,
        submission INTEGER NOT NULL REFERENCES submission,
        PRIMARY KEY (sweep, server_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX seen_submission ON seen (sweep, submission)",
    # INSERT OR REPLACE would delete without any delete trigger; the last two are for that.
    *(
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
    ),
)
