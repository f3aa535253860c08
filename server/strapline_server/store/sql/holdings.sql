-- What is held of one stream's numbers, for its bridge and for those who verify.

-- name: accounts_from
-- The ranges of one kind that end at or after :first, in order.
SELECT first, last FROM accounts
WHERE stream_key = :stream_key AND kind = :kind AND last >= :first AND first >= coalesce(
    (
        SELECT max(first) FROM accounts
        WHERE stream_key = :stream_key AND kind = :kind AND first <= :first
    ),
    0
)
ORDER BY first LIMIT :most;

-- name: count_of_stream
SELECT coalesce(sum(last - first + 1), 0) AS readings FROM accounts
WHERE stream_key = :stream_key AND kind = :kind;

-- name: blocks_in_numbers
-- Those that may hold a number from :first to :last; which of them do, their data tells.
SELECT block_key, first_seq, last_seq FROM blocks
WHERE stream_key = :stream_key AND first_seq <= :last AND last_seq >= :first;

-- name: data_of_block
SELECT data FROM blocks WHERE block_key = :block_key;
