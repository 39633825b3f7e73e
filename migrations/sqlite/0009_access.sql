-- Who may use the admin listener. Every change is in `changes`, too, without any secret: kinds `user`, `api_token`,
-- `session` (logins and logouts) and `login_failure`. All of it is in memory while the gateway runs.
CREATE TABLE users (
    name              TEXT    PRIMARY KEY,
    -- viewer | editor | admin
    role              TEXT    NOT NULL,
    disabled          INTEGER NOT NULL,
    -- argon2id, as a PHC string. Null: no password opens.
    password_hash     TEXT,
    -- Who vouches for the user in place of a password. Null: nobody does.
    identity_provider TEXT,
    -- That of the change in `changes` which made it what it is.
    version           INTEGER NOT NULL,
    created_at_us     INTEGER NOT NULL,
    changed_at_us     INTEGER NOT NULL,
    changed_by        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What programs have in place of a password. The token itself is told once and is nowhere.
CREATE TABLE api_tokens (
    name            TEXT    PRIMARY KEY,
    -- Null: it was made with the admin token.
    user_name       TEXT,
    sha256          BLOB    NOT NULL,
    -- How it begins: for people
    prefix          TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    -- A JSON array. Null: all.
    areas           TEXT,
    version         INTEGER NOT NULL,
    created_at_us   INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    expires_at_us   INTEGER,
    -- Written now and then
    last_used_at_us INTEGER
) STRICT, WITHOUT ROWID;

-- Browsers that are logged in.
CREATE TABLE sessions (
    -- Of what the cookie says; of logins with the admin token, of that together with a key made of the token.
    sha256          BLOB    PRIMARY KEY,
    -- What it is called by; it opens nothing.
    id              TEXT    NOT NULL,
    -- Null: somebody logged in with the admin token.
    user_name       TEXT,
    address         TEXT    NOT NULL,
    browser         TEXT,
    created_at_us   INTEGER NOT NULL,
    -- Written now and then
    last_used_at_us INTEGER NOT NULL,
    expires_at_us   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions used to be signed, and only those that were logged out were kept.
DELETE FROM settings WHERE name = 'admin.revoked_sessions';
