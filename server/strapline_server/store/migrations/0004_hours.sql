-- The one place that says in which order a user's devices are shown and counted: of two that have
-- something of the same moment, the one with the lower place.

CREATE VIEW source_order AS
SELECT user_key, metric, device_key, rank AS place FROM latest;

-- Usable readings by UTC hour, of each device, as in `minutes`. Which device counts is decided by
-- minute, when asked: `covered` has bit n set where the hour's minute n is not empty, so that the
-- minutes themselves are read only where two devices share an hour and neither has all of it.
CREATE TABLE hours (
    user_key INTEGER NOT NULL REFERENCES users (user_key),
    metric TEXT NOT NULL,
    hour INTEGER NOT NULL,
    device_key INTEGER NOT NULL REFERENCES devices (device_key),
    counter TEXT NOT NULL,
    count INTEGER NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    total REAL NOT NULL,
    covered INTEGER NOT NULL,
    PRIMARY KEY (user_key, metric, hour, device_key, counter)
) WITHOUT ROWID;

INSERT INTO hours (
    user_key, metric, hour, device_key, counter, count, low, high, total, covered
)
SELECT user_key, metric, minute / 60, device_key, counter,
       sum(count), min(low), max(high), sum(total), sum(1 << (minute % 60))
FROM minutes
GROUP BY user_key, metric, minute / 60, device_key, counter;
