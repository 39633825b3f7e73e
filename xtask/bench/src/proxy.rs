//! The processes under test: the gateway and nginx, each on the measured core.

use std::{
    fmt::Write as _,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    load::Target,
    measure::{Processes, pin},
};

/// The core of the process under test, and that of the mock upstream and the load.
pub const CORES: [usize; 2] = [0, 1];

/// A running proxy; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    pub started: Instant,
    is_nginx: bool,
    child: Child,
    folder: TempDir,
}

impl Proxy {
    /// Starts the gateway with its defaults, a fresh SQLite file, and the mock as its provider.
    /// `policies` is added to its configuration.
    pub fn gateway(
        binary: &Path,
        upstream: SocketAddr,
        models: &[&str],
        policies: &str,
    ) -> Result<Self> {
        let folder = TempDir::new()?;
        let (port, admin) = (free_port()?, free_port()?);
        let mut config = format!(
            "[server]\nport = {port}\n\n[admin]\nport = {admin}\n\n\
             [database]\nurl = \"sqlite:{}\"\n\n\
             [[providers]]\nname = \"mock\"\nkind = \"openai-compatible\"\n\
             base_url = \"http://{upstream}/v1\"\napi_key = \"sk-upstream\"\nmodel = \"unary\"\n",
            folder.path().join("gateway.db").display()
        );
        for model in models {
            let _ = write!(
                config,
                "\n[[models]]\nname = \"{model}\"\n\
                 targets = [{{ provider = \"mock\", model = \"{model}\" }}]\n"
            );
        }
        let _ = write!(config, "\n{policies}");
        let path = folder.path().join("gateway.toml");
        fs::write(&path, config)?;
        let mut command = Command::new(binary);
        command.arg("--config").arg(path);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GATEWAY_") {
                command.env_remove(name);
            }
        }
        Self::start(command, port, folder)
    }

    /// Starts nginx as a plain reverse proxy: one worker, kept-alive upstream connections, no
    /// access log, no buffering for streams, buffers that hold a megabyte of request.
    pub fn nginx(binary: &Path, upstream: SocketAddr) -> Result<Self> {
        let folder = TempDir::new()?;
        let port = free_port()?;
        // nginx's worker gives its rights away and still has to write here.
        let at = folder.path().display();
        let path = folder.path().join("nginx.conf");
        fs::write(&path, nginx_config(&at.to_string(), port, upstream))?;
        let mut command = Command::new(binary);
        command.arg("-p").arg(folder.path()).arg("-c").arg(path);
        let mut proxy = Self::start(command, port, folder)?;
        proxy.is_nginx = true;
        Ok(proxy)
    }

    fn start(mut command: Command, port: u16, folder: TempDir) -> Result<Self> {
        let log = File::create(folder.path().join("log"))?;
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        pin(CORES[0])?;
        let started = Instant::now();
        let child = command.spawn();
        pin(CORES[1])?;
        let child = child.with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            started,
            is_nginx: false,
            child,
            folder,
        })
    }

    /// Waits until the port is open; a process that ended is an error with what it printed.
    pub fn wait(&mut self) -> Result<()> {
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status} at its start:\n{}", self.log());
            }
            if self.started.elapsed() > Duration::from_secs(20) {
                bail!("its port is not open after 20 s:\n{}", self.log());
            }
            thread::sleep(Duration::from_micros(300));
        }
        Ok(())
    }

    /// As something to send requests to.
    pub fn target(&self) -> Target {
        Target {
            address: self.address,
            processes: Some(Processes::of(self.child.id())),
            is_nginx: self.is_nginx,
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let start = log.len().saturating_sub(2000);
        log.get(start..).unwrap_or(&log).to_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// nginx, where it is installed.
pub fn find_nginx() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join("nginx"))
        .find(|file| file.is_file())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn nginx_config(folder: &str, port: u16, upstream: SocketAddr) -> String {
    format!(
        r#"daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 100000000;
    client_max_body_size 32m;
    client_body_buffer_size 2m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream mock {{
        server {upstream};
        keepalive 512;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location /v1/ {{ proxy_pass http://mock; }}
        location /stream/ {{ proxy_pass http://mock/; proxy_buffering off; }}
    }}
}}
"#
    )
}
