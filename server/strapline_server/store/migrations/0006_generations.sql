-- Tokens that this server made are good while they name this: another one each time that all before
-- are to be worth nothing. It outlives its principal, so that tokens of one that was revoked do not
-- live again where the same name is granted something later. Without a row: tokens that name none.

CREATE TABLE generations (
    sub TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
