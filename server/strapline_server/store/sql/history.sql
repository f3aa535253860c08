-- What was folded, by stretches of time. Which of several devices counts, the asker decides.

-- name: source_order
SELECT device_key FROM source_order
WHERE user_key = :user_key AND metric = :metric
ORDER BY place, device_key;

-- name: fold_hour
INSERT INTO hours (
    user_key, metric, hour, device_key, counter, count, low, high, total, covered
)
VALUES (
    :user_key, :metric, :hour, :device_key, :counter, :count, :low, :high, :total, :covered
)
ON CONFLICT DO UPDATE
SET count = count + excluded.count,
    low = min(low, excluded.low),
    high = max(high, excluded.high),
    total = total + excluded.total,
    covered = covered | excluded.covered;

-- name: delete_hours
DELETE FROM hours
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND hour BETWEEN :first_hour AND :last_hour;

-- name: fold_hours_anew
INSERT INTO hours (
    user_key, metric, hour, device_key, counter, count, low, high, total, covered
)
SELECT user_key, metric, minute / 60, device_key, counter,
       sum(count), min(low), max(high), sum(total), sum(1 << (minute % 60))
FROM minutes
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND minute >= :first_hour * 60 AND minute < (:last_hour + 1) * 60
GROUP BY minute / 60, counter;

-- name: minutes_in_time
SELECT minute, device_key, counter, count, low, high, total
FROM minutes
WHERE user_key = :user_key AND metric = :metric
  AND minute >= :first_minute AND minute < :end_minute
ORDER BY minute;

-- name: hours_in_time
SELECT hour, device_key, counter, count, low, high, total, covered
FROM hours
WHERE user_key = :user_key AND metric = :metric AND hour >= :first_hour AND hour < :end_hour
ORDER BY hour;

-- name: next_minute
SELECT minute FROM minutes
WHERE user_key = :user_key AND metric = :metric AND minute >= :first_minute
ORDER BY minute LIMIT 1;

-- name: sums_in_time
-- Whole hours, and the minutes of an hour that is not whole at either end.
SELECT hour, device_key, counter, count, low, high, total, covered
FROM hours
WHERE user_key = :user_key AND metric = :metric AND hour >= :first_hour AND hour < :end_hour
UNION ALL
SELECT minute / 60, device_key, counter, count, low, high, total, 1 << (minute % 60)
FROM minutes
WHERE user_key = :user_key AND metric = :metric
  AND minute >= :first_minute AND minute < :head_minute
UNION ALL
SELECT minute / 60, device_key, counter, count, low, high, total, 1 << (minute % 60)
FROM minutes
WHERE user_key = :user_key AND metric = :metric
  AND minute >= :tail_minute AND minute < :end_minute;

-- name: device_by_key
SELECT id FROM devices WHERE device_key = :device_key;
