//! `gorgen-backup export`

use std::{
    fmt::{self, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use gorgen_adapters::{files::FolderFiles, settings::Settings};
use gorgen_engine::jobs::export::{self, Layout, Report};

use crate::{
    args::{Export, Format},
    failure::Failure,
    output::{Output, between, bytes},
    wiring,
};

pub(super) async fn run(
    args: &Export,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let files = Arc::new(FolderFiles::new(&args.to));
    let layout = match args.format {
        Format::Mydumper => Layout::MyDumper,
        Format::Sql => Layout::Sql,
    };
    let bars = output.bars("export", &world.progress);
    let report = export::run(&world, files, &args.id, layout).await;
    drop(bars);
    let report = report?;
    output.result(&report, |text| describe(&report, &args.to, text))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(report: &Report, folder: &Path, text: &mut String) -> fmt::Result {
    writeln!(text, "exported backup {} into {}", report.backup, folder.display())?;
    writeln!(
        text,
        "  holds    {} tables, {} rows, {} raw: each equal to the backup",
        report.tables,
        report.rows,
        bytes(report.raw_bytes)
    )?;
    writeln!(
        text,
        "  wrote    {} files, {}, not encrypted",
        report.files.len(),
        bytes(report.bytes)
    )?;
    writeln!(text, "  took     {}", between(report.started, report.ended))?;
    let first = report.files.first().map_or("", String::as_str);
    match report.format {
        Layout::MyDumper => writeln!(text, "  load it  myloader -d {}", folder.display())?,
        Layout::Sql => writeln!(
            text,
            "  load it  mariadb --binary-mode --comments DATABASE < {}",
            folder.join(first).display()
        )?,
    }
    report.warnings.iter().try_for_each(|warning| writeln!(text, "  warning: {warning}"))
}
