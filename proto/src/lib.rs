//! The gateway's gRPC contract, generated from `ai_gateway.proto`.

/// Package `ai_gateway`: messages, client and server of the chat service.
#[allow(
    missing_debug_implementations,
    clippy::semicolon_if_nothing_returned,
    clippy::large_futures
)]
pub mod ai_gateway {
    tonic::include_proto!("ai_gateway");
}
