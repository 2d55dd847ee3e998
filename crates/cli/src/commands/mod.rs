//! One file a command: what it calls, and how its result reads.

mod backup;
mod cleanup;
mod doctor;
mod export;
mod import_legacy;
mod keys;
mod list;
mod prepare;
mod promote;
mod report;
mod restore;
mod restore_test;
mod show;
mod status;
mod verify;

use std::process::ExitCode;

use crate::{
    args::{Command, Keys, Options},
    failure::Failure,
    output::Output,
    wiring,
};

/// Does what was asked.
pub(crate) async fn run(
    command: Command,
    options: &Options,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let settings = || wiring::settings(options);
    match command {
        Command::Backup(args) => backup::run(&args, &settings()?, output).await,
        Command::List => list::run(&settings()?, output).await,
        Command::Show(args) => show::run(&args, &settings()?, output).await,
        Command::Verify(args) => verify::run(&args, &settings()?, output).await,
        Command::Restore(args) => restore::run(*args, &settings()?, output).await,
        Command::RestoreTest(args) => restore_test::run(&args, &settings()?, output).await,
        Command::Promote(args) => promote::promote(&args, &settings()?, output).await,
        Command::Undo(args) => promote::undo(&args, &settings()?, output).await,
        Command::Cancel(args) => promote::cancel(&args, &settings()?, output).await,
        Command::Status => status::run(&settings()?, output).await,
        Command::Cleanup(args) => cleanup::run(&args, &settings()?, output).await,
        Command::Pin(args) => cleanup::pin(&args, &settings()?, output).await,
        Command::Unpin(args) => cleanup::unpin(&args, &settings()?, output).await,
        Command::Keys(Keys::Create { path }) => keys::create(&path, output),
        Command::Keys(Keys::Status) => keys::status(&settings()?, output).await,
        Command::Keys(Keys::Rotate) => keys::rotate(&settings()?, output).await,
        Command::Keys(Keys::Rewrap(args)) => keys::rewrap(&args, &settings()?, output).await,
        Command::Keys(Keys::Erase(args)) => keys::erase(&args, &settings()?, output).await,
        Command::Keys(Keys::Drill(args)) => keys::drill(&args, &settings()?, output).await,
        // Settings that are wrong are what it looks for.
        Command::Doctor(args) => doctor::run(&args, options, output).await,
        Command::Prepare(args) => prepare::run(&args, &settings()?, output).await,
        Command::Report(args) => report::run(&args, &settings()?, output).await,
        Command::Export(args) => export::run(&args, &settings()?, output).await,
        Command::ImportLegacy(args) => import_legacy::run(&args, &settings()?, output).await,
    }
}
