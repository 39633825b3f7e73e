//! The project's own build tool: `cargo xtask build | serve | test | soak | fuzz | bench | profile`.
//!
//! What it needs is in the package registries; nothing has to be installed by hand beside a Rust
//! toolchain and a C compiler.

mod bench;
mod build;
mod cargo;
mod fuzz;
mod pgo;
mod serve;
mod site;
mod soak;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cargo::Profile;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the dashboard's site and the `ai-gateway` binary
    Build {
        /// Optimise, and put the site into the binary
        #[arg(long)]
        release: bool,
        /// Build the binary for another target, such as x86_64-unknown-linux-musl
        #[arg(long, value_name = "TRIPLE")]
        target: Option<String>,
    },
    /// Build, then run the gateway; what follows `--` goes to it
    Serve {
        /// Optimise, and put the site into the binary
        #[arg(long)]
        release: bool,
        /// Arguments for `ai-gateway`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Run every test, or one part of them
    Test {
        #[arg(value_enum, default_value = "all")]
        part: test::Part,
    },
    /// Let many clients ask for minutes, while targets fail and recover
    Soak(soak::Soak),
    /// Run every fuzz target for a while, or one of them
    Fuzz {
        /// For each target
        #[arg(long, default_value_t = 30)]
        seconds: u32,
        target: Option<String>,
    },
    /// Measure the release build beside nginx; `cargo xtask bench --help` has the options
    #[command(disable_help_flag = true)]
    Bench {
        /// [--quick] [--only SCENARIO] [--json FILE]
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Note what requests run through, for release builds to be optimised by
    Profile,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Build { release, target } => {
            let binary = build::build(Profile::chosen(release), target.as_deref())?;
            eprintln!("xtask: built {}", binary.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve { release, args } => serve::serve(Profile::chosen(release), &args),
        Command::Test { part } => test::test(part),
        Command::Soak(soak) => soak::soak(&soak),
        Command::Fuzz { seconds, target } => fuzz::fuzz(seconds, target.as_deref()),
        Command::Bench { args } => bench::bench(&args),
        Command::Profile => pgo::profile(),
    }
}
