//! Every client's dialect in front of every upstream's protocol, behaviour by behaviour.
//!
//! What is said is data, in the protocols' own words: `requests/` holds what a client writes and what its
//! upstream must then be sent, `replies/` what an upstream answers and what the client must then be told.
//! Both are written from the protocols' documentation. A cell is good, or says why it cannot be.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod collected;
mod expect;
mod gateway;
mod protocols;
mod replies;
mod requests;
mod table;
mod turns;

use table::Table;

#[test]
fn every_cell() {
    let mut table = Table::default();
    requests::fill(&mut table);
    replies::fill(&mut table);
    let failures = table.failures();
    assert!(
        failures.is_empty(),
        "{} cells fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
    table.check_docs();
}
