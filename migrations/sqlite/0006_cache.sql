-- Of a request that was answered from the cache (`cache = 'hit'`): the tokens, input and output, that the answer had
-- taken when an upstream gave it, and what they had cost. A hit itself takes none and costs nothing: its input_tokens,
-- output_tokens and cost_nanos are null, so that no sum of those counts anything twice.
ALTER TABLE requests ADD COLUMN saved_tokens INTEGER;
ALTER TABLE requests ADD COLUMN saved_nanos  INTEGER;

-- Answers that are kept beyond a restart, where that is configured. Written in the background; what memory forgets goes
-- here, too. Times are microseconds since the Unix epoch.
CREATE TABLE cache_entries (
    -- 16 bytes: of the hash of everything that decides the answer.
    key           BLOB    PRIMARY KEY,
    stored_at_us  INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    -- What it takes in memory.
    bytes         INTEGER NOT NULL,
    -- JSON: the answer, who gave it, and whose it is.
    entry         TEXT    NOT NULL
) STRICT;

-- As before, with the new columns at its end.
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
    guardrails, saved_tokens, saved_nanos / 1e9 AS saved_usd
FROM requests;
