//! `gorgen-backup`: the operator's command line.
//!
//! Wiring only: arguments and environment become settings, settings become ports, one engine job is
//! called, and what it reports is shown. Exit status: 0 done; 1 failed; 2 usage or settings; 3 integrity
//! problem found; 4 refused.

mod args;
mod commands;
mod failure;
mod output;
mod progress;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{args::Args, failure::Failure, output::Output};

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output::new(args.options.json);
    start_log();
    match run(args, &output) {
        Ok(code) => code,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(args: Args, output: &Output) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| Failure::io("start the program's threads", source))?;
    runtime.block_on(commands::run(args.command, &args.options, output))
}

/// Warnings of the libraries, on stderr; more with `RUST_LOG`.
fn start_log() {
    let filter =
        EnvFilter::builder().with_default_directive(tracing::Level::ERROR.into()).from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
