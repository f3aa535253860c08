-- What is said: of sessions each, of marks the newest, of a summary what was said last of each
-- field. `name` is the session's id, or the field.

CREATE TABLE said (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    name TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    -- A session's end; NULL while it runs.
    until_ms INTEGER,
    stream_key INTEGER NOT NULL REFERENCES streams (stream_key),
    seq INTEGER NOT NULL,
    -- JSON.
    content TEXT NOT NULL,
    PRIMARY KEY (user_key, metric, device_key, name)
) WITHOUT ROWID;
CREATE INDEX said_in_time ON said (user_key, metric, at_ms, seq);

-- Whether a viewer may start and end sessions and set marks.
ALTER TABLE principals ADD COLUMN may_mark INTEGER NOT NULL DEFAULT 0 CHECK (may_mark IN (0, 1));

-- Changes that another process committed, and that the server has not handed out yet.
CREATE TABLE untold (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    position INTEGER NOT NULL,
    PRIMARY KEY (user_key, position)
) WITHOUT ROWID;
