-- What the operator's rules did to a request and its reply: a JSON array of objects with `rule` (its name), `side`
-- (`request`, `reply`), `verdict` (`flagged`, `changed`, `blocked`, `failed`) and, of a rule that only watches,
-- `"shadow": true`. Never what was found. Null: no rule had anything to do, as with nearly all requests.
ALTER TABLE requests ADD COLUMN guardrails TEXT;

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
    guardrails
FROM requests;
