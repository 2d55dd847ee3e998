//! `gorgen-backup show`

use std::{
    fmt::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use gorgen_adapters::settings::Settings;
use gorgen_engine::{
    jobs::{KeyChest, backups},
    model::{Position, ServerInfo},
    ports::Consistency,
    records::manifest::{Header, Manifest},
};
use serde::Serialize;

use crate::{
    args::Which,
    failure::Failure,
    output::{Output, between, bytes, time},
    wiring,
};

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    header: Header,
    server: ServerInfo,
    position: Position,
    consistency: Consistency,
    tables: Vec<ShownTable>,
    objects: Vec<ShownObject>,
    packs: usize,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ShownTable {
    table: String,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    chunks: usize,
    tenants: usize,
    key: Vec<String>,
    digest: String,
}

#[derive(Serialize)]
struct ShownObject {
    kind: String,
    name: String,
}

pub(super) async fn run(
    args: &Which,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let id = backups::find(&*world.vault, &args.id).await?;
    let vault = backups::existing_identity(&*world.vault).await?.vault;
    let keys = Arc::new(KeyChest::open(&world, vault).await?);
    let (header, manifest) = backups::open(&world, &keys, &id).await?;
    let shown = sum_up(header, manifest);
    output.result(&shown, |text| describe(&shown, text))?;
    Ok(ExitCode::SUCCESS)
}

fn sum_up(header: Header, manifest: Manifest) -> Shown {
    let tables = manifest.catalog.tables.iter().zip(&manifest.tables).map(|(table, part)| {
        let digest = part.digest();
        let chunks = || part.groups.iter().flat_map(|group| &group.chunks);
        ShownTable {
            table: table.name.clone(),
            rows: digest.rows,
            raw_bytes: digest.bytes,
            stored_bytes: chunks().map(|chunk| u64::from(chunk.length)).sum(),
            chunks: chunks().count(),
            tenants: part.groups.len(),
            key: table.key.clone(),
            digest: format!("{:032x}", digest.sum),
        }
    });
    let tables = tables.collect();
    let objects = manifest.catalog.objects.iter().map(|object| ShownObject {
        kind: object.kind.keyword().to_lowercase(),
        name: object.name.clone(),
    });
    Shown {
        header,
        tables,
        objects: objects.collect(),
        server: manifest.catalog.server,
        position: manifest.position,
        consistency: manifest.consistency,
        packs: manifest.packs.len(),
        warnings: manifest.catalog.warnings,
    }
}

fn describe(shown: &Shown, text: &mut String) -> fmt::Result {
    let header = &shown.header;
    writeln!(text, "backup {} of {}", header.backup, header.source)?;
    writeln!(
        text,
        "  as of    {}, taken in {}",
        time(header.snapshot),
        between(header.started, header.ended)
    )?;
    writeln!(text, "  server   {} {}", shown.server.flavor, shown.server.version)?;
    if let Some(position) = shown.position.gtid.as_ref().or(shown.position.binlog.as_ref()) {
        writeln!(text, "  position {position}")?;
    }
    let totals = &header.totals;
    writeln!(
        text,
        "  stored   {} in {} chunks in {} packs",
        bytes(totals.stored_bytes),
        totals.chunks,
        shown.packs
    )?;
    writeln!(text, "  written  by {}", header.tool)?;
    if let Some(imported) = &header.imported {
        writeln!(
            text,
            "  imported from {}: rows of tenant {} alone",
            imported.names(),
            imported.tenant
        )?;
    }
    let width =
        shown.tables.iter().map(|table| table.table.chars().count()).max().unwrap_or(0).max(5);
    writeln!(
        text,
        "\n{:<width$}  {:>12}  {:>11}  {:>11}  {:>6}",
        "TABLE", "ROWS", "RAW", "STORED", "CHUNKS"
    )?;
    for table in &shown.tables {
        let (raw, stored) =
            (bytes(table.raw_bytes).to_string(), bytes(table.stored_bytes).to_string());
        writeln!(
            text,
            "{:<width$}  {:>12}  {raw:>11}  {stored:>11}  {:>6}",
            table.table, table.rows, table.chunks
        )?;
    }
    if !shown.objects.is_empty() {
        let objects: Vec<_> =
            shown.objects.iter().map(|object| format!("{} {}", object.kind, object.name)).collect();
        writeln!(text, "\nalso: {}", objects.join(", "))?;
    }
    let notes = header.imported.iter().flat_map(|imported| &imported.notes);
    let warnings = shown.warnings.iter().chain(notes);
    warnings.into_iter().try_for_each(|warning| writeln!(text, "warning: {warning}"))
}
