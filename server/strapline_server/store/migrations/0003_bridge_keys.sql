-- A bridge that signs its own tokens is known by this key and by nothing else. It goes with its
-- principal.

CREATE TABLE bridge_keys (
    -- The thumbprint, as a token's header names it.
    id TEXT PRIMARY KEY,
    sub TEXT NOT NULL UNIQUE REFERENCES principals (sub) ON DELETE CASCADE,
    -- 32 bytes, Ed25519.
    public_key BLOB NOT NULL
) WITHOUT ROWID;
