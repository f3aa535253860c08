-- Positions of changes, and the bounded log of them.

-- name: next_position
UPDATE users SET position = position + 1, synced_ms = :now_ms
WHERE user_key = :user_key RETURNING position;

-- name: heads
SELECT metric, position FROM heads WHERE user_key = :user_key ORDER BY metric;

-- name: is_told
SELECT 1 FROM heads WHERE user_key = :user_key AND metric = :metric;

-- name: put_head
INSERT INTO heads (user_key, metric, position, previous) VALUES (:user_key, :metric, :position, 0)
ON CONFLICT DO UPDATE SET previous = position, position = excluded.position
RETURNING previous;

-- name: insert_log
INSERT INTO log (user_key, position, metric, committed_ms, message)
VALUES (:user_key, :position, :metric, :committed_ms, :message);

-- name: trim_log
DELETE FROM log WHERE committed_ms < :before_ms;

-- name: log_since
SELECT position, metric, message FROM log
WHERE user_key = :user_key AND position > :position
ORDER BY position LIMIT :most;

-- name: logged_at
SELECT committed_ms FROM log WHERE user_key = :user_key AND position = :position;

-- name: probe
INSERT INTO meta (name, value) VALUES ('probe', '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1;
