//! `gorgen-backup verify`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::{
        World, backups,
        verify::{
            self, Database, NotRepaired, Origin, Problem, Remedies, Repaired, Replica,
            ReplicaReport, Report, Request,
        },
    },
    policy::shares::Share,
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
    if args.repair && settings.database().is_err() {
        settings.require(&[Setting::ReplicaVault])?;
    }
    let world = wiring::world(settings).await?;
    let only = match &args.id {
        Some(id) => Some(backups::find(&*world.vault, id).await?),
        None => None,
    };
    let replica = wiring::replica(settings).await?;
    let request = Request {
        only,
        read_data: args.read_data,
        read_share: args.read_share,
        ..Request::default()
    };
    let report = if args.repair {
        repair(&world, replica.as_ref(), settings).await?
    } else {
        verify::with_replica(&world, replica.as_ref(), &request).await?
    };
    output.result(&report, |text| describe(&report, text))?;
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Repairs from the replica and from the database, as far as there are settings for them.
async fn repair(
    world: &World,
    replica: Option<&Replica>,
    settings: &Settings,
) -> Result<Report, Failure> {
    let menders = wiring::menders(settings).await?;
    let source = match settings.database() {
        Ok(_) => Some(wiring::source(settings).await?),
        Err(_) => None,
    };
    let tenant_column = settings.tenant_column().map(str::to_owned);
    let remedies = Remedies {
        replica: replica.zip(menders.replica.as_deref()),
        database: source.as_ref().map(|source| Database { source, tenant_column }),
    };
    Ok(verify::repair(world, &*menders.vault, &remedies).await?)
}

fn describe(report: &Report, text: &mut String) -> fmt::Result {
    for repaired in &report.repaired {
        describe_repaired(repaired, text)?;
    }
    for NotRepaired { object, place, why } in &report.not_repaired {
        writeln!(text, "NOT REPAIRED {object} in the {}: {why}", place.as_str())?;
    }
    describe_problems("", &report.problems, text)?;
    if let Some(replica) = &report.replica {
        describe_problems(" in the replica:", &replica.problems, text)?;
    }
    writeln!(
        text,
        "verified {} backups, {} objects, {}: {} ({})",
        report.backups.len(),
        report.objects,
        bytes(report.bytes),
        verdict(report.problems.len()),
        between(report.started, report.ended)
    )?;
    if report.read_data {
        writeln!(
            text,
            "  read and authenticated {} chunks, {} raw{}",
            report.chunks_read,
            bytes(report.raw_bytes_read),
            report.share.map(share).unwrap_or_default()
        )?;
    } else {
        writeln!(
            text,
            "  looked at names and sizes; --read-data reads and authenticates everything, --read-share a quarter"
        )?;
    }
    if report.unreferenced_packs > 0 {
        writeln!(text, "  {} packs belong to no backup checked here", report.unreferenced_packs)?;
    }
    report.replica.iter().try_for_each(|replica| describe_replica(replica, text))
}

fn describe_repaired(repaired: &Repaired, text: &mut String) -> fmt::Result {
    let Repaired { object, place, from, was_there } = repaired;
    let how = match (from, was_there) {
        (Origin::Database, true) => "damaged, put together again from the database".to_owned(),
        (Origin::Database, false) => "missing, put together again from the database".to_owned(),
        (from, true) => format!("replaced by the copy of the {}", from.as_str()),
        (from, false) => format!("missing, put from the copy of the {}", from.as_str()),
    };
    writeln!(text, "REPAIRED {object} in the {}: {how}", place.as_str())
}

fn describe_problems(place: &str, problems: &[Problem], text: &mut String) -> fmt::Result {
    for problem in problems {
        writeln!(text, "PROBLEM{place} {}: {}", problem.object, problem.what)?;
        match &problem.backups[..] {
            [] => writeln!(text, "  hurts no backup")?,
            backups => backups.iter().try_for_each(|id| writeln!(text, "  hurts backup {id}"))?,
        }
    }
    Ok(())
}

fn describe_replica(replica: &ReplicaReport, text: &mut String) -> fmt::Result {
    writeln!(
        text,
        "replica {}, {} objects, {}: {}",
        replica.vault,
        replica.objects,
        bytes(replica.bytes),
        verdict(replica.problems.len())
    )?;
    match (&replica.newest_backup, replica.behind_seconds) {
        (Some(newest), Some(0)) => writeln!(text, "  has the newest backup, {newest}")?,
        (Some(newest), Some(behind)) => {
            writeln!(text, "  has backup {newest}, {behind} seconds older than the newest")?;
        }
        (None, Some(_)) => writeln!(text, "  has no whole backup")?,
        (_, None) => {}
    }
    writeln!(
        text,
        "  {} objects missing, {} on their way, {} only there; {} checksums equal, {} chunks read",
        replica.missing,
        replica.waiting,
        replica.only_there,
        replica.checksums_equal,
        replica.chunks_read
    )
}

fn verdict(problems: usize) -> String {
    match problems {
        0 => "all is well".to_owned(),
        1 => "1 problem".to_owned(),
        problems => format!("{problems} problems"),
    }
}

fn share(share: Share) -> String {
    format!(" (share {} of {})", share.number, share.of)
}
