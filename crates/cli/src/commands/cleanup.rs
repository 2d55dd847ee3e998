//! `gorgen-backup cleanup`, `pin` and `unpin`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::{
        cleanup::{self, Report, Request},
        pins,
        staged::{self, Cleaned, Servers},
    },
    records::pin::PinRecord,
};
use serde::Serialize;

use crate::{
    args::{Cleanup, Pin, Unpin},
    failure::Failure,
    output::{Output, bytes, time},
    wiring,
};

/// What became of the vault, and of what restores left beside the live database, if there is one.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    vault: Report,
    databases: Option<Cleaned>,
}

pub(super) async fn run(
    args: &Cleanup,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let (custody, remover) = (wiring::custody(settings).await?, wiring::remover(settings).await?);
    let request = Request { dry_run: args.dry_run, confirmed: args.confirm, ..Request::default() };
    let vault = cleanup::run(&world, &custody, &*remover, &request).await?;
    let databases = if settings.database().is_ok() {
        let server = wiring::server(settings).await?;
        let servers = Servers { primary: &server, scratch: None };
        Some(staged::clean(&world, servers, &settings.restore_rules(), args.dry_run).await?)
    } else {
        None
    };
    let done = Done { vault, databases };
    output.result(&done, |text| describe(&done, text))?;
    let problems = done.databases.iter().any(|databases| !databases.problems.is_empty());
    Ok(if problems { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn describe(done: &Done, text: &mut String) -> fmt::Result {
    let report = &done.vault;
    for kept in &report.kept {
        writeln!(text, "keep  {}  {}", kept.backup, kept.why.join(", "))?;
    }
    for dropped in &report.dropped {
        writeln!(text, "drop  {}  {}", dropped.backup, dropped.why)?;
    }
    let would = if report.dry_run { "would be " } else { "" };
    writeln!(
        text,
        "{} backups kept, {} {would}dropped (rules {})",
        report.kept.len(),
        report.dropped.len(),
        report.rules
    )?;
    let removed = report.removed;
    writeln!(
        text,
        "  {would}removed  {} objects that nothing needs, {}",
        removed.objects,
        bytes(removed.bytes)
    )?;
    if let Some(unlock) = report.next_unlock {
        let locked = report.still_locked;
        writeln!(
            text,
            "  locked   {} more, {}, as they should be; the first until {}",
            locked.objects,
            bytes(locked.bytes),
            time(unlock)
        )?;
    }
    if report.locks_extended > 0 {
        writeln!(text, "  locks    {} made longer", report.locks_extended)?;
    }
    if let Some(dead) = &report.lease_of_the_dead {
        writeln!(text, "  lease    of run {dead}, which died, given back")?;
    }
    report.problems.iter().try_for_each(|problem| writeln!(text, "  warning: {problem}"))?;
    if let Some(databases) = &done.databases {
        describe_databases(databases, would, text)?;
    }
    if report.dry_run { writeln!(text, "nothing was changed") } else { Ok(()) }
}

fn describe_databases(cleaned: &Cleaned, would: &str, text: &mut String) -> fmt::Result {
    for old in &cleaned.dropped {
        let (names, restore) = (old.databases.join(", "), &old.restore);
        writeln!(text, "  {would}dropped  {names}: restore {restore} can no longer be undone")?;
    }
    for old in &cleaned.waiting {
        let (names, until) = (old.databases.join(", "), time(old.undo_until));
        writeln!(text, "  kept     {names}: restore {} can be undone until {until}", old.restore)?;
    }
    for restore in &cleaned.taken_back {
        writeln!(text, "  {would}taken back  restore {restore}, which was cut off")?;
    }
    cleaned.problems.iter().try_for_each(|problem| writeln!(text, "  PROBLEM {problem}"))
}

pub(super) async fn pin(
    args: &Pin,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    set(&args.id, true, args.reason.clone(), settings, output).await
}

pub(super) async fn unpin(
    args: &Unpin,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    set(&args.id, false, None, settings, output).await
}

async fn set(
    id: &str,
    pinned: bool,
    reason: Option<String>,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::Vault])?;
    let world = wiring::world_without_keys(settings).await?;
    let pin = pins::set(&world, id, pinned, reason).await?;
    output.result(&pin, |text| describe_pin(&pin, text))?;
    Ok(ExitCode::SUCCESS)
}

fn describe_pin(pin: &PinRecord, text: &mut String) -> fmt::Result {
    if pin.pinned {
        writeln!(text, "backup {} is kept until it is unpinned", pin.backup)
    } else {
        writeln!(text, "backup {} is kept only as the rules say", pin.backup)
    }
}
