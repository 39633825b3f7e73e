-- Rollups by project and status as well, with all their counters as plain columns: what views, exports and SQL read.
-- In rows from before, `project` is empty and `status` 0 (nobody counted by them), and the columns that may be null are
-- null until the gateway has filled them from `figures`, at its next start.
CREATE TABLE rollups_minute_new (
    bucket_start_s     INTEGER NOT NULL,
    requested_model    TEXT    NOT NULL,
    provider           TEXT    NOT NULL,
    upstream_model     TEXT    NOT NULL,
    key_name           TEXT    NOT NULL,
    project            TEXT    NOT NULL,
    status             INTEGER NOT NULL,
    requests           INTEGER NOT NULL,
    errors             INTEGER NOT NULL,
    cancelled          INTEGER,
    streamed           INTEGER,
    cache_hits         INTEGER,
    input_tokens       INTEGER NOT NULL,
    cached_tokens      INTEGER,
    cache_write_tokens INTEGER,
    output_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER,
    unpriced           INTEGER,
    cost_nanos         INTEGER NOT NULL,
    -- Of answers from the cache: what they had taken and cost when an upstream gave them.
    saved_tokens       INTEGER,
    saved_nanos        INTEGER,
    shadows            INTEGER,
    shadow_cost_nanos  INTEGER,
    figures            BLOB    NOT NULL,
    PRIMARY KEY (bucket_start_s, requested_model, provider, upstream_model, key_name, project, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollups_hour_new (
    bucket_start_s     INTEGER NOT NULL,
    requested_model    TEXT    NOT NULL,
    provider           TEXT    NOT NULL,
    upstream_model     TEXT    NOT NULL,
    key_name           TEXT    NOT NULL,
    project            TEXT    NOT NULL,
    status             INTEGER NOT NULL,
    requests           INTEGER NOT NULL,
    errors             INTEGER NOT NULL,
    cancelled          INTEGER,
    streamed           INTEGER,
    cache_hits         INTEGER,
    input_tokens       INTEGER NOT NULL,
    cached_tokens      INTEGER,
    cache_write_tokens INTEGER,
    output_tokens      INTEGER NOT NULL,
    reasoning_tokens   INTEGER,
    unpriced           INTEGER,
    cost_nanos         INTEGER NOT NULL,
    saved_tokens       INTEGER,
    saved_nanos        INTEGER,
    shadows            INTEGER,
    shadow_cost_nanos  INTEGER,
    figures            BLOB    NOT NULL,
    PRIMARY KEY (bucket_start_s, requested_model, provider, upstream_model, key_name, project, status)
) STRICT, WITHOUT ROWID;

INSERT INTO rollups_minute_new (bucket_start_s, requested_model, provider, upstream_model, key_name, project, status,
    requests, errors, input_tokens, output_tokens, cost_nanos, figures)
SELECT bucket_start_s, requested_model, provider, upstream_model, key_name, '', 0,
    requests, errors, input_tokens, output_tokens, cost_nanos, figures
FROM rollups_minute;
INSERT INTO rollups_hour_new (bucket_start_s, requested_model, provider, upstream_model, key_name, project, status,
    requests, errors, input_tokens, output_tokens, cost_nanos, figures)
SELECT bucket_start_s, requested_model, provider, upstream_model, key_name, '', 0,
    requests, errors, input_tokens, output_tokens, cost_nanos, figures
FROM rollups_hour;
INSERT INTO settings (name, value, updated_at_us)
SELECT 'rollups_to_fill', '1', 0 WHERE EXISTS (SELECT 1 FROM rollups_hour) OR EXISTS (SELECT 1 FROM rollups_minute);

DROP TABLE rollups_minute;
ALTER TABLE rollups_minute_new RENAME TO rollups_minute;
DROP TABLE rollups_hour;
ALTER TABLE rollups_hour_new RENAME TO rollups_hour;

-- What is in each run of 256 rows of `requests` (`seq / 256`), so that the request log looks into those only in which a
-- search may find something. An index a column would cost each request several times as much: these rows are written
-- with the rollups, some dozens a block, and they are exact up to the same watermark. Whoever finds a block compares
-- its rows.
CREATE TABLE request_blocks (
    block            INTEGER PRIMARY KEY,
    first_started_us INTEGER NOT NULL,
    last_started_us  INTEGER NOT NULL
) STRICT;

CREATE TABLE request_block_names (
    -- key | project | model | provider | dialect | status | outcome | error | cache
    what  TEXT    NOT NULL,
    -- At most 100 characters of it. Of a status both `404` and `4xx`.
    name  TEXT    NOT NULL,
    block INTEGER NOT NULL,
    -- The blocks of a name, the latest first.
    PRIMARY KEY (what, name, block)
) STRICT, WITHOUT ROWID;

INSERT INTO request_blocks
SELECT seq / 256, min(started_at_us), max(started_at_us) FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark) GROUP BY seq / 256;
INSERT INTO request_block_names
SELECT DISTINCT 'key', substr(key_name, 1, 100), seq / 256 FROM requests
WHERE key_name IS NOT NULL AND seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'project', substr(project, 1, 100), seq / 256 FROM requests
WHERE project IS NOT NULL AND seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'model', substr(requested_model, 1, 100), seq / 256 FROM requests
WHERE requested_model IS NOT NULL AND seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'provider', substr(provider, 1, 100), seq / 256 FROM requests
WHERE provider IS NOT NULL AND seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'dialect', substr(dialect, 1, 100), seq / 256 FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'status', CAST(status AS TEXT), seq / 256 FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'status', (status / 100) || 'xx', seq / 256 FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'outcome', outcome, seq / 256 FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'error', error_kind, seq / 256 FROM requests
WHERE error_kind IS NOT NULL AND seq <= (SELECT seq FROM rollup_watermark);
INSERT INTO request_block_names
SELECT DISTINCT 'cache', cache, seq / 256 FROM requests
WHERE seq <= (SELECT seq FROM rollup_watermark);

-- As before, with the new columns at its end: the order of recording, and what the friendly units were made of. The
-- casts are for readers that ask what type a column has. The three views are a promise: docs/export.md.
DROP VIEW usage_requests;
CREATE VIEW usage_requests AS
SELECT
    CAST(lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
        || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS TEXT) AS id,
    CAST(strftime('%Y-%m-%dT%H:%M:%S', started_at_us / 1000000, 'unixepoch')
        || printf('.%06dZ', started_at_us % 1000000) AS TEXT) AS started_at,
    CAST(first_token_us / 1000.0 AS REAL) AS first_token_ms,
    CAST(latency_us / 1000.0 AS REAL) AS latency_ms,
    CAST(upstream_us / 1000.0 AS REAL) AS upstream_ms,
    key_name, client_address, dialect, endpoint, requested_model, provider, upstream_model,
    stream, outcome, status, error_kind, error_source, error_message, attempts,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    CAST(cost_nanos / 1e9 AS REAL) AS cost_usd,
    cache, finish_reason, bytes_in, bytes_out, usage_estimated, dropped, emulated,
    CAST(CASE WHEN shadow_of IS NOT NULL THEN
        lower(substr(hex(shadow_of), 1, 8) || '-' || substr(hex(shadow_of), 9, 4) || '-'
            || substr(hex(shadow_of), 13, 4) || '-' || substr(hex(shadow_of), 17, 4) || '-'
            || substr(hex(shadow_of), 21))
    END AS TEXT) AS shadow_of,
    guardrails, saved_tokens, CAST(saved_nanos / 1e9 AS REAL) AS saved_usd, project,
    seq, started_at_us, cost_nanos, saved_nanos
FROM requests;

CREATE VIEW usage_hourly AS
SELECT
    CAST(strftime('%Y-%m-%dT%H:00:00Z', bucket_start_s, 'unixepoch') AS TEXT) AS hour,
    CAST(nullif(requested_model, '') AS TEXT) AS requested_model,
    CAST(nullif(provider, '') AS TEXT) AS provider,
    CAST(nullif(upstream_model, '') AS TEXT) AS upstream_model,
    CAST(nullif(key_name, '') AS TEXT) AS key_name,
    CAST(nullif(project, '') AS TEXT) AS project,
    CAST(nullif(status, 0) AS INTEGER) AS status,
    requests, errors, cancelled, streamed, cache_hits,
    input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    cost_nanos, CAST(cost_nanos / 1e9 AS REAL) AS cost_usd, unpriced,
    saved_tokens, saved_nanos, shadows, shadow_cost_nanos,
    bucket_start_s AS hour_start_s
FROM rollups_hour;

CREATE VIEW usage_daily AS
SELECT
    CAST(date(bucket_start_s, 'unixepoch') AS TEXT) AS day,
    CAST(nullif(requested_model, '') AS TEXT) AS requested_model,
    CAST(nullif(provider, '') AS TEXT) AS provider,
    CAST(nullif(upstream_model, '') AS TEXT) AS upstream_model,
    CAST(nullif(key_name, '') AS TEXT) AS key_name,
    CAST(nullif(project, '') AS TEXT) AS project,
    CAST(nullif(status, 0) AS INTEGER) AS status,
    CAST(sum(requests) AS INTEGER) AS requests,
    CAST(sum(errors) AS INTEGER) AS errors,
    CAST(sum(cancelled) AS INTEGER) AS cancelled,
    CAST(sum(streamed) AS INTEGER) AS streamed,
    CAST(sum(cache_hits) AS INTEGER) AS cache_hits,
    CAST(sum(input_tokens) AS INTEGER) AS input_tokens,
    CAST(sum(cached_tokens) AS INTEGER) AS cached_tokens,
    CAST(sum(cache_write_tokens) AS INTEGER) AS cache_write_tokens,
    CAST(sum(output_tokens) AS INTEGER) AS output_tokens,
    CAST(sum(reasoning_tokens) AS INTEGER) AS reasoning_tokens,
    CAST(sum(cost_nanos) AS INTEGER) AS cost_nanos,
    CAST(sum(cost_nanos) / 1e9 AS REAL) AS cost_usd,
    CAST(sum(unpriced) AS INTEGER) AS unpriced,
    CAST(sum(saved_tokens) AS INTEGER) AS saved_tokens,
    CAST(sum(saved_nanos) AS INTEGER) AS saved_nanos,
    CAST(sum(shadows) AS INTEGER) AS shadows,
    CAST(sum(shadow_cost_nanos) AS INTEGER) AS shadow_cost_nanos,
    CAST(bucket_start_s / 86400 * 86400 AS INTEGER) AS day_start_s
FROM rollups_hour
GROUP BY bucket_start_s / 86400, rollups_hour.requested_model, rollups_hour.provider, rollups_hour.upstream_model,
    rollups_hour.key_name, rollups_hour.project, rollups_hour.status;
