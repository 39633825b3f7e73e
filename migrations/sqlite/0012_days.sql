-- Sums of whole days, UTC, so that a long range is a few rows. Nothing is written here while requests come: a day is summed
-- up from its hours once it is over, also those from before this table, one after the other while the gateway runs.
CREATE TABLE rollups_day (
    bucket_start_s  INTEGER NOT NULL,
    requested_model TEXT    NOT NULL,
    provider        TEXT    NOT NULL,
    upstream_model  TEXT    NOT NULL,
    key_name        TEXT    NOT NULL,
    project         TEXT    NOT NULL,
    status          INTEGER NOT NULL,
    -- As those of hours. Who reads in SQL has `usage_daily`.
    figures         BLOB    NOT NULL,
    PRIMARY KEY (bucket_start_s, requested_model, provider, upstream_model, key_name, project, status)
) STRICT, WITHOUT ROWID;

-- All of an hour together, of days that are summed up: what is not told apart but by the time.
CREATE TABLE hour_totals (
    bucket_start_s INTEGER PRIMARY KEY,
    figures        BLOB NOT NULL
) STRICT;

-- The days for which these tables hold exactly the sums of `rollups_hour`. All others are made of their hours. Whoever
-- changes an hour takes its day out, in the same transaction.
CREATE TABLE summed_up_days (
    bucket_start_s INTEGER PRIMARY KEY
) STRICT;
