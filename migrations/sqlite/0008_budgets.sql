-- What was used of each quota and budget, in each of its periods. Written from the ledger beside the database
-- (`<database>.ledger`), which has what came since: see `budget_journal`.
CREATE TABLE budget_accounts (
    -- budget | key | project: whose it is, and its name
    owner              TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    -- What is counted apart (a key, a model, an address …); empty: nothing is.
    subject            TEXT    NOT NULL,
    -- day | week | month | total
    period             TEXT    NOT NULL,
    -- The period's first day by the operator's clock, as 2026-11-21; empty: all time.
    first_day          TEXT    NOT NULL,
    requests           INTEGER NOT NULL,
    tokens             INTEGER NOT NULL,
    -- Billionths of a US dollar.
    cost_nanos         INTEGER NOT NULL,
    -- Of these: what nobody told, at the most that it may have been.
    uncertain_requests INTEGER NOT NULL,
    uncertain_tokens   INTEGER NOT NULL,
    uncertain_nanos    INTEGER NOT NULL,
    -- The highest percentage of each amount that an alert told.
    told_requests      INTEGER NOT NULL,
    told_tokens        INTEGER NOT NULL,
    told_cost          INTEGER NOT NULL,
    updated_at_us      INTEGER NOT NULL,
    PRIMARY KEY (owner, name, subject, period, first_day)
) STRICT, WITHOUT ROWID;

-- One row: `budget_accounts` contains exactly the records of the ledger up to here, in the same transaction.
CREATE TABLE budget_journal (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    generation INTEGER NOT NULL,
    position   INTEGER NOT NULL
) STRICT;
INSERT INTO budget_journal (only_row, generation, position) VALUES (1, 0, 0);

-- Each alert that there was.
CREATE TABLE budget_events (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us     INTEGER NOT NULL,
    owner     TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    period    TEXT    NOT NULL,
    first_day TEXT    NOT NULL,
    -- requests | tokens | dollars (these in billionths)
    what      TEXT    NOT NULL,
    percent   INTEGER NOT NULL,
    used      INTEGER NOT NULL,
    allowed   INTEGER NOT NULL
) STRICT;
