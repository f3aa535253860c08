-- One run of a bridge process is one stream. Streams are made in order of time, and so
-- (stream.key, series_row.first_seq) is the order of commits.
CREATE TABLE stream (
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  boot_id TEXT NOT NULL,              -- the boot of this machine that zero_ns belongs to
  zero_ns INTEGER NOT NULL,           -- boot clock at elapsedMs 0
  next_seq INTEGER NOT NULL,
  last_elapsed_ms INTEGER NOT NULL,   -- of the latest reading: where a run ended that was killed
  zero TEXT NOT NULL,                 -- JSON: version and anchors, as in STREAM
  ended TEXT,                         -- JSON, as in STREAM; null while the run lasts
  told INTEGER NOT NULL DEFAULT 0,    -- 1: a server has answered this zero and this end
  settled TEXT NOT NULL DEFAULT '[]', -- JSON ranges that a server has accounted for
  dead TEXT NOT NULL DEFAULT '[]'     -- JSON ranges that a server has rejected
) STRICT;

-- A run of readings as it goes over the wire. Its numbers have no holes.
CREATE TABLE series_row (
  stream INTEGER NOT NULL REFERENCES stream (key),
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL CHECK (last_seq >= first_seq),
  first_ms INTEGER NOT NULL,          -- elapsedMs of its first reading
  device TEXT NOT NULL,
  store TEXT,                         -- the store that acknowledged all of it; null: still to send
  payload TEXT NOT NULL,              -- JSON of the series
  PRIMARY KEY (stream, first_seq)
) STRICT, WITHOUT ROWID;

-- Acknowledged rows are the first to go; this finds them without reading the backlog.
CREATE INDEX acknowledged_row ON series_row (stream, first_seq) WHERE store IS NOT NULL;

-- Holes that the bridge made itself, until a server knows of them.
CREATE TABLE hole (
  stream INTEGER NOT NULL REFERENCES stream (key),
  reason TEXT NOT NULL,
  ranges TEXT NOT NULL,               -- JSON
  PRIMARY KEY (stream, reason)
) STRICT, WITHOUT ROWID;

-- What a server refused for good, kept for a person to see.
CREATE TABLE dead_letter (
  stream INTEGER NOT NULL REFERENCES stream (key),
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  payload TEXT NOT NULL,              -- JSON of the series
  PRIMARY KEY (stream, first_seq)
) STRICT, WITHOUT ROWID;

-- The last total of each step counter, saved with the reading that told it.
CREATE TABLE step_state (
  device TEXT PRIMARY KEY,
  state TEXT NOT NULL                 -- JSON
) STRICT, WITHOUT ROWID;
