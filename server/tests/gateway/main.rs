//! The gateway from outside: the real thing over a temporary database, one file a behaviour.

mod admin;
mod auth;
mod body;
mod carried;
mod drain;
mod errors;
mod failover;
mod hang_up;
mod models;
mod recording;
mod storage;
mod streaming;
mod test_app;
mod timeouts;
mod tls;
mod upstream;
