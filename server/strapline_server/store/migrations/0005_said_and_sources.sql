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

-- Two ids of one strap, known to two bridges: their owner says so. The key of the first of them.
ALTER TABLE devices ADD COLUMN strap_key INTEGER REFERENCES devices (device_key);
-- As its bridge last called it.
ALTER TABLE devices ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- A user's own order of sources; of no metric in particular where `metric` is empty.
CREATE TABLE preferences (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    place INTEGER NOT NULL,
    PRIMARY KEY (user_key, metric, device_key)
) WITHOUT ROWID;

-- `preferred` is the place in that order; `knows_contact`: it has said whether it is worn.
ALTER TABLE latest ADD COLUMN preferred INTEGER;
ALTER TABLE latest ADD COLUMN knows_contact INTEGER NOT NULL DEFAULT 0;

-- By the user's order, else who knows contact, else who came first; ids of one strap stand
-- together, where the best of them does.
DROP VIEW source_order;
CREATE VIEW source_order AS
SELECT user_key, metric, device_key,
       (
           SELECT min(
               coalesce(other.preferred, 1000) * 2000000
               + (1 - other.knows_contact) * 1000000 + other.rank
           )
           FROM latest AS other JOIN devices AS theirs ON theirs.device_key = other.device_key
           WHERE other.user_key = one.user_key AND other.metric = one.metric
             AND coalesce(theirs.strap_key, theirs.device_key)
                 = coalesce(devices.strap_key, devices.device_key)
       ) * 0x80000000
       + coalesce(preferred, 1000) * 2000000 + (1 - knows_contact) * 1000000 + rank AS place
FROM latest AS one JOIN devices USING (device_key);
