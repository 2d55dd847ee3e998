//! `gorgen-backup restore`: into a database of its own, or over the live one.

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::{
        World, backup,
        restore::{self, Report, Request},
        staged::{self, Change, Plan, Rules, Servers, TableChange},
    },
    policy::difference::Difference,
    ports::Server,
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
            what: "the live tables are to be replaced".to_owned(),
            expected: CONFIRMATION.to_owned(),
            given: given.unwrap_or("nothing").to_owned(),
        }),
    }
}

/// A backup of the live tables before they are replaced.
pub(super) async fn safety(settings: &Settings) -> Result<backup::Request, Failure> {
    Ok(backup::Request {
        tenant_column: settings.tenant_column().map(str::to_owned),
        readers: settings.readers(),
        lease: settings.lock_lease(),
        deadline: None,
        scheduled: None,
        adopt: false,
        custody: Some(wiring::custody(settings).await?),
    })
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
    let (server, scratch) =
        (wiring::server(settings).await?, wiring::scratch_server(settings).await?);
    let scratch = scratch.as_ref().map(|server| server as &dyn Server);
    let servers = Servers { primary: &server, scratch };
    let plan = staged::dry_run(world, servers, &rules(args, settings), wish(args)).await?;
    output.result(&plan, |text| describe_plan(&plan, text))
}

fn rules(args: &Restore, settings: &Settings) -> Rules {
    Rules {
        collations: args.collations.iter().cloned().collect(),
        definers: args.definer.clone(),
        ..settings.restore_rules()
    }
}

fn wish(args: &Restore) -> Wish {
    let destination = match &args.into {
        Some(into) => Destination::Database { database: into.clone(), on_scratch: args.on_scratch },
        None => Destination::InPlace { stage_only: args.stage },
    };
    Wish {
        backup: args.id.clone(),
        destination,
        tables: args.tables.clone(),
        tenant: args.tenant.clone(),
        no_safety_backup: args.no_safety_backup,
        accept_orphans: args.accept_orphans,
        dry_run: args.dry_run,
    }
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
    let (rules, wish) = (rules(args, settings), wish(args));
    let bars = output.bars("restore", &world.progress);
    let safety = safety(settings).await?;
    let record = staged::run(world, servers, &source, &safety, &rules, wish, None).await;
    drop(bars);
    let record = record?;
    output.result(&record, |text| describe_record(&record, text))
}

fn describe_plan(plan: &Plan, text: &mut String) -> fmt::Result {
    writeln!(text, "would restore backup {} (as of {})", plan.backup, time(plan.snapshot))?;
    writeln!(text, "  over     {}", plan.target)?;
    writeln!(
        text,
        "  brings   {} tables, {} rows, {} raw",
        plan.tables.len(),
        plan.rows,
        bytes(plan.raw_bytes)
    )?;
    let free =
        plan.free_bytes.map_or("the server does not tell how much is free".to_owned(), |free| {
            format!("{} are free", bytes(free))
        });
    writeln!(text, "  needs    some {} on the server; {free}", bytes(plan.needed_bytes))?;
    match plan.seconds {
        Some(seconds) => {
            writeln!(text, "  takes    some {seconds} s, at the pace of the last one")?;
        }
        None => {
            writeln!(text, "  takes    not known: no restore or restore test was recorded lately")?;
        }
    }
    plan.tables.iter().try_for_each(|table| describe_table(table, text))?;
    plan.objects.iter().try_for_each(|object| writeln!(text, "  {object}"))?;
    plan.warnings.iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))?;
    if plan.blocked_by.is_empty() {
        writeln!(text, "  nothing stands in the way; nothing was changed")?;
    }
    plan.blocked_by.iter().try_for_each(|reason| writeln!(text, "  in the way: {reason}"))
}

fn describe_table(table: &TableChange, text: &mut String) -> fmt::Result {
    let change = match table.change {
        Change::Replaced => "is replaced",
        Change::BroughtBack => "is not there, and comes back",
        Change::SetAside => "is not in the backup, and is set aside",
        Change::Merged => "gets the rows that it lacks",
        Change::Kept => "stays as it is",
        Change::Emptied => "is not there, and comes back empty",
        Change::TenantRows => "has the tenant's rows replaced",
    };
    let rows = |rows: Option<u64>| rows.map_or("none".to_owned(), |rows| rows.to_string());
    let (now, then) = (rows(table.rows_now), rows(table.rows_in_backup));
    write!(text, "  table {} {change}: {now} rows now, {then} in the backup", table.table)?;
    match table.difference {
        Some(difference) if difference == Difference::default() => write!(text, ", all the same")?,
        Some(Difference { added, missing, different }) => write!(
            text,
            ", {missing} are gone and come back, {different} are not what they were, {added} are new and go"
        )?,
        None => {}
    }
    if table.defined_otherwise {
        write!(text, "; it is defined otherwise now")?;
    }
    writeln!(text)
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
