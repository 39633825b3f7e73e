//! What the request log, usage queries and exports take, and whether the writer keeps up.
//!
//! ```sh
//! cargo run --release -p server --example analytics_bench -- 1000000
//! cargo run --release -p server --example analytics_bench -- 1000000 usage
//! ```
//!
//! Each part can be run alone: `log`, `exports`, `usage`, `sustained`.

mod exports;
mod filled;
mod log;
mod process;
mod record;
mod recorder;
mod sustained;
mod usage;

use std::path::Path;

use server::store::Store;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows = arguments.next();
    let rows: i64 = rows.map_or(1_000_000, |rows| rows.parse().expect("a number of rows"));
    let parts: Vec<String> = arguments.collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let folder = std::env::temp_dir().join(format!("analytics_bench-{}", std::process::id()));
    if wanted("log") || wanted("exports") {
        let store = filled::store(&folder, rows).await;
        if wanted("log") {
            log::run(&store, rows).await;
        }
        if wanted("exports") {
            exports::run(&store, rows).await;
        }
        store.close().await;
    }
    if wanted("usage") {
        usage::run(&folder).await;
    }
    if wanted("sustained") {
        sustained::run(&folder).await;
    }
    std::fs::remove_dir_all(&folder).expect("the folder was made above");
}

async fn open(folder: &Path, name: &str) -> Store {
    let url = format!("sqlite:{}", folder.join(name).display());
    Store::open(&url).await.expect("a temporary file")
}
