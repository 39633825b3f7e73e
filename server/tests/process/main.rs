//! The binary itself: what it prints, how it ends, and what survives when it is not asked to.

mod audit;
mod backup;
mod budgets;
mod disk_full;
mod failover;
mod killed;
mod logging;
mod process;
mod reloaded;
mod secrets;
mod soak;
mod start;
mod terminated;
