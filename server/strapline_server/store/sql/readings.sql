-- Blocks of readings, and what is folded out of them.

-- name: insert_block
INSERT INTO blocks (
    user_key, stream_key, device_key, metric, first_seq, last_seq, first_elapsed_ms,
    last_elapsed_ms, from_ms, to_ms, count, low, high, total, committed_ms, judged_ms,
    data
)
VALUES (
    :user_key, :stream_key, :device_key, :metric, :first_seq, :last_seq, :first_elapsed_ms,
    :last_elapsed_ms, :from_ms, :to_ms, :count, :low, :high, :total, :committed_ms, :judged_ms,
    :data
);

-- name: blocks_in_time
-- No block is longer than :longest_ms, so that the index bounds both ends.
SELECT block_key, device_key, devices.id AS device, streams.id AS stream, zero, from_ms, to_ms,
       committed_ms, judged_ms, data
FROM blocks JOIN streams USING (stream_key) JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = :metric
  AND from_ms > :from_ms - :longest_ms AND from_ms < :to_ms AND to_ms >= :from_ms
ORDER BY from_ms, block_key;

-- name: blocks_of_stream
SELECT block_key, user_key, stream_key, device_key, metric, first_elapsed_ms, last_elapsed_ms, from_ms,
       to_ms, count, committed_ms, judged_ms, data
FROM blocks WHERE stream_key = :stream_key ORDER BY block_key;

-- name: times_of_stream
SELECT user_key, device_key, first_elapsed_ms, last_elapsed_ms, from_ms, to_ms
FROM blocks WHERE stream_key = :stream_key AND metric = :metric ORDER BY user_key, block_key;

-- name: blocks_of_device
SELECT block_key, zero, from_ms, to_ms, judged_ms, data
FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND to_ms >= :from_ms AND to_ms < :to_ms + :longest_ms AND from_ms < :to_ms
ORDER BY to_ms DESC;

-- name: delete_block
DELETE FROM blocks WHERE block_key = :block_key;

-- name: latest
SELECT devices.id AS device, device_key, coalesce(strap_key, device_key) AS strap_key, newest_ms,
       newest_seq, newest_value, usable_ms, usable_seq, usable_value, quality, on_change
FROM latest JOIN source_order USING (user_key, metric, device_key) JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = :metric
ORDER BY place;

-- name: see_device
INSERT INTO latest (user_key, metric, device_key, rank, preferred)
SELECT :user_key, :metric, :device_key, count(*),
       (
           SELECT place FROM preferences
           WHERE user_key = :user_key AND device_key = :device_key AND metric = (
               SELECT coalesce(max(metric), '') FROM preferences
               WHERE user_key = :user_key AND metric = :metric
           )
       )
FROM latest
WHERE user_key = :user_key AND metric = :metric
ON CONFLICT DO NOTHING;

-- name: update_latest
UPDATE latest
SET newest_ms = iif(is_newer, :at_ms, newest_ms),
    newest_seq = iif(is_newer, :seq, newest_seq),
    newest_value = iif(is_newer, :value, newest_value),
    on_change = iif(is_newer, :on_change, on_change),
    usable_ms = iif(is_better, :usable_ms, usable_ms),
    usable_seq = iif(is_better, :usable_seq, usable_seq),
    usable_value = iif(is_better, :usable_value, usable_value),
    quality = iif(is_better, :quality, quality)
FROM (
    SELECT newest_ms IS NULL
           OR (newest_ms, newest_seq, coalesce(newest_value, -1e300))
              < (:at_ms, :seq, coalesce(:value, -1e300)) AS is_newer,
           :usable_ms IS NOT NULL
           AND (usable_ms IS NULL
                OR (usable_ms, usable_seq, usable_value)
                   < (:usable_ms, :usable_seq, :usable_value)) AS is_better
    FROM latest
    WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
)
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key;

-- name: forget_latest
UPDATE latest
SET newest_ms = NULL, newest_seq = NULL, newest_value = NULL,
    usable_ms = NULL, usable_seq = NULL, usable_value = NULL, quality = NULL
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key;

-- name: fold_minute
INSERT INTO minutes (
    user_key, metric, minute, device_key, counter, count, low, high, total,
    last_ms, last_seq, last_value
)
VALUES (
    :user_key, :metric, :minute, :device_key, :counter, :count, :low, :high, :total,
    :last_ms, :last_seq, :last_value
)
ON CONFLICT DO UPDATE
SET count = count + excluded.count,
    low = min(low, excluded.low),
    high = max(high, excluded.high),
    total = total + excluded.total,
    last_value = iif(
        (last_ms, last_seq, last_value)
        < (excluded.last_ms, excluded.last_seq, excluded.last_value),
        excluded.last_value, last_value
    ),
    last_seq = iif(
        (last_ms, last_seq) < (excluded.last_ms, excluded.last_seq), excluded.last_seq, last_seq
    ),
    last_ms = max(last_ms, excluded.last_ms);

-- name: delete_minutes
DELETE FROM minutes
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND minute >= :first_hour * 60 AND minute < (:last_hour + 1) * 60;

-- name: counter_before
SELECT last_value FROM minutes
WHERE user_key = :user_key AND metric = 'steps' AND device_key = :device_key
  AND counter = :counter AND counter <> ''
  AND minute < :first_minute
ORDER BY minute DESC LIMIT 1;

-- name: counter_origin
SELECT origin FROM counters
WHERE user_key = :user_key AND device_key = :device_key AND counter = :counter;

-- name: insert_counter
INSERT INTO counters (user_key, device_key, counter, origin)
VALUES (:user_key, :device_key, :counter, :origin)
ON CONFLICT DO NOTHING;

-- name: warm_up
INSERT INTO warm (hour, user_key, metric, device_key, stream_key)
VALUES (:hour, :user_key, :metric, :device_key, :stream_key)
ON CONFLICT DO NOTHING;

-- name: warm
SELECT hour, user_key, metric, device_key, stream_key, streams.id AS stream, zero
FROM warm JOIN streams USING (stream_key)
WHERE hour < :before_hour
ORDER BY hour LIMIT 1;

-- name: cooled
DELETE FROM warm
WHERE hour = :hour AND user_key = :user_key AND metric = :metric
  AND device_key = :device_key AND stream_key = :stream_key;

-- name: blocks_of_hour
SELECT block_key, committed_ms, judged_ms, data FROM blocks
WHERE user_key = :user_key AND metric = :metric AND from_ms >= :from_ms AND from_ms < :to_ms
  AND device_key = :device_key AND stream_key = :stream_key
ORDER BY block_key;

-- name: keys_of_hour
SELECT block_key FROM blocks
WHERE user_key = :user_key AND metric = :metric AND from_ms >= :from_ms AND from_ms < :to_ms
  AND device_key = :device_key AND stream_key = :stream_key;
