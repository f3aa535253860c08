-- When a run was last known to be alive, on its stream's clock: with each commit, and once a minute
-- where there is none. That is where a run ended that was killed.
ALTER TABLE stream ADD COLUMN alive_ms INTEGER NOT NULL DEFAULT 0;
