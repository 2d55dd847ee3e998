//! `gorgen-backup report`

use std::{
    fmt::{self, Write},
    fs::File,
    io::Write as _,
    path::Path,
    process::ExitCode,
};

use gorgen_adapters::settings::{Setting, Settings};
use gorgen_engine::{
    Error,
    jobs::report::{self, Proof, Told},
    model::ObjectName,
};

use crate::{args::Report, failure::Failure, output::Output, wiring};

pub(super) async fn run(
    args: &Report,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    settings.require(&[Setting::Vault])?;
    let world = wiring::world_without_keys(settings).await?;
    // Before the month is told and kept: a file that can't be written is no reason to tell it again.
    let file = args.to.as_deref().map(create).transpose()?;
    let language = settings.language();
    let page = |report: &report::Report, proof: &Proof| {
        gorgen_words::report::page(report, proof, language)
    };
    let told = report::run(&world, args.month, &settings.timezone(), None, &page).await;
    let told = match told {
        Ok(told) => told,
        Err(error) => {
            if let Some(path) = &args.to {
                drop(std::fs::remove_file(path));
            }
            return Err(error.into());
        }
    };
    if let (Some(mut file), Some(path)) = (file, &args.to) {
        let name = ObjectName::report_page(&told.month.to_string(), &told.run);
        let page = world.vault.get(&name).await.map_err(Error::from)?;
        let written = file.write_all(&page).and_then(|()| file.sync_all());
        written.map_err(|error| Failure::io(format!("write {}", path.display()), error))?;
    }
    output.result(&told, |text| describe(&told, args.to.as_deref(), text))?;
    Ok(ExitCode::SUCCESS)
}

fn create(path: &Path) -> Result<File, Failure> {
    let file = File::create_new(path);
    file.map_err(|error| Failure::io(format!("create {}", path.display()), error))
}

fn describe(told: &Told, file: Option<&Path>, text: &mut String) -> fmt::Result {
    writeln!(text, "report of {}", told.month)?;
    let conformity = &told.conformity;
    writeln!(
        text,
        "  rules    {} met, {} not met, {} not applicable",
        conformity.met,
        conformity.not_met.len(),
        conformity.not_applicable
    )?;
    for rule in &conformity.not_met {
        writeln!(text, "  not met  {}", rule.as_str())?;
    }
    writeln!(text, "  backups  {} made in the month, {} kept", told.backups, told.backups_kept)?;
    writeln!(text, "  failures {}", told.failures)?;
    writeln!(text, "  data     {} (sha256 {})", told.report, told.sha256)?;
    writeln!(text, "  page     {}", told.page)?;
    match file {
        Some(file) => writeln!(text, "  written  {}", file.display()),
        None => Ok(()),
    }
}
