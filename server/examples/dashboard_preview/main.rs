//! Serves the dashboard over made-up figures, without a gateway: for looking at pages and for
//! page tests.
//!
//! ```text
//! cargo run -p server --example dashboard_preview -- 9090
//! ```
//!
//! Each scene of [`sample::Scene`] has a port of its own, from the given one on.

mod sample;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Extension;
use sample::{Sample, Scene};
use server::access::{Operator, Via};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let first: u16 = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 9090,
    };
    let mut servers = JoinSet::new();
    for (port, scene) in (first..).zip(Scene::ALL) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        println!("{scene:?}: http://{}/", listener.local_addr()?);
        let sample = Arc::new(Sample::new(scene));
        let operator = Operator::with_admin_token(Via::Session);
        let router = server::dashboard::router(sample.clone(), sample.policies.clone())
            .layer(Extension(operator));
        servers.spawn(async move { axum::serve(listener, router).await });
    }
    while let Some(ended) = servers.join_next().await {
        ended??;
    }
    Ok(())
}
