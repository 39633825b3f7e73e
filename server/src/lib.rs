//! The gateway: one process between applications and language models. ARCHITECTURE.md has the map.

pub mod access;
pub mod admin;
pub mod app;
pub mod auth;
pub mod availability;
pub mod budget_alerts;
pub mod budgets;
pub mod cache;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod egress;
pub mod gateway;
pub mod guardrails;
pub mod health_checks;
pub mod in_force;
pub mod ingress;
pub mod limits;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod payloads;
pub mod policies;
pub mod recording;
pub mod reload;
pub mod routes;
pub mod routing;
pub mod secrets;
pub mod selection;
pub mod serve;
pub mod store;
pub mod system_prompt;
mod tasks;
pub mod telemetry;
pub mod transport;
