//! `gorgen-backup promote`, `undo` and `cancel`: what can be done with a restore later.

use std::process::ExitCode;

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    Error,
    jobs::{
        backup, restores,
        staged::{self, Servers},
    },
    model::RunId,
    records::restore::{RestoreRecord, Stage},
};

use super::restore::{describe_record, require_confirmation, safety};
use crate::{
    args::{OfRestore, Promote},
    failure::Failure,
    output::Output,
    wiring,
};

/// What is to be done with a restore.
#[derive(Clone, Copy)]
enum Action {
    Promote { safety_backup: bool },
    Undo,
    Cancel,
}

pub(super) async fn promote(
    args: &Promote,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    require_confirmation(args.confirm.as_deref())?;
    let action = Action::Promote { safety_backup: !args.no_safety_backup };
    run(action, &args.id, settings, output).await
}

pub(super) async fn undo(
    args: &OfRestore,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    run(Action::Undo, &args.id, settings, output).await
}

pub(super) async fn cancel(
    args: &OfRestore,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    run(Action::Cancel, &args.id, settings, output).await
}

async fn run(
    action: Action,
    id: &str,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::DatabaseUrl, Setting::Vault, Setting::Keyring])?;
    let world = wiring::world(settings).await?;
    let missing = || Error::NoSuchRestore { id: id.to_owned(), vault: world.vault.describe() };
    let id: RunId = id.parse().map_err(|_| missing())?;
    let record = restores::find(&*world.vault, &id).await?;
    let server = wiring::server(settings).await?;
    let servers = Servers { primary: &server, scratch: None };
    let rules = settings.restore_rules();
    let done: Result<RestoreRecord, Error> = match action {
        Action::Promote { safety_backup } => {
            if safety_backup && record.stage == Stage::Staged && record.safety_backup.is_none() {
                let source = wiring::source(settings).await?;
                let report = backup::run(&world, &source, &safety(settings).await?).await?;
                staged::note_safety_backup(&world, &id, &report.backup).await?;
            }
            staged::promote(&world, servers, &rules, &id).await
        }
        Action::Undo => staged::undo(&world, servers, &rules, &id).await,
        Action::Cancel => staged::discard(&world, servers, &rules, &id, &[]).await,
    };
    let record = done?;
    output.result(&record, |text| describe_record(&record, text))?;
    Ok(ExitCode::SUCCESS)
}
