"""The tables of the local server's database."""

from __future__ import annotations

VERSION = 2
# Written into the file, so that no other database, such as a study's store, is taken for ours.
APPLICATION = 0x6B6D6C31

# SQLite reads a row from its start: what is long and seldom asked for stands last.
# Strict tables refuse a value of the wrong type, which SQLite would otherwise store unasked.
TABLES = """
CREATE TABLE accounts (
    username TEXT PRIMARY KEY,
    created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    username TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
    ha1 TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE assets (
    uid TEXT PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES accounts,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    version TEXT NOT NULL,
    created_at TEXT NOT NULL,
    modified_at TEXT NOT NULL
) STRICT;

CREATE TABLE versions (
    uid TEXT PRIMARY KEY,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    content TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    created_at TEXT NOT NULL,
    deployed_at TEXT
) STRICT;
CREATE INDEX versions_of_asset ON versions (asset);

CREATE TABLE deployments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    asset TEXT NOT NULL UNIQUE REFERENCES assets ON DELETE CASCADE,
    uuid TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL,
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    label TEXT NOT NULL,
    form BLOB NOT NULL,
    repeats TEXT NOT NULL,
    media_due INTEGER NOT NULL
) STRICT;

CREATE TABLE files (
    uid TEXT PRIMARY KEY,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    filename TEXT NOT NULL,
    description TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    md5 TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (asset, filename)
) STRICT;

CREATE TABLE device_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    deployment INTEGER NOT NULL REFERENCES deployments ON DELETE CASCADE,
    filename TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    md5 TEXT NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (deployment, filename)
) STRICT;

CREATE TABLE imports (
    uid TEXT PRIMARY KEY,
    username TEXT NOT NULL REFERENCES accounts,
    status TEXT NOT NULL,
    fields TEXT NOT NULL,
    workbook BLOB,
    messages TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE permissions (
    uid TEXT PRIMARY KEY,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    username TEXT NOT NULL,
    permission TEXT NOT NULL,
    filters TEXT NOT NULL DEFAULT '',
    UNIQUE (asset, username, permission)
) STRICT;

CREATE TABLE submissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    root_uuid TEXT NOT NULL,
    uuid TEXT NOT NULL,
    validation TEXT NOT NULL DEFAULT '{}',
    submitted_at TEXT NOT NULL,
    answers TEXT NOT NULL,
    xml BLOB NOT NULL,
    UNIQUE (asset, uuid)
) STRICT;
CREATE INDEX submissions_by_root ON submissions (asset, root_uuid);
CREATE INDEX submissions_by_number ON submissions (asset, id);
CREATE INDEX submission_heads
    ON submissions (asset, id, uuid, root_uuid, validation, submitted_at);

CREATE TABLE replaced_uuids (
    asset TEXT NOT NULL,
    uuid TEXT NOT NULL,
    submission INTEGER NOT NULL REFERENCES submissions ON DELETE CASCADE,
    PRIMARY KEY (asset, uuid)
) STRICT, WITHOUT ROWID;
CREATE INDEX replaced_by_submission ON replaced_uuids (submission);

CREATE TABLE attachments (
    uid TEXT PRIMARY KEY,
    submission INTEGER NOT NULL REFERENCES submissions ON DELETE CASCADE,
    filename TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    xpath TEXT,
    content BLOB NOT NULL,
    UNIQUE (submission, filename)
) STRICT;

CREATE TABLE daily_counts (
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    day TEXT NOT NULL,
    submissions INTEGER NOT NULL,
    PRIMARY KEY (asset, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    action TEXT NOT NULL,
    username TEXT NOT NULL,
    root_uuid TEXT,
    details TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX history_of_asset ON history (asset, action, number);
"""

# What brings a database of an older format to the next: by the format it has.
STEPS = {
    1: """
ALTER TABLE tokens ADD COLUMN ha1 TEXT NOT NULL DEFAULT '';

ALTER TABLE permissions ADD COLUMN filters TEXT NOT NULL DEFAULT '';

CREATE INDEX submission_heads
    ON submissions (asset, id, uuid, root_uuid, validation, submitted_at);

CREATE TABLE older_attachments (
    uid TEXT PRIMARY KEY,
    submission INTEGER NOT NULL REFERENCES submissions ON DELETE CASCADE,
    filename TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    xpath TEXT,
    content BLOB NOT NULL,
    UNIQUE (submission, filename)
) STRICT;

INSERT INTO older_attachments
    SELECT a.uid, a.submission, a.filename, a.mimetype, (
        SELECT t.key FROM json_tree(s.answers) AS t
        WHERE t.type = 'text' AND t.atom = a.filename AND substr(t.key, 1, 1) <> '_' LIMIT 1
    ), a.content
    FROM attachments AS a JOIN submissions AS s ON s.id = a.submission;

DROP TABLE attachments;

ALTER TABLE older_attachments RENAME TO attachments;

CREATE TABLE history (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    asset TEXT NOT NULL REFERENCES assets ON DELETE CASCADE,
    action TEXT NOT NULL,
    username TEXT NOT NULL,
    root_uuid TEXT,
    details TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX history_of_asset ON history (asset, action, number);
"""
}
