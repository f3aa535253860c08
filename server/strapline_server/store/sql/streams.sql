-- Streams, and the numbers of each that are accounted for.

-- name: stream
SELECT stream_key, id, owner, zero_version, zero, ended FROM streams WHERE id = :id;

-- name: insert_stream
INSERT INTO streams (id, owner, next_seq, zero_version, zero, ended, begins_ms, ends_ms)
VALUES (:id, :owner, :next_seq, :zero_version, :zero, :ended, :begins_ms, :ends_ms)
RETURNING stream_key;

-- name: update_stream
UPDATE streams
SET next_seq = max(next_seq, :next_seq), ended = coalesce(:ended, ended),
    ends_ms = coalesce(:ends_ms, ends_ms)
WHERE stream_key = :stream_key;

-- name: rezero_stream
UPDATE streams
SET zero_version = :zero_version, zero = :zero, begins_ms = :begins_ms, ends_ms = :ends_ms
WHERE stream_key = :stream_key;

-- name: zero_of_stream
SELECT zero FROM streams WHERE stream_key = :stream_key;

-- name: device
SELECT device_key FROM devices WHERE id = :id;

-- name: insert_device
INSERT INTO devices (id) VALUES (:id) RETURNING device_key;

-- name: account_touching
-- The ranges of one kind that overlap or touch [first, last], newest first.
SELECT first, last, reason FROM accounts
WHERE stream_key = :stream_key AND kind = :kind AND first <= :last + 1
ORDER BY first DESC;

-- name: other_account
SELECT 1 FROM accounts WHERE stream_key = :stream_key AND kind > 1 LIMIT 1;

-- name: extend_account
UPDATE accounts SET last = :last
WHERE stream_key = :stream_key AND kind = :kind AND first = :first;

-- name: delete_account
DELETE FROM accounts
WHERE stream_key = :stream_key AND kind = :kind AND first = :first;

-- name: insert_account
INSERT INTO accounts (stream_key, kind, first, last, reason)
VALUES (:stream_key, :kind, :first, :last, :reason);

-- name: last_accounts
-- The last first.
SELECT first, last FROM accounts WHERE stream_key = :stream_key AND kind = :kind
ORDER BY first DESC LIMIT :most;

-- name: accounts_of_kind
SELECT first, last FROM accounts WHERE stream_key = :stream_key AND kind = :kind ORDER BY first;
