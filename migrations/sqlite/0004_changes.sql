-- What operators change while the gateway runs, never updated and never deleted. Of each kind and name the row with
-- the highest version holds in place of what the configuration file says.
CREATE TABLE changes (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    -- key | project | limit | budget | guardrail | system_prompt | cache | model
    kind          TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    -- 1, 2, … of each kind and name
    version       INTEGER NOT NULL,
    -- put: `value` holds; delete: there is none; reset: what the file says holds
    what          TEXT    NOT NULL,
    -- JSON
    value         TEXT,
    reason        TEXT,
    changed_by    TEXT    NOT NULL,
    changed_at_us INTEGER NOT NULL,
    -- SHA-256 of the row before's hash and of this row's values: nobody takes a row out unnoticed.
    hash          BLOB    NOT NULL
) STRICT;

-- What holds of a kind and name, and how it came to be; two changes never get the same version.
CREATE UNIQUE INDEX changes_version ON changes (kind, name, version);
