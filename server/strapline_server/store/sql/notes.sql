-- What is said and not measured: the newest of it. All that was ever said stands in the blocks.

-- name: say_mark
-- The newest by the moment it is about. One that is ahead of its time yields: the clock was wrong.
INSERT INTO said (
    user_key, metric, device_key, name, at_ms, until_ms, stream_key, seq, content
)
VALUES (
    :user_key, :metric, :device_key, :name, :at_ms, NULL, :stream_key, :seq, :content
)
ON CONFLICT DO UPDATE
SET at_ms = excluded.at_ms, stream_key = excluded.stream_key, seq = excluded.seq,
    content = excluded.content
WHERE at_ms > :latest_ms OR (at_ms, seq) <= (excluded.at_ms, excluded.seq);

-- name: say_field
-- Of each field of a summary what was said last, whatever the clock did.
INSERT INTO said (
    user_key, metric, device_key, name, at_ms, until_ms, stream_key, seq, content
)
VALUES (
    :user_key, :metric, :device_key, :name, :at_ms, NULL, :stream_key, :seq, :content
)
ON CONFLICT DO UPDATE
SET at_ms = excluded.at_ms, stream_key = excluded.stream_key, seq = excluded.seq,
    content = excluded.content
WHERE stream_key <> excluded.stream_key OR seq < excluded.seq;

-- name: say_session
-- Of a session what was said last: in one stream by number, of two streams by commit.
INSERT INTO said (
    user_key, metric, device_key, name, at_ms, until_ms, stream_key, seq, content
)
VALUES (
    :user_key, :metric, :device_key, :name, :at_ms, :until_ms, :stream_key, :seq, :content
)
ON CONFLICT DO UPDATE
SET at_ms = excluded.at_ms, until_ms = excluded.until_ms, stream_key = excluded.stream_key,
    seq = excluded.seq, content = excluded.content
WHERE stream_key <> excluded.stream_key OR seq < excluded.seq;

-- name: say_gap
-- Of each device the one that ends last.
INSERT INTO said (
    user_key, metric, device_key, name, at_ms, until_ms, stream_key, seq, content
)
VALUES (
    :user_key, :metric, :device_key, :name, :at_ms, :until_ms, :stream_key, :seq, :content
)
ON CONFLICT DO UPDATE
SET at_ms = excluded.at_ms, until_ms = excluded.until_ms, stream_key = excluded.stream_key,
    seq = excluded.seq, content = excluded.content
WHERE (until_ms, seq) <= (excluded.until_ms, excluded.seq);

-- name: newest_gap
SELECT at_ms, until_ms, content, devices.id AS device
FROM said JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = 'gap'
ORDER BY until_ms DESC, at_ms, device_key LIMIT 1;

-- name: unsay
DELETE FROM said
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key AND name = :name;

-- name: unsay_all
DELETE FROM said
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key;

-- name: newest_mark
SELECT at_ms, content FROM said
WHERE user_key = :user_key AND metric = 'mark'
ORDER BY at_ms > :latest_ms, at_ms DESC, seq DESC LIMIT 1;

-- name: fields_said_last_first
-- Each run of the server has a stream of its own: the later run the higher key.
SELECT device_key, name, at_ms, content FROM said
WHERE user_key = :user_key AND metric = 'summary'
ORDER BY stream_key DESC, seq DESC;

-- name: newest_sessions
SELECT said.name AS name, at_ms, until_ms AS ends_ms, content, devices.id AS device
FROM said JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = 'session'
ORDER BY at_ms DESC, seq DESC LIMIT :most;

-- name: last_session_end
SELECT max(until_ms) AS until_ms FROM said WHERE user_key = :user_key AND metric = 'session';

-- name: next_own_number
UPDATE streams SET next_seq = next_seq + 1 WHERE stream_key = :stream_key
RETURNING next_seq - 1 AS seq;

-- name: sessions_in_time
-- One ends where it says, and no later than where the next begins: of those that begin before the
-- range only the last can reach into it.
SELECT device_key, name, at_ms, content, ends_ms
FROM (
    SELECT device_key, name, at_ms, content,
           -- Of two the least; min() of one that is NULL is NULL.
           coalesce(min(until_ms, next_ms), until_ms, next_ms) AS ends_ms
    FROM (
        SELECT device_key, name, at_ms, content, until_ms,
               (
                   SELECT later.at_ms FROM said AS later
                   WHERE later.user_key = one.user_key AND later.metric = one.metric
                     AND (later.at_ms, later.seq) > (one.at_ms, one.seq)
                   ORDER BY later.at_ms, later.seq LIMIT 1
               ) AS next_ms
        FROM said AS one
        WHERE user_key = :user_key AND metric = 'session'
          AND at_ms < :to_ms AND at_ms >= max(
              :after_ms,
              coalesce(
                  (
                      SELECT before.at_ms FROM said AS before
                      WHERE before.user_key = :user_key AND before.metric = 'session'
                        AND before.at_ms < :from_ms
                      ORDER BY before.at_ms DESC LIMIT 1
                  ),
                  :from_ms
              )
          )
    )
)
WHERE (at_ms >= :from_ms OR ends_ms IS NULL OR ends_ms > :from_ms)
  AND (at_ms, device_key, name) > (:after_ms, :after_device, :after_name)
ORDER BY at_ms, device_key, name LIMIT :most;

-- name: notes_of_device
SELECT block_key, stream_key, owner, zero, data FROM blocks JOIN streams USING (stream_key)
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
ORDER BY committed_ms, block_key;
