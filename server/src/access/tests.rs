//! Sessions, as time goes by.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{SubsecRound as _, Utc};
use tempfile::TempDir;

use super::{Access, AdminToken, Lifetimes, Verdict, Visitor};
use crate::store::Store;

const TOKEN: &str = "the-right-admin-token";

async fn access(folder: &TempDir, token: &str, lifetimes: Lifetimes) -> Arc<Access> {
    let url = format!("sqlite:{}", folder.path().join("gateway.db").display());
    let store = Store::open(&url).await.unwrap();
    let token = AdminToken::configured(token);
    Arc::new(Access::open(store, token, lifetimes).await.unwrap())
}

fn visitor() -> Visitor {
    Visitor {
        address: Ipv4Addr::LOCALHOST.into(),
        browser: None,
        session: None,
    }
}

fn lifetimes(absolute: u64, idle: u64) -> Lifetimes {
    Lifetimes {
        absolute: Duration::from_secs(absolute),
        idle: Duration::from_secs(idle),
    }
}

async fn log_in(access: &Arc<Access>) -> String {
    match access.log_in_with_token(&visitor(), TOKEN).await {
        Verdict::Right(entered) => entered.secret,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_old_and_when_it_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    for (absolute, idle) in [(0, 60), (60, 0)] {
        let access = access(&folder, TOKEN, lifetimes(absolute, idle)).await;
        let secret = log_in(&access).await;
        assert!(access.by_session(&secret).is_none(), "{absolute} {idle}");
        access.keep_up().await;
        assert!(access.store.sessions().await.unwrap().is_empty());
        access.store.close().await;
    }
}

#[tokio::test]
async fn sessions_outlive_the_process_but_not_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let first = access(&folder, TOKEN, lifetimes(60, 60)).await;
    let (kept, ended) = (log_in(&first).await, log_in(&first).await);
    first.log_out(&ended).await;
    assert!(first.by_session(&ended).is_none());
    first.store.close().await;

    let second = access(&folder, TOKEN, lifetimes(60, 60)).await;
    assert_eq!(second.by_session(&kept).unwrap().as_str(), "admin");
    assert!(second.by_session(&ended).is_none());
    second.store.close().await;

    let third = access(&folder, "another-admin-token", lifetimes(60, 60)).await;
    assert!(third.by_session(&kept).is_none(), "another token");
    third.store.close().await;
}

#[tokio::test]
async fn uses_are_written_now_and_then() {
    let folder = tempfile::tempdir().unwrap();
    let access = access(&folder, TOKEN, lifetimes(60, 60)).await;
    let secret = log_in(&access).await;
    // Kept in whole microseconds.
    let before = Utc::now().trunc_subsecs(6);
    assert!(access.by_session(&secret).is_some());
    access.keep_up().await;
    let sessions = access.store.sessions().await.unwrap();
    assert!(sessions[0].last_used.get() >= Some(before));
    access.store.close().await;
}
