-- A copy of a client's request that was sent to another target to see what that makes of it, its reply dropped:
-- the `id` of the request that it is a copy of. Null: a request of a client's own, as nearly all rows are.
-- Rollups and the dashboard count a shadow as no request: not in requests, errors, latencies, tokens or cost. What
-- shadows cost is told apart: `figures` holds their number and their cost, and here each has its own row with
-- its cost_nanos. Whoever counts clients' requests in SQL says WHERE shadow_of IS NULL.
ALTER TABLE requests ADD COLUMN shadow_of BLOB;

-- `attempts` may say `"hedged": true` of a second target that was asked because the first was slow; the slower one of
-- the two has the error_kind `cancelled`.

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
    END AS shadow_of
FROM requests;
