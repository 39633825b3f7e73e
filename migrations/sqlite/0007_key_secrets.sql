-- The secrets of client keys, as far as they are kept: what they are known again by. A secret itself is told once, when
-- it is made, and is nowhere.
CREATE TABLE key_secrets (
    key_name      TEXT    NOT NULL,
    -- Of the secret as clients send it
    sha256        BLOB    NOT NULL,
    -- How it begins: for people
    prefix        TEXT    NOT NULL,
    -- Null: it is the configuration's own, which another one has taken the place of.
    created_at_us INTEGER,
    -- Not taken from then on. Null: no other one has taken its place.
    expires_at_us INTEGER,
    -- A key's secrets are written together; all are read at the start.
    PRIMARY KEY (key_name, sha256)
) STRICT, WITHOUT ROWID;

-- The project of the client's key. Null: it has none, or there was no key.
ALTER TABLE requests ADD COLUMN project TEXT;

-- As before, with the new column at its end.
DROP VIEW usage_requests;
CREATE VIEW usage_requests AS
SELECT
    lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
        || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS id,
    strftime('%Y-%m-%dT%H:%M:%S', started_at_us / 1000000, 'unixepoch')
        || printf('.%06dZ', started_at_us % 1000000) AS started_at,
    first_token_us / 1000.0 AS first_token_ms,
    latency_us / 1000.0 AS latency_ms,
    upstream_us / 1000.0 AS upstream_ms,
    key_name, client_address, dialect, endpoint, requested_model, provider, upstream_model,
    stream, outcome, status, error_kind, error_source, error_message, attempts,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost_nanos / 1e9 AS cost_usd,
    cache, finish_reason, bytes_in, bytes_out, usage_estimated, dropped, emulated,
    CASE WHEN shadow_of IS NOT NULL THEN
        lower(substr(hex(shadow_of), 1, 8) || '-' || substr(hex(shadow_of), 9, 4) || '-'
            || substr(hex(shadow_of), 13, 4) || '-' || substr(hex(shadow_of), 17, 4) || '-'
            || substr(hex(shadow_of), 21))
    END AS shadow_of,
    guardrails, saved_tokens, saved_nanos / 1e9 AS saved_usd, project
FROM requests;
