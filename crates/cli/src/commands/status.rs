//! `gorgen-backup status`

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    jobs::{
        backups, restores,
        staged::{self, Servers},
    },
    records::restore::{Live, RestoreRecord, Stage},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{Output, time},
    wiring,
};

#[derive(Serialize)]
struct Status {
    restores: Vec<Shown>,
}

/// A restore, and what can or must be done with it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    record: RestoreRecord,
    what_to_do: Option<String>,
}

pub(super) async fn run(settings: &Settings, output: &Output) -> Result<ExitCode, Failure> {
    let vault = wiring::vault(settings).await?;
    backups::existing_identity(&*vault).await?;
    let mut restores = Vec::new();
    for mut record in restores::list(&*vault).await? {
        if record.live == Live::Unknown {
            // Without keys, or while the server can't be reached, it stays unknown, and is said to be.
            record.live = which_rows(settings, &record).await.unwrap_or(Live::Unknown);
        }
        restores.push(Shown { what_to_do: what_to_do(&record), record });
    }
    let status = Status { restores };
    output.result(&status, |text| describe(&status, text))?;
    Ok(ExitCode::SUCCESS)
}

async fn which_rows(settings: &Settings, record: &RestoreRecord) -> Result<Live, Failure> {
    settings.require(&[Setting::DatabaseUrl, Setting::Keyring])?;
    let (world, server) = (wiring::world(settings).await?, wiring::server(settings).await?);
    let servers = Servers { primary: &server, scratch: None };
    Ok(staged::which_rows(&world, servers, &settings.restore_rules(), record).await?)
}

fn what_to_do(record: &RestoreRecord) -> Option<String> {
    let id = &record.restore;
    let promote = format!("gorgen-backup promote {id} --confirm RESTAURAR");
    Some(match record.stage {
        Stage::Requested | Stage::Loading => {
            format!("if nothing works on it any more: gorgen-backup cancel {id}")
        }
        Stage::Staged => format!("{promote}, or gorgen-backup cancel {id}"),
        Stage::Promoting => format!(
            "if nothing works on it any more: {promote} finishes it; gorgen-backup cancel {id} takes it back, or \
             finishes it if the tables have changed places"
        ),
        Stage::Undoing => {
            format!("if nothing works on it any more: gorgen-backup undo {id} finishes it")
        }
        Stage::Restored => match record.undo_until {
            Some(until) => format!("gorgen-backup undo {id} takes it back, until {}", time(until)),
            None => return None,
        },
        _ => return None,
    })
}

fn describe(status: &Status, text: &mut String) -> fmt::Result {
    if status.restores.is_empty() {
        return writeln!(text, "nothing was restored yet");
    }
    for Shown { record, what_to_do } in &status.restores {
        let live = match record.live {
            Live::Untouched => "the live tables are as they were before it",
            Live::Restored => "the live tables are those of the backup",
            Live::Unknown => {
                "the live tables are wholly as they were, or wholly those of the backup"
            }
        };
        let (id, stage) = (&record.restore, record.stage.as_str());
        writeln!(text, "restore {id}: {stage}, {}; {live}", time(record.updated))?;
        record.error.iter().try_for_each(|line| writeln!(text, "  error: {line}"))?;
        if let Some(what_to_do) = what_to_do {
            writeln!(text, "  what to do: {what_to_do}")?;
        }
    }
    Ok(())
}
