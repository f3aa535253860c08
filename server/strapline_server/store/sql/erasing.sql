-- A person goes, and what was known of them.

-- name: erasure
SELECT user_key, erased_ms FROM erased WHERE id_hash = :id_hash;

-- name: count_erasures
SELECT count(*) AS erasures FROM erased;

-- name: insert_erasure
INSERT INTO erased (id_hash, user_key, erased_ms) VALUES (:id_hash, :user_key, :erased_ms)
ON CONFLICT DO NOTHING;

-- name: blocks_of_user
SELECT block_key, stream_key, first_seq, last_seq, count
FROM blocks WHERE user_key = :user_key
ORDER BY stream_key, first_seq;

-- name: holdings_of_user
SELECT count(*) AS blocks, coalesce(sum(count), 0) AS readings,
       count(DISTINCT stream_key) AS streams, min(from_ms) AS first_ms, max(to_ms) AS last_ms
FROM blocks WHERE user_key = :user_key;

-- name: links_of_user_alone
-- Dashboard links that show nobody else.
SELECT sub FROM principals
WHERE role = 'viewer' AND all_users = 0 AND sub GLOB 'link-*'
  AND EXISTS (SELECT 1 FROM grants WHERE grants.sub = principals.sub AND user_key = :user_key)
  AND NOT EXISTS (
      SELECT 1 FROM grants WHERE grants.sub = principals.sub AND user_key <> :user_key
  )
ORDER BY sub;

-- name: erase_warm
DELETE FROM warm WHERE user_key = :user_key;

-- name: erase_blocks
DELETE FROM blocks WHERE user_key = :user_key;

-- name: erase_latest
DELETE FROM latest WHERE user_key = :user_key;

-- name: erase_minutes
DELETE FROM minutes WHERE user_key = :user_key;

-- name: erase_hours
DELETE FROM hours WHERE user_key = :user_key;

-- name: erase_counters
DELETE FROM counters WHERE user_key = :user_key;

-- name: erase_heads
DELETE FROM heads WHERE user_key = :user_key;

-- name: erase_untold
DELETE FROM untold WHERE user_key = :user_key;

-- name: erase_log
DELETE FROM log WHERE user_key = :user_key;

-- name: erase_said
DELETE FROM said WHERE user_key = :user_key;

-- name: erase_preferences
DELETE FROM preferences WHERE user_key = :user_key;

-- name: erase_spells
DELETE FROM spells WHERE user_key = :user_key;

-- name: erase_grants
DELETE FROM grants WHERE user_key = :user_key;

-- name: erase_user
DELETE FROM users WHERE user_key = :user_key;

-- name: forget_unworn
-- Names that bridges gave to what measured nobody else.
UPDATE devices SET name = '', strap_key = NULL
WHERE name <> '' AND NOT EXISTS (
    SELECT 1 FROM latest WHERE latest.device_key = devices.device_key
);
