-- Each query stands under its name; parameters are named.

-- name: streams
SELECT key, id, boot_id, zero_ns, next_seq, last_elapsed_ms, zero, ended, told, settled, dead
FROM stream ORDER BY key;

-- name: holes
SELECT stream, reason, ranges FROM hole;

-- name: weights
SELECT coalesce(sum(CASE WHEN store IS NULL THEN length(payload) + 64 ELSE 0 END), 0) AS pending,
       coalesce(sum(CASE WHEN store IS NULL THEN 0 ELSE length(payload) + 64 END), 0) AS kept
FROM series_row;

-- name: dead_letter_count
SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM dead_letter;

-- name: step_states
SELECT state FROM step_state;

-- name: save_stream
INSERT INTO stream (key, id, boot_id, zero_ns, next_seq, last_elapsed_ms, zero, ended, told, settled, dead)
VALUES (:key, :id, :boot_id, :zero_ns, :next_seq, :last_elapsed_ms, :zero, :ended, :told, :settled, :dead)
ON CONFLICT (key) DO UPDATE SET
  next_seq = excluded.next_seq, last_elapsed_ms = excluded.last_elapsed_ms, zero = excluded.zero,
  ended = excluded.ended, told = excluded.told, settled = excluded.settled, dead = excluded.dead;

-- name: forget_stream
DELETE FROM stream WHERE key = :key;

-- name: insert_row
INSERT INTO series_row (stream, first_seq, last_seq, first_ms, device, payload)
VALUES (:stream, :first_seq, :last_seq, :first_ms, :device, :payload);

-- name: rows_touching
SELECT first_seq, last_seq, store, length(payload) + 64 AS weight, payload FROM series_row
WHERE stream = :stream AND first_seq <= :last
  AND first_seq >= coalesce(
    (SELECT max(first_seq) FROM series_row WHERE stream = :stream AND first_seq <= :first), :first)
  AND last_seq >= :first
ORDER BY first_seq;

-- name: keep_row
UPDATE series_row SET store = :store WHERE stream = :stream AND first_seq = :first_seq;

-- name: delete_row
DELETE FROM series_row WHERE stream = :stream AND first_seq = :first_seq;

-- name: pending_page
SELECT stream, first_seq, last_seq, payload FROM series_row
WHERE store IS NULL AND (stream, first_seq) > (:stream, :first_seq)
ORDER BY stream, first_seq LIMIT :limit;

-- name: oldest_pending
SELECT stream, first_seq, last_seq, first_ms, device FROM series_row
WHERE store IS NULL ORDER BY stream, first_seq LIMIT :limit;

-- name: oldest_kept
SELECT stream, first_seq, length(payload) + 64 AS weight FROM series_row
WHERE store IS NOT NULL ORDER BY stream, first_seq LIMIT :limit;

-- name: has_rows
SELECT EXISTS (SELECT 1 FROM series_row WHERE stream = :stream)
    OR EXISTS (SELECT 1 FROM dead_letter WHERE stream = :stream);

-- name: save_hole
INSERT INTO hole (stream, reason, ranges) VALUES (:stream, :reason, :ranges)
ON CONFLICT (stream, reason) DO UPDATE SET ranges = excluded.ranges;

-- name: delete_hole
DELETE FROM hole WHERE stream = :stream AND reason = :reason;

-- name: insert_dead_letter
INSERT OR REPLACE INTO dead_letter (stream, first_seq, last_seq, code, message, payload)
VALUES (:stream, :first_seq, :last_seq, :code, :message, :payload);

-- name: dead_letters
SELECT stream.id, first_seq, last_seq, code, message, payload
FROM dead_letter JOIN stream ON stream.key = dead_letter.stream
ORDER BY dead_letter.stream, first_seq LIMIT :limit;

-- name: delete_dead_letter
DELETE FROM dead_letter WHERE stream = :stream AND first_seq = :first_seq;

-- name: dead_letters_touching
SELECT first_seq, last_seq FROM dead_letter
WHERE stream = :stream AND first_seq <= :last AND last_seq >= :first;

-- name: save_step_state
INSERT INTO step_state (device, state) VALUES (:device, :state)
ON CONFLICT (device) DO UPDATE SET state = excluded.state;
