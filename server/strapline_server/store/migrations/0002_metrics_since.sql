-- A position that a principal held from before its grant named other metrics is no place to go on
-- from: what is missing, or must leave the screen, is in no change after it.

ALTER TABLE principals ADD COLUMN metrics_since_ms INTEGER NOT NULL DEFAULT 0;
