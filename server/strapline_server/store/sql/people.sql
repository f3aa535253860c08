-- Who there is, and who may what.

-- name: user_by_id
SELECT user_key, id, name, zone, position, synced_ms FROM users WHERE id = :id;

-- name: all_users
SELECT user_key, id, name, zone, position, synced_ms FROM users ORDER BY id;

-- name: users_of_principal
SELECT user_key, id, name, zone, position, synced_ms
FROM grants JOIN users USING (user_key)
WHERE sub = :sub
ORDER BY id;

-- name: keys_of_users_of_principal
SELECT user_key FROM grants WHERE sub = :sub;

-- name: insert_user
-- A key that somebody had who was erased is not given again.
INSERT INTO users (user_key, id, name, zone)
VALUES (
    1 + max(
        coalesce((SELECT max(user_key) FROM users), 0),
        coalesce((SELECT max(user_key) FROM erased), 0)
    ),
    :id, :name, :zone
)
ON CONFLICT (id) DO NOTHING;

-- name: change_user
UPDATE users SET name = coalesce(:name, name), zone = coalesce(:zone, zone) WHERE id = :id;

-- name: principal
SELECT sub, role, name, all_users, metrics, may_mark, bridge_keys.id AS bridge_key,
       generations.value AS generation
FROM principals LEFT JOIN bridge_keys USING (sub) LEFT JOIN generations USING (sub)
WHERE sub = :sub;

-- name: all_principals
SELECT sub, role, name, all_users, metrics, may_mark, bridge_keys.id AS bridge_key,
       generations.value AS generation
FROM principals LEFT JOIN bridge_keys USING (sub) LEFT JOIN generations USING (sub)
ORDER BY sub;

-- name: bridge_key
SELECT sub, public_key FROM bridge_keys WHERE id = :id;

-- name: insert_bridge_key
INSERT INTO bridge_keys (id, sub, public_key) VALUES (:id, :sub, :public_key);

-- name: delete_bridge_key
DELETE FROM bridge_keys WHERE sub = :sub;

-- name: put_principal
-- Open connections learn of it a little later: until then positions are told under the old rights.
-- Who is new may be one that was revoked and had other metrics.
INSERT INTO principals (sub, role, name, all_users, metrics, may_mark, metrics_since_ms)
VALUES (
    :sub, :role, :name, :all_users, :metrics, :may_mark,
    coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'revoked_ms'), 0)
)
ON CONFLICT (sub) DO UPDATE
SET role = excluded.role, name = excluded.name, all_users = excluded.all_users,
    metrics = excluded.metrics, may_mark = excluded.may_mark,
    metrics_since_ms = iif(metrics IS excluded.metrics, metrics_since_ms, :now_ms + 60000);

-- name: note_revocation
INSERT INTO meta (name, value) VALUES ('revoked_ms', :now_ms + 60000)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: begin_generation
INSERT INTO generations (sub, value) VALUES (:sub, :value)
ON CONFLICT (sub) DO UPDATE SET value = excluded.value;

-- name: generation
SELECT value FROM generations WHERE sub = :sub;

-- name: metrics_since
SELECT metrics_since_ms FROM principals WHERE sub = :sub;

-- name: delete_principal
DELETE FROM principals WHERE sub = :sub;

-- name: clear_grants
DELETE FROM grants WHERE sub = :sub;

-- name: insert_grant
INSERT INTO grants (sub, user_key) SELECT :sub, user_key FROM users WHERE id = :id
ON CONFLICT DO NOTHING;

-- name: rights_version
SELECT value FROM meta WHERE name = 'rights';

-- name: bump_rights_version
INSERT INTO meta (name, value) VALUES ('rights', '1')
ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1;

-- name: meta
SELECT value FROM meta WHERE name = :name;

-- name: insert_meta
INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING;

-- name: user_by_key
SELECT user_key, id, name, zone, position, synced_ms FROM users WHERE user_key = :user_key;
