-- What is missing: evidence of causes, and where readings stand before and after a range.

-- name: insert_spell
INSERT INTO spells (
    user_key, level, from_ms, device_key, stream_key, seq, until_ms, cause, evidence
)
VALUES (
    :user_key, :level, :from_ms, :device_key, :stream_key, :seq, :until_ms, :cause, :evidence
)
ON CONFLICT DO NOTHING;

-- name: forget_spells
DELETE FROM spells WHERE user_key = :user_key AND device_key = :device_key;

-- name: spells_of_level
SELECT from_ms, until_ms, device_key, devices.id AS device, cause, evidence
FROM spells JOIN devices USING (device_key)
WHERE user_key = :user_key AND level = :level
  AND from_ms > :after_ms AND from_ms < :to_ms AND until_ms > :from_ms;

-- name: devices_of_metric
-- Those that spoke last, if there are too many.
SELECT device_key, devices.id AS id FROM latest JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = :metric
ORDER BY newest_ms DESC, device_key LIMIT :most;

-- name: devices_of_strap
SELECT device_key, devices.id AS id FROM latest JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = :metric AND coalesce(strap_key, device_key) = (
    SELECT coalesce(strap_key, device_key) FROM devices WHERE id = :device
)
ORDER BY newest_ms DESC, device_key LIMIT :most;

-- name: readings_in_time
-- As blocks_in_time, with what names the runs that they are of.
SELECT block_key, device_key, stream_key, streams.id AS stream, owner, zero, from_ms, count, data
FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric
  AND from_ms > :from_ms - :longest_ms AND from_ms < :to_ms AND to_ms >= :from_ms
ORDER BY from_ms, block_key;

-- name: readings_before
-- The last first, by their end.
SELECT block_key, stream_key, streams.id AS stream, owner, zero, from_ms, to_ms, data
FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND to_ms < :before_ms + :longest_ms AND from_ms < :before_ms
ORDER BY to_ms DESC;

-- name: readings_after
-- The first first, by their end.
SELECT block_key, zero, from_ms, to_ms, data
FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND to_ms >= :from_ms
ORDER BY to_ms;

-- name: runs_of_owner
SELECT stream_key, zero, begins_ms, ends_ms, ended, next_seq FROM streams
WHERE owner = :owner ORDER BY begins_ms DESC, stream_key DESC LIMIT :most;

-- name: last_received
SELECT last FROM accounts WHERE stream_key = :stream_key AND kind = 1
ORDER BY first DESC LIMIT 1;

-- name: other_accounts
-- What is accounted for and was not received, from :first on.
SELECT kind, first, last, reason FROM accounts
WHERE stream_key = :stream_key AND kind > 1 AND last >= :first
ORDER BY first LIMIT :most;

-- name: blocks_with_number
-- Those that may hold it: of one metric a block holds not all between its first and its last.
SELECT block_key, data FROM blocks
WHERE stream_key = :stream_key AND first_seq <= :number AND last_seq >= :number
ORDER BY first_seq DESC LIMIT :most;

-- name: run
SELECT owner, zero, begins_ms, ends_ms FROM streams WHERE stream_key = :stream_key;

-- name: run_before
SELECT stream_key, ends_ms FROM streams
WHERE owner = :owner AND begins_ms <= :begins_ms AND stream_key <> :stream_key
ORDER BY begins_ms DESC LIMIT 1;

-- name: run_after
SELECT begins_ms FROM streams
WHERE owner = :owner AND begins_ms > :begins_ms
ORDER BY begins_ms LIMIT 1;

-- name: received_before
SELECT min(last, :number - 1) AS number FROM accounts
WHERE stream_key = :stream_key AND kind = 1 AND first < :number
ORDER BY first DESC LIMIT 1;

-- name: received_after
SELECT first AS number FROM accounts
WHERE stream_key = :stream_key AND kind = 1 AND first > :number
ORDER BY first LIMIT 1;

-- name: users_before_number
SELECT user_key FROM blocks
WHERE stream_key = :stream_key AND first_seq <= :number
ORDER BY first_seq DESC LIMIT :most;

-- name: users_after_number
SELECT user_key FROM blocks
WHERE stream_key = :stream_key AND first_seq > :number
ORDER BY first_seq LIMIT :most;
