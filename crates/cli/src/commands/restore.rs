//! `gorgen-backup restore`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::jobs::restore::{self, Report, Request};

use crate::{
    args::Restore,
    failure::Failure,
    output::{Output, between, bytes},
    wiring,
};

pub(super) async fn run(
    args: Restore,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::DatabaseUrl, Setting::Vault, Setting::Keyring])?;
    let world = wiring::world(settings).await?;
    let target = wiring::target(settings, &args.into).await?;
    let request = Request {
        tables: args.tables,
        connections: settings.readers(),
        collations: args.collations.into_iter().collect(),
        definers: args.definer,
        deadline: None,
    };
    let bars = output.bars("restore", &world.progress);
    let report = restore::run(&world, &target, &args.id, &request).await;
    drop(bars);
    let report = report?;
    output.result(&report, |text| describe(&report, text))?;
    Ok(ExitCode::SUCCESS)
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
