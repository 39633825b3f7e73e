-- 1: the upstream did not come to say all of its usage (the client left, or the stream broke), and the
-- token counts are estimated from the text that went in and out.
ALTER TABLE requests ADD COLUMN usage_estimated INTEGER NOT NULL DEFAULT 0;
-- JSON lists of the request's parameters that the upstream's protocol cannot say: left out, or reached
-- by other means. Null: none.
ALTER TABLE requests ADD COLUMN dropped TEXT;
ALTER TABLE requests ADD COLUMN emulated TEXT;

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
    cache, finish_reason, bytes_in, bytes_out, usage_estimated, dropped, emulated
FROM requests;
