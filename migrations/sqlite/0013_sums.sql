-- Sums of the hours and days that are summed up, told apart by some of what rollups are apart by: those sets of columns
-- that leave only few groups. A question about few columns reads these groups instead of each rollup. It replaces the
-- totals of hours, which are the sums by nothing.
DROP TABLE hour_totals;

-- It has no columns for the names: an hour's groups are read together or not at all, and come as one value. As it is large,
-- the table has a rowid: the choice among an hour's sums is made in the index.
CREATE TABLE rollup_sums (
    -- 3600 or 86400.
    width_s        INTEGER NOT NULL,
    bucket_start_s INTEGER NOT NULL,
    -- The sum of what they are apart by: 1 requested_model, 2 provider, 4 upstream_model, 8 key_name, 16 project,
    -- 32 status.
    dimensions     INTEGER NOT NULL,
    groups         INTEGER NOT NULL,
    -- Of each group its values, in the order above, and its figures, each with its length before it: `6:gpt-4o3:200...`
    sums           BLOB    NOT NULL,
    PRIMARY KEY (width_s, bucket_start_s, dimensions)
) STRICT;

-- The gateway sums them up again, the latest first. Until then they are made of their hours.
DELETE FROM summed_up_days;
