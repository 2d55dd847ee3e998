//! `gorgen-backup verify`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::Settings;
use gorgen_engine::jobs::{
    backups,
    verify::{self, Report, Request},
};

use crate::{
    args::Verify,
    failure::Failure,
    output::{Output, between, bytes},
    wiring,
};

pub(super) async fn run(
    args: &Verify,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let only = match &args.id {
        Some(id) => Some(backups::find(&*world.vault, id).await?),
        None => None,
    };
    let request = Request { only, read_data: args.read_data, ..Request::default() };
    let report = verify::run(&world, &request).await?;
    output.result(&report, |text| describe(&report, text))?;
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn describe(report: &Report, text: &mut String) -> fmt::Result {
    for problem in &report.problems {
        writeln!(text, "PROBLEM {}: {}", problem.object, problem.what)?;
        match &problem.backups[..] {
            [] => writeln!(text, "  hurts no backup")?,
            backups => backups.iter().try_for_each(|id| writeln!(text, "  hurts backup {id}"))?,
        }
    }
    let verdict = match report.problems.len() {
        0 => "all is well".to_owned(),
        1 => "1 problem".to_owned(),
        problems => format!("{problems} problems"),
    };
    writeln!(
        text,
        "verified {} backups, {} objects, {}: {verdict} ({})",
        report.backups.len(),
        report.objects,
        bytes(report.bytes),
        between(report.started, report.ended)
    )?;
    if report.read_data {
        writeln!(
            text,
            "  read and authenticated {} chunks, {} raw",
            report.chunks_read,
            bytes(report.raw_bytes_read)
        )?;
    } else {
        writeln!(
            text,
            "  looked at names and sizes; --read-data reads and authenticates everything"
        )?;
    }
    if report.unreferenced_packs > 0 {
        writeln!(text, "  {} packs belong to no backup checked here", report.unreferenced_packs)?;
    }
    Ok(())
}
