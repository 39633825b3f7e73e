-- One row a request. Written by the gateway's one writer, in batches; never updated.
-- Times are microseconds since the Unix epoch (UTC), durations microseconds since started_at_us,
-- money billionths of a US dollar. `usage_requests` shows the same in friendlier units.
CREATE TABLE requests (
    -- The order of insertion, never used twice (AUTOINCREMENT): rollups remember how far they got.
    seq                INTEGER PRIMARY KEY AUTOINCREMENT,
    -- UUIDv7, 16 bytes; also the reply's x-request-id. The unique index makes writing a record
    -- twice harmless; version 7 ids come in order, so the index only ever grows at its end.
    id                 BLOB    NOT NULL UNIQUE,
    started_at_us      INTEGER NOT NULL,
    first_token_us     INTEGER,
    latency_us         INTEGER NOT NULL,
    upstream_us        INTEGER NOT NULL,
    key_name           TEXT,
    client_address     TEXT,
    dialect            TEXT    NOT NULL,
    endpoint           TEXT    NOT NULL,
    requested_model    TEXT,
    provider           TEXT,
    upstream_model     TEXT,
    stream             INTEGER NOT NULL,
    -- finished | failed | cancelled
    outcome            TEXT    NOT NULL,
    status             INTEGER NOT NULL,
    error_kind         TEXT,
    error_source       TEXT,
    error_message      TEXT,
    -- JSON: [{provider, model, started_us, duration_us, status, error_kind}, …]
    attempts           TEXT    NOT NULL,
    -- Token counts are null when the upstream did not say.
    input_tokens       INTEGER,
    cached_tokens      INTEGER,
    cache_write_tokens INTEGER,
    output_tokens      INTEGER,
    reasoning_tokens   INTEGER,
    cost_nanos         INTEGER,
    -- bypass | hit | miss
    cache              TEXT    NOT NULL,
    finish_reason      TEXT,
    bytes_in           INTEGER NOT NULL,
    bytes_out          INTEGER NOT NULL
) STRICT;

-- For people: text ids, ISO times, milliseconds, dollars.
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
    cache, finish_reason, bytes_in, bytes_out
FROM requests;

-- Figures of a minute of traffic, by what was asked for, who answered and who asked. Derived from
-- `requests`, kept longer. An absent name is the empty string. `figures` is the gateway's own
-- compact form of all counters and latency histograms; the plain columns repeat what is asked in
-- SQL most.
-- The primary key is the only index: every question is about a range of time.
CREATE TABLE rollups_minute (
    bucket_start_s  INTEGER NOT NULL,
    requested_model TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    upstream_model  TEXT    NOT NULL,
    key_name        TEXT    NOT NULL,
    requests        INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cost_nanos      INTEGER NOT NULL,
    figures         BLOB    NOT NULL,
    PRIMARY KEY (bucket_start_s, requested_model, provider, upstream_model, key_name)
) STRICT, WITHOUT ROWID;

-- The same by the hour, for long ranges.
CREATE TABLE rollups_hour (
    bucket_start_s  INTEGER NOT NULL,
    requested_model TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    upstream_model  TEXT    NOT NULL,
    key_name        TEXT    NOT NULL,
    requests        INTEGER NOT NULL,
    errors          INTEGER NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cost_nanos      INTEGER NOT NULL,
    figures         BLOB    NOT NULL,
    PRIMARY KEY (bucket_start_s, requested_model, provider, upstream_model, key_name)
) STRICT, WITHOUT ROWID;

-- One row: rollups contain exactly the requests up to this seq.
CREATE TABLE rollup_watermark (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seq      INTEGER NOT NULL
) STRICT;
INSERT INTO rollup_watermark (only_row, seq) VALUES (1, 0);

-- What the gateway remembers about itself, by name. No secrets: the admin token is in a file of its
-- own beside the database.
CREATE TABLE settings (
    name          TEXT PRIMARY KEY,
    value         TEXT    NOT NULL,
    updated_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
