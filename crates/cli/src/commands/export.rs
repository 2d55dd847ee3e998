//! `gorgen-backup export`

use std::{
    fmt::{self, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use gorgen_adapters::{files::FolderFiles, package::PackageFolder, settings::Settings};
use gorgen_engine::{
    jobs::{
        export::{self, Layout, Report},
        package,
    },
    model::Language,
};
use gorgen_words::package as words;

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
    match args.format {
        Format::Mydumper => as_files(args, Layout::MyDumper, settings, output).await,
        Format::Sql => as_files(args, Layout::Sql, settings, output).await,
        Format::Offline => as_package(args, settings, output).await,
    }
}

async fn as_files(
    args: &Export,
    layout: Layout,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let files = Arc::new(FolderFiles::new(&args.to));
    let bars = output.bars("export", &world.progress);
    let report = export::run(&world, files, &args.id, layout).await;
    drop(bars);
    let report = report?;
    output.result(&report, |text| describe(&report, &args.to, text))?;
    Ok(ExitCode::SUCCESS)
}

/// What lies beside the vault of a package, for whoever has nothing else.
const WAY_OUT: [(&str, &str); 2] = [
    ("recover.py", include_str!("../../../../docs/recover.py")),
    ("format.md", include_str!("../../../../docs/format.md")),
];

async fn as_package(
    args: &Export,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let failed = |error| Failure::io(format!("write {}", args.to.display()), error);
    let folder = PackageFolder::new(&args.to).map_err(failed)?;
    let report = package::run(&world, Arc::new(folder.vault()), &args.id).await?;
    let instructions = Language::ALL
        .map(|language| (words::file_name(language), words::instructions(&report, language)));
    let mut files = WAY_OUT.to_vec();
    files.extend(instructions.iter().map(|(name, text)| (*name, text.as_str())));
    folder.finish(&files, &report.sha256).map_err(failed)?;
    output.result(&report, |text| describe_package(&report, &args.to, &folder, text))?;
    Ok(ExitCode::SUCCESS)
}

fn describe_package(
    report: &package::Report,
    to: &Path,
    folder: &PackageFolder,
    text: &mut String,
) -> fmt::Result {
    writeln!(text, "packed backup {} into {}", report.backup, to.display())?;
    writeln!(
        text,
        "  holds    {} objects, {}: each byte was read back and authenticated",
        report.objects,
        bytes(report.bytes)
    )?;
    writeln!(
        text,
        "  copied   {} objects, {}; the others were there",
        report.copied_objects,
        bytes(report.copied_bytes)
    )?;
    writeln!(text, "  opens    with {}", report.opened_by.join(", or "))?;
    writeln!(text, "  took     {}", between(report.started, report.ended))?;
    writeln!(text, "  check it sha256sum --check SHA256SUMS, in that folder")?;
    writeln!(text, "  use it   --vault file://{}", folder.vault_path().display())
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
