-- Requests and replies that an operator wants logged, in a file of their own beside the database. What is equal is there
-- once: a conversation that is sent again with each turn takes a turn's room each time, not the whole conversation's.

-- Bytes, each once.
CREATE TABLE pieces (
    id      INTEGER PRIMARY KEY,
    -- 16 bytes of the content's SHA-256. Unique: what is there already is found by it.
    hash    BLOB    NOT NULL UNIQUE,
    -- How many nodes and payloads have it; at 0 it goes.
    refs    INTEGER NOT NULL,
    -- 0: content is as it was; 1: zstd.
    coding  INTEGER NOT NULL,
    content BLOB    NOT NULL
) STRICT;

-- Conversations as a tree: a node is a message after all those that its parents are.
CREATE TABLE nodes (
    id     INTEGER PRIMARY KEY,
    -- 16 bytes of the SHA-256 of the parent's key and the message's hash. Unique: the longest beginning of a
    -- conversation that is there already is found by it.
    key    BLOB    NOT NULL UNIQUE,
    parent INTEGER,
    piece  INTEGER NOT NULL,
    -- How many nodes come after it and payloads end with it; at 0 it goes.
    refs   INTEGER NOT NULL
) STRICT;

CREATE TABLE payloads (
    -- The request's id, 16 bytes: in the order of time.
    id            BLOB    PRIMARY KEY,
    at_us         INTEGER NOT NULL,
    -- Bytes as they went over the wire, before anything was masked or cut off.
    request_bytes INTEGER NOT NULL,
    reply_bytes   INTEGER NOT NULL,
    -- 1: more came than is kept.
    request_cut   INTEGER NOT NULL,
    reply_cut     INTEGER NOT NULL,
    -- 1: a stream, put together.
    streamed      INTEGER NOT NULL,
    -- The request around its messages, which are those up to `node`; `head` is how many bytes come before them.
    envelope      INTEGER NOT NULL,
    head          INTEGER NOT NULL,
    node          INTEGER,
    -- Null: there was none, or none that is text.
    reply         INTEGER
) STRICT, WITHOUT ROWID;
