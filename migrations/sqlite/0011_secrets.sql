-- Secrets that operators gave while the gateway ran, encrypted. The policies in `changes` have what stands for them.
CREATE TABLE secrets (
    -- The kind of policy, its name, and the field of its value
    kind          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    field         TEXT    NOT NULL,
    -- What stands for the secret: sk-…abcd
    shown         TEXT    NOT NULL,
    -- A 1 for AES-256-GCM, the nonce, the ciphertext and its tag; kind, name, field and shown are authenticated with it.
    sealed        BLOB    NOT NULL,
    -- Tells the key that it was encrypted with from others
    key_id        BLOB    NOT NULL,
    created_at_us INTEGER NOT NULL,
    -- Those of earlier versions stay, so that these can be restored; all are read at the start.
    PRIMARY KEY (kind, name, field, shown)
) STRICT, WITHOUT ROWID;
