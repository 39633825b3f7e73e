//! Processes that end when their owner does.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::limited::wait;

/// A server in the background, its output in a file.
#[derive(Debug)]
pub struct Server {
    pub name: String,
    pub port: u16,
    pub log: PathBuf,
    child: Child,
}

impl Server {
    /// Starts `program` in `folder`; `configure` adds arguments and variables.
    pub fn start(
        name: &str,
        program: &Path,
        folder: &Path,
        port: u16,
        configure: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let log = folder.join("log");
        let file = File::create(&log)?;
        let mut command = bound_to_this_process(program.as_os_str());
        for (variable, _) in std::env::vars_os() {
            // What a developer has set for their own gateway is not for these.
            if variable.to_string_lossy().starts_with("GATEWAY_") {
                command.env_remove(variable);
            }
        }
        configure(&mut command);
        let child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            name: name.to_owned(),
            port,
            log,
            child,
        })
    }

    /// Waits until a GET of `path` is answered with 200.
    pub fn wait(&mut self, path: &str) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !answers(self.port, path) {
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > deadline {
                let how = ended.map_or("is not ready after 30 s".to_owned(), |status| {
                    format!("ended with {status}")
                });
                bail!("{} {how}; it said:\n{}", self.name, self.said());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until it has written a whole line with a word that contains `part`, and gives that
    /// word: a gateway serves before it says where.
    pub fn wait_to_say(&mut self, part: &str) -> Result<String> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let ended = self.child.try_wait()?.is_some();
            let said = self.said();
            let whole = said.rfind('\n').map_or("", |end| &said[..end]);
            if let Some(word) = whole.split_whitespace().find(|word| word.contains(part)) {
                return Ok(word.to_owned());
            }
            if ended || Instant::now() > deadline {
                bail!("{} does not say `{part}`; it said:\n{said}", self.name);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything it wrote so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to stop, as an operator would, and waits until it has.
    pub fn stop(mut self) -> Result<ExitStatus> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        match wait(&mut self.child, Duration::from_secs(20))? {
            Some(status) => Ok(status),
            None => bail!("{} has not stopped 20 s after SIGTERM", self.name),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that the kernel kills when this process is killed, where `setpriv` is there to say so.
pub fn bound_to_this_process(program: &OsStr) -> Command {
    if Command::new("setpriv").arg("--version").output().is_ok() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        return command;
    }
    Command::new(program)
}

/// A port of the loopback interface that nobody uses now.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(start.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
