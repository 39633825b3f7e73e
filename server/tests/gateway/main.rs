//! The gateway from outside: the real thing over a temporary database, one file a behaviour.

mod admin;
mod auth;
mod body;
mod carried;
mod dialects;
mod drain;
mod edits;
mod errors;
mod failover;
mod fault_matrix;
mod forwarded;
mod hang_up;
mod losses;
mod metrics;
mod models;
mod operations;
mod recording;
mod storage;
mod streaming;
mod test_app;
mod timeouts;
mod tls;
mod uploads;
mod upstream;
