//! Commands that may take so long and no longer.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

/// How much of a command's output its failure repeats.
const LAST_LINES: usize = 40;
/// How long output may still come once the command itself has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// Runs `part` to its end, showing what it says. When `limit` is over, it is killed with all that it
/// has started, as far as that has not left its process group.
///
/// # Errors
/// It failed or was killed: the error names the part and, for one that was killed, repeats the last
/// lines of its output.
pub fn run_within(part: &str, command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| {
            let program = command.get_program().to_string_lossy();
            format!("{part}: cannot run {program}")
        })?;
    let tail = Tail::default();
    let streams = [
        child
            .stdout
            .take()
            .map(|from| tail.follow(from, std::io::stdout())),
        child
            .stderr
            .take()
            .map(|from| tail.follow(from, std::io::stderr())),
    ];
    let ended = wait(&mut child, limit)?;
    if ended.is_none() {
        kill_process_group(Pid::from_child(&child), Signal::KILL)
            .with_context(|| format!("{part}: cannot be killed"))?;
        child.wait()?;
    }
    // Whoever has left the group may keep the pipes open.
    let until = Instant::now() + DRAIN;
    while streams.iter().flatten().any(|stream| !stream.is_finished()) && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    match ended {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{part} failed: {status}"),
        None => bail!(
            "{part} was not done after {limit:?} and has been killed; the last it said:\n{}",
            tail.text()
        ),
    }
}

/// Its exit status, unless it still runs after `limit`.
pub(super) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The last lines of some streams together.
#[derive(Clone, Debug, Default)]
struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    /// Copies a stream line by line, and remembers the last ones.
    fn follow(
        &self,
        from: impl Read + Send + 'static,
        mut to: impl Write + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let tail = self.clone();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while matches!(from.read_until(b'\n', &mut line), Ok(1..)) {
                // Nobody may be looking: what was said still counts.
                let _ = to.write_all(&line).and_then(|()| to.flush());
                tail.push(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            }
        })
    }

    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LAST_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::test_kill_process;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn shell(script: &str, limit: Duration) -> Result<()> {
        run_within("the part", Command::new("sh").args(["-c", script]), limit)
    }

    #[test]
    fn what_ends_in_time_is_judged_by_its_status() {
        shell("echo said", SOON).expect("success");
        let error = shell("exit 3", SOON).expect_err("a failure").to_string();
        assert!(error.starts_with("the part failed"), "{error}");
        assert!(error.contains('3'), "{error}");
    }

    #[test]
    fn what_hangs_is_killed_with_all_that_it_started() {
        let script = "echo begun; sleep 600 & echo $! >&2; wait";
        let before = Instant::now();
        let error = shell(script, Duration::from_millis(500))
            .expect_err("it hangs")
            .to_string();
        assert!(before.elapsed() < SOON);
        assert!(error.starts_with("the part was not done"), "{error}");
        assert!(error.contains("begun"), "{error}");
        let pid: i32 = error
            .lines()
            .find_map(|line| line.parse().ok())
            .expect("the pid of `sleep`");
        let pid = Pid::from_raw(pid).expect("a pid");
        while is_running(pid) {
            assert!(before.elapsed() < SOON, "`sleep` lives on");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// A zombie that nobody has collected has ended, too.
    fn is_running(pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        test_kill_process(pid).is_ok() && !stat.is_ok_and(|stat| stat.contains(") Z "))
    }

    #[test]
    fn output_that_is_held_open_from_outside_does_not_hold_up() {
        // `setsid` leaves the process group.
        let before = Instant::now();
        shell("setsid sleep 30 & exit 0", SOON).expect("success");
        assert!(before.elapsed() < SOON);
    }

    #[test]
    fn the_last_lines_are_kept() {
        let tail = Tail::default();
        for number in 0..LAST_LINES + 5 {
            tail.push(format!("{number}\n"));
        }
        assert!(tail.text().starts_with("5\n"));
        assert_eq!(tail.text().lines().count(), LAST_LINES);
    }
}
