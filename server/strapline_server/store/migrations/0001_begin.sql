-- The first shape of the database. `*_key` are local numbers; ids are what the wire says.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    user_key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- The n of [epoch, n]: how many changes of this user's data were committed.
    position INTEGER NOT NULL DEFAULT 0,
    synced_ms INTEGER
);

CREATE TABLE principals (
    sub TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('bridge', 'viewer')),
    name TEXT NOT NULL,
    all_users INTEGER NOT NULL CHECK (all_users IN (0, 1)),
    -- A JSON list, or NULL for all metrics.
    metrics TEXT
) WITHOUT ROWID;

CREATE TABLE grants (
    sub TEXT NOT NULL REFERENCES principals (sub) ON DELETE CASCADE,
    user_key INTEGER NOT NULL REFERENCES users (user_key) ON DELETE CASCADE,
    PRIMARY KEY (sub, user_key)
) WITHOUT ROWID;

CREATE TABLE devices (
    device_key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
);

CREATE TABLE streams (
    stream_key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    -- The principal that first declared it; nobody else may add to it.
    owner TEXT NOT NULL,
    next_seq INTEGER NOT NULL,
    zero_version INTEGER NOT NULL,
    zero TEXT NOT NULL,
    ended TEXT
);

-- Every number of a stream that is accounted for, as inclusive ranges, for ever.
CREATE TABLE accounts (
    stream_key INTEGER NOT NULL REFERENCES streams (stream_key),
    kind INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (stream_key, kind, first)
) WITHOUT ROWID;

-- All readings. from_ms and to_ms are the stream's zero applied: they move when it does.
CREATE TABLE blocks (
    block_key INTEGER PRIMARY KEY,
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    stream_key INTEGER NOT NULL REFERENCES streams (stream_key),
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    metric TEXT NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    first_elapsed_ms INTEGER NOT NULL,
    last_elapsed_ms INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    low REAL,
    high REAL,
    total REAL,
    -- When the first and when the last of them was received.
    committed_ms INTEGER NOT NULL,
    judged_ms INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX blocks_in_time ON blocks (user_key, metric, from_ms);
CREATE INDEX blocks_of_device ON blocks (user_key, metric, device_key, to_ms);
CREATE INDEX blocks_of_stream ON blocks (stream_key);

-- Hours of small blocks, which are merged when the hour is over.
CREATE TABLE warm (
    hour INTEGER NOT NULL,
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    stream_key INTEGER NOT NULL REFERENCES streams (stream_key),
    PRIMARY KEY (hour, user_key, metric, device_key, stream_key)
) WITHOUT ROWID;

-- The newest reading of each device, and the newest that says something of the body.
CREATE TABLE latest (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    -- In order of first sight: the lowest that speaks is shown.
    rank INTEGER NOT NULL,
    newest_ms INTEGER,
    newest_seq INTEGER,
    newest_value REAL,
    usable_ms INTEGER,
    usable_seq INTEGER,
    usable_value REAL,
    quality TEXT,
    on_change INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_key, metric, device_key)
) WITHOUT ROWID;

-- Usable readings by UTC minute; `counter` is empty where the metric has none.
CREATE TABLE minutes (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    minute INTEGER NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    counter TEXT NOT NULL,
    count INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    total REAL NOT NULL,
    last_ms INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_value REAL NOT NULL,
    PRIMARY KEY (user_key, metric, minute, device_key, counter)
) WITHOUT ROWID;
CREATE INDEX minutes_of_counter ON minutes (user_key, device_key, counter, minute)
    WHERE counter <> '';

CREATE TABLE counters (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    counter TEXT NOT NULL,
    origin INTEGER NOT NULL,
    PRIMARY KEY (user_key, device_key, counter)
) WITHOUT ROWID;

-- The positions of the last change of each user and metric, and of the one before it.
CREATE TABLE heads (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    position INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    PRIMARY KEY (user_key, metric)
) WITHOUT ROWID;

-- Recent changes as they were sent, for viewers that resume; old ones are deleted.
CREATE TABLE log (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    position INTEGER NOT NULL,
    metric TEXT NOT NULL,
    committed_ms INTEGER NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (user_key, position)
) WITHOUT ROWID;
CREATE INDEX log_by_age ON log (committed_ms);
