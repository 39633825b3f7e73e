//! `ai-gateway`: see `--help`.

mod memory;

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;

use anyhow::Context;
use server::app::{App, reachable};
use server::cli::{self, Command};
use server::config::{self, Loaded, Stamp};
use server::reload::{ConfigFile, Reload};
use server::telemetry::logs::Log;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    memory::set_up();
    // Where pages are huge, a heap's spare room is memory: with mimalloc, half as much again.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let choice = match cli::parse() {
        Command::Check(choice) => return cli::check(&choice),
        Command::Dump(choice) => return cli::dump(&choice),
        Command::Import(file) => return cli::import(&file),
        Command::VerifyAudit { database, includes } => {
            return cli::verify_audit(&database, includes.as_deref());
        }
        Command::Backup { database, to } => return cli::backup(&database, &to),
        Command::Restore { database, from } => return cli::restore(&database, &from),
        Command::Migrate { database, choice } => return cli::migrate(&database, &choice),
        Command::Serve(choice) => choice,
    };
    // Before it is read: what changes meanwhile is not missed.
    let stamp = Stamp::of(&choice);
    let loaded = match config::load(&choice) {
        Ok(loaded) => loaded,
        Err(errors) => return cli::refuse(&errors),
    };
    match run(&loaded, ConfigFile { choice, stamp }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(loaded: &Loaded, file: ConfigFile) -> anyhow::Result<()> {
    let log = Log::start(&loaded.config.logging)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // On one core a second thread could only take turns with the first.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut runtime = match cores {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    runtime.block_on(serve(loaded, file, log))
}

async fn serve(loaded: &Loaded, file: ConfigFile, log: Log) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let hung_up = signal(SignalKind::hangup())?;
    let app = App::start_logging(&loaded.config, log).await?;
    app.in_force.was_read(&loaded.effective).await;
    let reload = Reload::new(file, loaded.config.clone(), app.in_force.clone());
    let reloading = tokio::spawn(reload.run(hung_up));
    // Nobody may be reading: that is no reason not to serve.
    let _ = announce(loaded, &app);
    #[cfg(target_os = "linux")]
    if let Err(error) = memory::forget_start() {
        tracing::debug!(%error, "Code that only the start runs stays in memory");
    }
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    reloading.abort();
    tracing::info!("Shutting down: requests under way are finished first");
    tokio::select! {
        () = app.stop() => tracing::info!("Every record is written"),
        // A second signal is for those who cannot wait.
        _ = interrupted.recv() => tracing::warn!("Stopped before everything was finished"),
        _ = terminated.recv() => tracing::warn!("Stopped before everything was finished"),
    }
    Ok(())
}

/// Where everything is, and a first request to try.
fn announce(loaded: &Loaded, app: &App) -> std::io::Result<()> {
    let clients = reachable(app.client_address);
    let operators = reachable(app.admin_address);
    let login = match &app.token_to_show {
        Some(token) => format!("http://{operators}/login?token={token}"),
        None => format!("http://{operators}/login"),
    };
    let config = &loaded.config;
    let simulated = config.providers.iter().filter(|provider| provider.enabled);
    let only_simulated = simulated
        .clone()
        .all(|provider| llm::providers::find(&provider.kind).is_some_and(|kind| kind.simulated));
    let provider = simulated.clone().find(|provider| provider.default);
    let model = provider
        .or_else(|| simulated.clone().next())
        .and_then(|provider| provider.model.clone())
        .or_else(|| config.models.first().map(|model| model.name.clone()))
        .unwrap_or_else(|| "MODEL".to_owned());
    let open = app.gateway.policies().keys.is_open();
    let key = match open {
        false => " -H 'authorization: Bearer YOUR_KEY'",
        true => "",
    };

    let mut out = std::io::stdout().lock();
    writeln!(out, "AI gateway {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out)?;
    writeln!(out, "  Clients    http://{clients}/v1")?;
    writeln!(out, "  Dashboard  {login}")?;
    writeln!(out, "  Database   {}", app.store.path().display())?;
    if only_simulated {
        writeln!(
            out,
            "  Providers  simulated only: replies are made up, nothing leaves this machine"
        )?;
    }
    if open && !app.client_address.ip().is_loopback() {
        writeln!(
            out,
            "  Warning    no client keys: whoever reaches port {} is served",
            clients.port()
        )?;
    }
    writeln!(out)?;
    writeln!(out, "  Try it:")?;
    writeln!(
        out,
        "  curl http://{clients}/v1/chat/completions{key} -H 'content-type: application/json' \
         -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'"
    )?;
    writeln!(out)?;
    out.flush()
}
