-- Whose readings were erased, for ever: what bridges still have of them is refused, and the id is
-- never given again. `id_hash`: of the id, so that nobody can read it here.

CREATE TABLE erased (
    id_hash BLOB PRIMARY KEY,
    -- Nobody gets this key again: a server may still know what it folded under it.
    user_key INTEGER NOT NULL,
    erased_ms INTEGER NOT NULL
) WITHOUT ROWID;
