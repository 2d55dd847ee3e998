//! `gorgen-backup restore`: into a database of its own, or over the live one.

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::{
        World, backup,
        plan::{self, Plan},
        restore::{self, Report, Request},
        staged::{self, Servers},
    },
    model::restored_name,
    records::restore::{Destination, RestoreRecord, Wish},
};

use crate::{
    args::Restore,
    failure::Failure,
    output::{Output, between, bytes, time},
    wiring,
};

/// What must be typed before the live tables are replaced.
const CONFIRMATION: &str = "RESTAURAR";

pub(super) async fn run(
    args: Restore,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::DatabaseUrl, Setting::Vault, Setting::Keyring])?;
    if args.in_place && !args.dry_run {
        require_confirmation(args.confirm.as_deref())?;
    }
    let world = wiring::world(settings).await?;
    match (&args.into, args.dry_run) {
        (_, true) => plan_only(&args, settings, &world, output).await?,
        (Some(into), false) => into_database(&args, into, settings, &world, output).await?,
        (None, false) => over_live(&args, settings, &world, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to replace the live tables unless the word was typed.
pub(super) fn require_confirmation(given: Option<&str>) -> Result<(), Failure> {
    match given {
        Some(CONFIRMATION) => Ok(()),
        given => Err(Failure::NotConfirmed {
            expected: CONFIRMATION,
            given: given.unwrap_or("nothing").to_owned(),
        }),
    }
}

/// A backup of the live tables before they are replaced.
pub(super) fn safety(settings: &Settings) -> backup::Request {
    backup::Request {
        tenant_column: settings.tenant_column().map(str::to_owned),
        readers: settings.readers(),
        lease: settings.lock_lease(),
        deadline: None,
        scheduled: None,
        adopt: false,
    }
}

fn request(args: &Restore, settings: &Settings) -> Request {
    Request {
        tables: args.tables.clone(),
        connections: settings.readers(),
        collations: args.collations.iter().cloned().collect(),
        definers: args.definer.clone(),
        deadline: None,
    }
}

async fn plan_only(
    args: &Restore,
    settings: &Settings,
    world: &World,
    output: &Output,
) -> Result<(), Failure> {
    let beside = match &args.into {
        Some(into) => into.clone(),
        None => restored_name(&wiring::source_name(settings).await?),
    };
    let target = wiring::target(settings, &beside).await?;
    let plan = plan::run(world, &target, &args.id, &request(args, settings)).await?;
    output.result(&plan, |text| describe_plan(&plan, text))
}

async fn into_database(
    args: &Restore,
    into: &str,
    settings: &Settings,
    world: &World,
    output: &Output,
) -> Result<(), Failure> {
    let target = if args.on_scratch {
        wiring::scratch(settings, into).await?
    } else {
        wiring::target(settings, into).await?
    };
    let request = request(args, settings);
    let bars = output.bars("restore", &world.progress);
    let report = restore::run(world, &target, &args.id, &request).await;
    drop(bars);
    let report = report?;
    output.result(&report, |text| describe(&report, text))
}

async fn over_live(
    args: &Restore,
    settings: &Settings,
    world: &World,
    output: &Output,
) -> Result<(), Failure> {
    let (server, source) = (wiring::server(settings).await?, wiring::source(settings).await?);
    let servers = Servers { primary: &server, scratch: None };
    let rules = staged::Rules {
        collations: args.collations.iter().cloned().collect(),
        definers: args.definer.clone(),
        ..settings.restore_rules()
    };
    let wish = Wish {
        backup: args.id.clone(),
        destination: Destination::InPlace { stage_only: args.stage },
        tables: args.tables.clone(),
        tenant: args.tenant.clone(),
        no_safety_backup: args.no_safety_backup,
        accept_orphans: args.accept_orphans,
        dry_run: false,
    };
    let bars = output.bars("restore", &world.progress);
    let safety = safety(settings);
    let record = staged::run(world, servers, &source, &safety, &rules, wish, None).await;
    drop(bars);
    let record = record?;
    output.result(&record, |text| describe_record(&record, text))
}

fn describe_plan(plan: &Plan, text: &mut String) -> fmt::Result {
    writeln!(text, "restoring backup {} (as of {})", plan.backup, time(plan.snapshot))?;
    writeln!(text, "  into     {}", plan.target)?;
    writeln!(
        text,
        "  holds    {} tables, {} rows, {} raw",
        plan.tables,
        plan.rows,
        bytes(plan.raw_bytes)
    )?;
    if plan.blocked_by.is_empty() {
        writeln!(text, "  nothing stands in the way; nothing was changed")?;
    }
    plan.blocked_by.iter().try_for_each(|reason| writeln!(text, "  in the way: {reason}"))
}

fn describe(report: &Report, text: &mut String) -> fmt::Result {
    writeln!(text, "restored backup {} into {}", report.backup, report.target)?;
    writeln!(
        text,
        "  holds    {} tables, {} rows, {} raw: each read back and equal to the backup",
        report.tables.len(),
        report.rows,
        bytes(report.raw_bytes)
    )?;
    let phases: Vec<_> = report
        .phases
        .iter()
        .map(|phase| format!("{} {:.1} s", phase.name, phase.seconds))
        .collect();
    writeln!(text, "  took     {} ({})", between(report.started, report.ended), phases.join(", "))?;
    report.warnings.iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))
}

/// What became of a restore over the live database.
pub(super) fn describe_record(record: &RestoreRecord, text: &mut String) -> fmt::Result {
    writeln!(text, "restore {}: {}", record.restore, record.stage.as_str())?;
    if let Some(backup) = &record.backup {
        writeln!(text, "  backup   {backup}")?;
    }
    if let Some(target) = &record.target {
        writeln!(text, "  over     {target}")?;
    }
    if !record.verified.is_empty() {
        writeln!(
            text,
            "  holds    {} tables, {} rows, {} raw: each read back and equal to the backup",
            record.progress.tables_done,
            record.progress.rows_done,
            bytes(record.progress.bytes_done)
        )?;
    }
    if let Some(safety) = &record.safety_backup {
        writeln!(text, "  before   backup {safety} has the live tables as they were")?;
    }
    writeln!(text, "  took     {}", between(record.requested, record.updated))?;
    if let Some(until) = record.undo_until {
        writeln!(text, "  undo     gorgen-backup undo {}, until {}", record.restore, time(until))?;
    }
    record.warnings.iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))
}
