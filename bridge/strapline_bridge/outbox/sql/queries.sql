-- Each query stands under its name; parameters are named.

-- name: streams
SELECT key, id, boot_id, zero_ns, next_seq, last_elapsed_ms, alive_ms, zero, ended, told,
       settled, dead
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
INSERT INTO stream (key, id, boot_id, zero_ns, next_seq, last_elapsed_ms, alive_ms, zero, ended, told,
                    settled, dead)
VALUES (:key, :id, :boot_id, :zero_ns, :next_seq, :last_elapsed_ms, :alive_ms, :zero, :ended, :told,
        :settled, :dead)
ON CONFLICT (key) DO UPDATE SET
  next_seq = excluded.next_seq, last_elapsed_ms = excluded.last_elapsed_ms,
  alive_ms = excluded.alive_ms, zero = excluded.zero,
  ended = excluded.ended, told = excluded.told, settled = excluded.settled, dead = excluded.dead;

-- name: save_settled
UPDATE stream SET settled = :settled WHERE key = :key;

-- name: save_dead
UPDATE stream SET dead = :dead WHERE key = :key;

-- name: forget_stream
DELETE FROM stream WHERE key = :key;

-- name: insert_row
INSERT INTO series_row (stream, first_seq, last_seq, first_ms, device, store, payload)
VALUES (:stream, :first_seq, :last_seq, :first_ms, :device, :store, :payload);

-- name: rows_touching
SELECT first_seq, last_seq, length(payload) + 64 AS weight, store, payload FROM series_row
WHERE stream = :stream AND last_seq >= :first AND first_seq <= :last AND first_seq >= coalesce(
  (SELECT max(first_seq) FROM series_row WHERE stream = :stream AND first_seq <= :first), :first)
ORDER BY first_seq LIMIT :limit;

-- A row stays as a whole until all of it is settled: [low, high] is the settled run around it.
-- name: settle_rows
UPDATE series_row SET store = :store
WHERE stream = :stream AND store IS NULL AND first_seq <= :last AND last_seq <= :high
  AND first_seq >= max(:low, coalesce(
    (SELECT max(first_seq) FROM series_row WHERE stream = :stream AND first_seq <= :first), :first))
RETURNING length(payload) + 64;

-- name: delete_row
DELETE FROM series_row WHERE stream = :stream AND first_seq = :first_seq;

-- name: return_row
UPDATE series_row SET store = NULL WHERE stream = :stream AND first_seq = :first_seq;

-- name: oldest_kept
SELECT stream, first_seq, length(payload) + 64 AS weight FROM series_row
WHERE store IS NOT NULL ORDER BY stream, first_seq LIMIT :limit;

-- name: latest_kept_stream
SELECT stream FROM series_row
WHERE store IS NOT NULL AND store = :store AND stream < :before
ORDER BY stream DESC LIMIT 1;

-- name: empty_streams
SELECT key FROM stream
WHERE NOT EXISTS (SELECT 1 FROM series_row WHERE series_row.stream = stream.key)
  AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE dead_letter.stream = stream.key);

-- name: rows_touching_times
SELECT first_ms FROM series_row
WHERE stream = :stream AND last_seq >= :first AND first_seq >= coalesce(
  (SELECT max(first_seq) FROM series_row WHERE stream = :stream AND first_seq <= :first), :first)
ORDER BY first_seq LIMIT :limit;

-- name: save_hole
INSERT INTO hole (stream, reason, ranges) VALUES (:stream, :reason, :ranges)
ON CONFLICT (stream, reason) DO UPDATE SET ranges = excluded.ranges;

-- name: delete_hole
DELETE FROM hole WHERE stream = :stream AND reason = :reason;

-- name: insert_dead_letter
INSERT OR REPLACE INTO dead_letter (stream, first_seq, last_seq, code, message, payload)
VALUES (:stream, :first_seq, :last_seq, :code, :message, :payload);

-- name: dead_letters
SELECT stream.id, dead_letter.stream, first_seq, last_seq, code, message, payload
FROM dead_letter JOIN stream ON stream.key = dead_letter.stream
WHERE (dead_letter.stream, first_seq) >= (:key, :seq)
ORDER BY dead_letter.stream, first_seq LIMIT :limit;

-- name: oldest_dead_letters
SELECT stream, first_seq, last_seq FROM dead_letter ORDER BY stream, first_seq LIMIT :limit;

-- name: dead_letters_touching
SELECT first_seq, last_seq, 0 AS weight, code, payload FROM dead_letter
WHERE stream = :stream AND first_seq <= :last AND last_seq >= :first ORDER BY first_seq LIMIT :limit;

-- name: letters_touching
SELECT first_seq, last_seq, code, message, payload FROM dead_letter
WHERE stream = :stream AND first_seq <= :last AND last_seq >= :first ORDER BY first_seq;

-- name: delete_dead_letter
DELETE FROM dead_letter WHERE stream = :stream AND first_seq = :first_seq;

-- name: save_step_state
INSERT INTO step_state (device, state) VALUES (:device, :state)
ON CONFLICT (device) DO UPDATE SET state = excluded.state;
