-- How much there is, for the command line.

-- name: count_people
SELECT
    (SELECT count(*) FROM users) AS users,
    (SELECT count(*) FROM principals WHERE role = 'bridge') AS bridges,
    (SELECT count(*) FROM principals WHERE role = 'viewer') AS viewers,
    (SELECT count(*) FROM streams) AS streams;

-- name: count_readings
SELECT coalesce(sum(last - first + 1), 0) AS readings FROM accounts WHERE kind = :kind;
