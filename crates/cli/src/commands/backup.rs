//! `gorgen-backup backup`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::backup::{self, Report, Request},
    ports::Consistency,
};

use crate::{
    args::Backup,
    failure::Failure,
    output::{Output, between, bytes, time},
    wiring,
};

pub(super) async fn run(
    args: &Backup,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::DatabaseUrl, Setting::Vault, Setting::Keyring])?;
    let world = wiring::world(settings).await?;
    let source = wiring::source(settings).await?;
    let request = Request {
        tenant_column: settings.tenant_column().map(str::to_owned),
        readers: settings.readers(),
        lease: settings.lock_lease(),
        deadline: None,
        scheduled: None,
        adopt: args.adopt,
        custody: Some(wiring::custody(settings).await?),
    };
    let bars = output.bars("backup", &world.progress);
    let report = backup::run(&world, &source, &request).await;
    drop(bars);
    let report = report?;
    output.result(&report, |text| describe(&report, text))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(report: &Report, text: &mut String) -> fmt::Result {
    let totals = &report.totals;
    writeln!(text, "backup {} of {}", report.backup, report.source)?;
    writeln!(text, "  as of    {} ({})", time(report.snapshot), consistency(report))?;
    writeln!(
        text,
        "  holds    {} tables, {} rows, {} raw",
        totals.tables,
        totals.rows,
        bytes(totals.raw_bytes)
    )?;
    writeln!(
        text,
        "  stored   {} in {} chunks, {} of it new",
        bytes(totals.stored_bytes),
        totals.chunks,
        bytes(totals.new_bytes)
    )?;
    writeln!(text, "  took     {}", between(report.started, report.ended))?;
    if let Some(until) = report.locked_until {
        writeln!(text, "  locked   until {}", time(until))?;
    }
    if report.attempts > 1 {
        writeln!(
            text,
            "  begun    {} times, as definitions changed while it ran",
            report.attempts
        )?;
    }
    report.warnings.iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))
}

fn consistency(report: &Report) -> String {
    let readers = report.readers;
    match report.consistency {
        Consistency::SingleTransaction => "one connection, one transaction".to_owned(),
        Consistency::LockedStart => format!("{readers} connections, begun under a read lock"),
        Consistency::SameTimestamp => format!("{readers} connections at the same timestamp"),
        Consistency::Unknown => "not known to be of one moment".to_owned(),
    }
}
