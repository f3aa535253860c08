-- What is missing, and why. A gap itself is what is left between readings and stands nowhere.

-- Why these numbers were dropped or rejected, as it was said; empty where nobody said.
ALTER TABLE accounts ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- When a run of a bridge began, and when it ended where that is known: the stream's zero applied.
ALTER TABLE streams ADD COLUMN begins_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE streams ADD COLUMN ends_ms INTEGER;
UPDATE streams
SET begins_ms = max(
        0,
        json_extract(zero, '$.anchors[0].wallMs') - json_extract(zero, '$.anchors[0].elapsedMs')
    ),
    ends_ms = max(
        0,
        json_extract(ended, '$.elapsedMs') + json_extract(zero, '$.anchors[#-1].wallMs')
        - json_extract(zero, '$.anchors[#-1].elapsedMs')
    );
CREATE INDEX streams_of_owner ON streams (owner, begins_ms);

-- What bridges noticed of silences (readings of metric `gap`), found by time. `level` n: shorter
-- than 2^n ms, so that the key bounds both ends.
CREATE TABLE spells (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    level INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    stream_key INTEGER NOT NULL REFERENCES streams (stream_key),
    seq INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (user_key, level, from_ms, device_key, stream_key, seq)
) WITHOUT ROWID;

-- A number is in a block of its stream.
DROP INDEX blocks_of_stream;
CREATE INDEX blocks_of_stream ON blocks (stream_key, first_seq, last_seq);
