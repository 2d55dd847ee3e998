//! `gorgen-backup import-legacy`

use std::{
    fmt::{self, Write},
    fs,
    path::Path,
    process::ExitCode,
};

use gorgen_adapters::settings::{Secret, Setting, Settings};
use gorgen_engine::{
    Error,
    jobs::backup::{self, Report},
    ports::Source,
    records::imported::Imported,
};
use gorgen_legacy::{Import, ImportedTable, Opened, Rules, open, tenant_in_path};
use serde::Serialize;

use super::restore::safety;
use crate::{
    args::ImportLegacy,
    failure::Failure,
    output::{Output, time},
    wiring,
};

/// What was imported, or would be.
#[derive(Serialize)]
struct Shown {
    dry_run: bool,
    imported: Imported,
    tables: Vec<ImportedTable>,
    /// The backup that was made.
    #[serde(flatten)]
    report: Option<Report>,
}

pub(super) async fn run(
    args: &ImportLegacy,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[
        Setting::DatabaseUrl,
        Setting::Vault,
        Setting::Keyring,
        Setting::TenantColumn,
    ])?;
    let opened = args.files.iter().map(|path| read(path, args, settings));
    let opened = opened.collect::<Result<Vec<_>, _>>()?;
    let live = wiring::source(settings).await?;
    let catalog = live.catalog().await.map_err(Error::from)?;
    let restores = settings.restore_rules();
    let rules = Rules {
        tenant_column: settings.tenant_column().unwrap_or_default(),
        tenant_paths: &restores.tenant_paths,
    };
    let import = Import::plan(&opened, &catalog, rules)?;
    drop(opened);

    let (imported, tables) = (import.imported().clone(), import.tables());
    let report = if args.dry_run {
        None
    } else {
        let (world, request) = (wiring::world(settings).await?, safety(settings).await?);
        let source = import.into_source(live);
        let bars = output.bars("import", &world.progress);
        let report = backup::import(&world, &source, &request, &imported).await;
        drop(bars);
        Some(report?)
    };
    let shown = Shown { dry_run: args.dry_run, imported, tables, report };
    output.result(&shown, |text| describe(&shown, text))?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path, args: &ImportLegacy, settings: &Settings) -> Result<Opened, Failure> {
    let bytes = fs::read(path);
    let bytes = bytes.map_err(|source| Failure::io(format!("read {}", path.display()), source))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let tenant = args.tenant.clone().or_else(|| tenant_in_path(path));
    let secret = settings.legacy_secret().map(Secret::expose);
    Ok(open(&name, &bytes, tenant.as_deref(), secret)?)
}

fn describe(shown: &Shown, text: &mut String) -> fmt::Result {
    let Shown { imported, tables, report, .. } = shown;
    match report {
        Some(report) => writeln!(
            text,
            "imported tenant {} of {} as backup {}",
            imported.tenant, report.source, report.backup
        )?,
        None => writeln!(text, "would import tenant {}; nothing was written", imported.tenant)?,
    }
    writeln!(text, "  as of    {}", time(imported.created))?;
    imported
        .files
        .iter()
        .try_for_each(|file| writeln!(text, "  file     {}, SHA-256 {}", file.name, file.sha256))?;
    tables
        .iter()
        .try_for_each(|table| writeln!(text, "  table    {}: {} rows", table.table, table.rows))?;
    // The backup's warnings are the import's notes, and what every backup warns of.
    let notes = report.as_ref().map_or(&imported.notes, |report| &report.warnings);
    notes.iter().try_for_each(|note| writeln!(text, "  warning: {note}"))?;
    if let Some(report) = report {
        let (backup, tenant) = (&report.backup, &imported.tenant);
        writeln!(text, "  kept     until it is unpinned; it is never the latest backup")?;
        writeln!(
            text,
            "  restore  gorgen-backup restore {backup} --into DATABASE, or --in-place --tenant {tenant} --dry-run"
        )?;
    }
    Ok(())
}
