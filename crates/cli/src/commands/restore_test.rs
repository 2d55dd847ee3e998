//! `gorgen-backup restore-test`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::restore_test::{self, Report, Request},
    model::Place,
};

use crate::{
    args::{From, RestoreTest},
    failure::Failure,
    output::{Output, bytes},
    wiring,
};

pub(super) async fn run(
    args: &RestoreTest,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::Vault, Setting::Keyring, Setting::ScratchUrl])?;
    if args.from == Some(From::Replica) {
        settings.require(&[Setting::ReplicaVault])?;
    }
    let world = wiring::world(settings).await?;
    let replica = wiring::replica(settings).await?;
    let scratch = wiring::scratch_for_tests(settings).await?;
    let request = Request {
        backup: args.id.clone(),
        place: args.from.map(|from| match from {
            From::Vault => Place::Vault,
            From::Replica => Place::Replica,
        }),
        connections: settings.readers(),
        ..Request::default()
    };
    let bars = output.bars("tested", &world.progress);
    let tested = restore_test::run(&world, replica.as_ref(), &scratch, &request).await;
    drop(bars);
    let report = tested?;
    output.result(&report, |text| describe(&report, text))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(report: &Report, text: &mut String) -> fmt::Result {
    let restore = &report.restore;
    let place = report.turn.map_or(Place::Vault, |turn| turn.place).as_str();
    writeln!(
        text,
        "backup {} from the {place}: restored and proved equal in {}",
        restore.backup,
        seconds(report.seconds)
    )?;
    writeln!(text, "  why this one: {}", report.why)?;
    if let Some(server) = &report.scratch {
        writeln!(text, "  on {} {}", server.flavor, server.version)?;
    }
    describe_proof(report, text)?;
    writeln!(text, "  phases:")?;
    for phase in &report.phases {
        writeln!(text, "    {:<36} {:>10}", phase.name, seconds(phase.seconds))?;
    }
    writeln!(text, "  tables, each read back and found equal:")?;
    for table in &restore.tables {
        let size = bytes(table.digest.bytes).to_string();
        writeln!(text, "    {:<36} {:>10} rows {size:>12}", table.table, table.digest.rows)?;
    }
    Ok(())
}

fn describe_proof(report: &Report, text: &mut String) -> fmt::Result {
    let restore = &report.restore;
    writeln!(
        text,
        "  {} tables with {} rows, {} raw; {} foreign keys lead to rows that are there",
        restore.tables.len(),
        restore.rows,
        bytes(restore.raw_bytes),
        report.foreign_keys
    )?;
    writeln!(
        text,
        "  {} views, triggers, routines and events are as they were; {} views were selected from",
        report.objects, report.views
    )?;
    for view in &report.invalid_views {
        writeln!(
            text,
            "  view {view} could not be used when it was backed up, and can't be used now"
        )?;
    }
    let warnings = restore.warnings.iter().chain(&report.not_covered);
    warnings.into_iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))?;
    report.swept.iter().try_for_each(|database| {
        writeln!(text, "  dropped {database}, which a test that died had left")
    })
}

fn seconds(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.1} s") } else { format!("{:.1} min", seconds / 60.0) }
}
