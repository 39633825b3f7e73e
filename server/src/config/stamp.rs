//! Noticing that the configuration file was changed.

use std::path::PathBuf;

use super::file::{Choice, choose, places_of_others};
use super::reading::Environment;

/// Which file the configuration is in, and how that looks from outside.
///
/// Looked at anew each time, links followed: a file that was renamed over the old one, a link that leads elsewhere
/// (as Kubernetes swaps a ConfigMap's), and a `config/default.toml` that was not there before give another stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    path: Option<PathBuf>,
    state: Option<State>,
}

/// Device, inode, length, and when content and inode were last changed, in nanoseconds.
#[cfg(unix)]
type State = (u64, u64, u64, i128, i128);
/// Length and when the content was last changed.
#[cfg(not(unix))]
type State = (u64, Option<std::time::SystemTime>);

impl Stamp {
    /// That of the file that [`load`](super::load()) would read now.
    pub fn of(choice: &Choice) -> Self {
        let environment = Environment::of_process();
        let chosen = choose(choice, &environment).ok().flatten();
        let path = chosen.map(|(path, _)| path);
        let elsewhere = || places_of_others(&environment).into_iter().next();
        let path = path.or_else(|| elsewhere().filter(|_| *choice == Choice::Found));
        let metadata = path
            .as_deref()
            .and_then(|path| std::fs::metadata(environment.resolve(path)).ok());
        Self {
            path,
            state: metadata.as_ref().map(state),
        }
    }

    /// Whether there is such a file.
    pub fn is_there(&self) -> bool {
        self.state.is_some()
    }
}

#[cfg(unix)]
fn state(metadata: &std::fs::Metadata) -> State {
    use std::os::unix::fs::MetadataExt;
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    (
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        nanos(metadata.mtime(), metadata.mtime_nsec()),
        nanos(metadata.ctime(), metadata.ctime_nsec()),
    )
}

#[cfg(not(unix))]
fn state(metadata: &std::fs::Metadata) -> State {
    (metadata.len(), metadata.modified().ok())
}
