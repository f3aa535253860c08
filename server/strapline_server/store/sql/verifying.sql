-- Everything, read once more.

-- name: streams_of_all
SELECT stream_key, id, owner, next_seq, zero FROM streams ORDER BY stream_key;

-- name: has_stream_of_user
SELECT 1 FROM blocks WHERE stream_key = :stream_key AND user_key = :user_key LIMIT 1;

-- name: accounts_lost
SELECT first, last, reason FROM accounts
WHERE stream_key = :stream_key AND kind = :kind
ORDER BY first;

-- name: blocks_by_number
SELECT block_key, user_key, users.id AS user, metric, devices.id AS device, first_seq, last_seq,
       first_elapsed_ms, last_elapsed_ms, from_ms, to_ms, count, data
FROM blocks JOIN users USING (user_key) JOIN devices USING (device_key)
WHERE stream_key = :stream_key
ORDER BY first_seq, block_key;

-- name: measured_of_user
SELECT DISTINCT metric FROM blocks WHERE user_key = :user_key
UNION
SELECT DISTINCT metric FROM minutes WHERE user_key = :user_key
UNION
SELECT DISTINCT metric FROM hours WHERE user_key = :user_key
ORDER BY metric;

-- name: blocks_by_time
SELECT block_key, device_key, zero, from_ms, to_ms, data
FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric
ORDER BY from_ms, block_key;

-- name: minutes_of_metric
SELECT minute, device_key, counter, count, low, high, total, last_ms, last_seq, last_value
FROM minutes WHERE user_key = :user_key AND metric = :metric
ORDER BY minute, device_key, counter;

-- name: hours_of_metric
SELECT hour, device_key, counter, count, low, high, total, covered
FROM hours WHERE user_key = :user_key AND metric = :metric
ORDER BY hour, device_key, counter;

-- name: span_of_metric
SELECT min(from_ms) AS first_ms, max(to_ms) AS last_ms FROM blocks
WHERE user_key = :user_key AND metric = :metric;
