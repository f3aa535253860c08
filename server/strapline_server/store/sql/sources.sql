-- Sources: what decides their order. The order is the view `source_order`.

-- name: sources_of_user
SELECT metric, devices.id AS device, devices.name AS name, coalesce(straps.id, devices.id) AS strap,
       preferred, knows_contact, newest_ms
FROM latest JOIN source_order USING (user_key, metric, device_key)
     JOIN devices USING (device_key)
     LEFT JOIN devices AS straps ON straps.device_key = devices.strap_key
WHERE user_key = :user_key
ORDER BY metric, place;

-- name: metrics_of_user
SELECT DISTINCT metric FROM latest WHERE user_key = :user_key;

-- name: order_of_sources
SELECT device_key, coalesce(strap_key, device_key) AS strap_key
FROM source_order JOIN devices USING (device_key)
WHERE user_key = :user_key AND metric = :metric
ORDER BY place;

-- name: know_contact
UPDATE latest SET knows_contact = 1
WHERE user_key = :user_key AND metric = :metric AND device_key = :device_key
  AND knows_contact = 0;

-- name: clear_preferences
DELETE FROM preferences WHERE user_key = :user_key AND metric = :metric;

-- name: prefer
INSERT INTO preferences (user_key, metric, device_key, place)
SELECT :user_key, :metric, device_key, :place FROM devices WHERE id = :id;

-- name: apply_preferences
-- An order of a metric's own stands in place of the one for all.
UPDATE latest
SET preferred = (
    SELECT place FROM preferences AS wanted
    WHERE wanted.user_key = latest.user_key AND wanted.device_key = latest.device_key
      AND wanted.metric = iif(
          EXISTS (
              SELECT 1 FROM preferences AS own
              WHERE own.user_key = latest.user_key AND own.metric = latest.metric
          ),
          latest.metric, ''
      )
)
WHERE user_key = :user_key;

-- name: link
UPDATE devices
SET strap_key = (
    SELECT coalesce(strap.strap_key, strap.device_key) FROM devices AS strap
    WHERE strap.id = :strap
)
WHERE id = :id;

-- name: ids_of_strap
SELECT id FROM devices WHERE strap_key = (SELECT device_key FROM devices WHERE id = :id)
ORDER BY device_key;

-- name: users_of_device
SELECT DISTINCT user_key FROM latest
WHERE device_key = (SELECT device_key FROM devices WHERE id = :id);

-- name: hours_shared
-- Of the rows that are fewest: a year of one metric and device has 8,760 of them.
SELECT min(hour) AS first, max(hour) AS last, sum(count) AS count
FROM (
    SELECT hour, sum(count) AS count FROM hours
    WHERE user_key = :user_key AND metric = :metric
    GROUP BY hour HAVING min(device_key) < max(device_key)
);

-- name: minutes_shared
SELECT min(minute) AS first, max(minute) AS last
FROM (
    SELECT minute FROM minutes
    WHERE user_key = :user_key AND metric = :metric
      AND minute >= :first_minute AND minute < :end_minute
    GROUP BY minute HAVING min(device_key) < max(device_key)
);

-- name: readings_of_days
SELECT sum(count) AS count FROM minutes
WHERE user_key = :user_key AND metric = :metric
  AND minute >= :first_minute AND minute < :end_minute;

-- name: hours_of_all
SELECT min(hour) AS first, max(hour) AS last, sum(count) AS count
FROM hours WHERE user_key = :user_key AND metric = :metric;

-- name: name_device
-- A bridge names what it publishes of its own users.
UPDATE devices SET name = :name
WHERE id = :id AND name <> :name AND EXISTS (
    SELECT 1 FROM latest JOIN users USING (user_key)
    WHERE latest.device_key = devices.device_key AND users.id = :user
);

-- name: untold
SELECT untold.user_key, position, metric, message
FROM untold JOIN log USING (user_key, position)
ORDER BY untold.user_key, position;

-- name: leave_untold
INSERT INTO untold (user_key, position) VALUES (:user_key, :position);

-- name: told
DELETE FROM untold;

-- name: all_devices
SELECT devices.id AS device, devices.name AS name, coalesce(straps.id, devices.id) AS strap
FROM devices LEFT JOIN devices AS straps ON straps.device_key = devices.strap_key
WHERE EXISTS (SELECT 1 FROM latest WHERE latest.device_key = devices.device_key)
ORDER BY devices.device_key;
