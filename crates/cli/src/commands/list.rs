//! `gorgen-backup list`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::Settings;
use gorgen_engine::{
    jobs::backups::{self, Listed},
    records::manifest::Header,
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{Output, bytes, time},
    wiring,
};

#[derive(Serialize)]
struct Shown {
    backups: Vec<Header>,
    damaged: Vec<Damaged>,
}

#[derive(Serialize)]
struct Damaged {
    object: String,
    what: String,
}

pub(super) async fn run(settings: &Settings, output: &Output) -> Result<ExitCode, Failure> {
    let vault = wiring::vault(settings).await?;
    let shown = sort(backups::list(&*vault).await?);
    output.result(&shown, |text| describe(&shown, text))?;
    Ok(if shown.damaged.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn sort(listed: Vec<Listed>) -> Shown {
    let mut shown = Shown { backups: Vec::new(), damaged: Vec::new() };
    for Listed { name, header } in listed {
        match header {
            Ok(header) => shown.backups.push(header),
            Err(error) => {
                shown.damaged.push(Damaged { object: name.to_string(), what: error.to_string() });
            }
        }
    }
    shown
}

fn describe(shown: &Shown, text: &mut String) -> fmt::Result {
    if shown.backups.is_empty() && shown.damaged.is_empty() {
        return writeln!(text, "no backup was completed yet");
    }
    writeln!(
        text,
        "{:<25}  {:<23}  {:>6}  {:>12}  {:>11}  {:>11}",
        "BACKUP", "AS OF", "TABLES", "ROWS", "RAW", "NEW"
    )?;
    for header in &shown.backups {
        let totals = &header.totals;
        let (raw, new) = (bytes(totals.raw_bytes).to_string(), bytes(totals.new_bytes).to_string());
        writeln!(
            text,
            "{:<25}  {:<23}  {:>6}  {:>12}  {raw:>11}  {new:>11}{}",
            header.backup.as_str(),
            time(header.snapshot),
            totals.tables,
            totals.rows,
            header.imported.as_ref().map_or(String::new(), |imported| format!(
                "  imported, tenant {} alone",
                imported.tenant
            )),
        )?;
    }
    shown
        .damaged
        .iter()
        .try_for_each(|damaged| writeln!(text, "damaged: {}: {}", damaged.object, damaged.what))
}
