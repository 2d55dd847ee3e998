//! `gorgen-backup keys`

use std::{fmt::Write, process::ExitCode};

use gorgen_adapters::keyring::FileKeyring;
use gorgen_engine::Error;
use serde_json::json;

use crate::{args::Keys, failure::Failure, output::Output};

pub(super) fn run(args: &Keys, output: &Output) -> Result<ExitCode, Failure> {
    let Keys::Create { path } = args;
    let keyring = FileKeyring::create(path).map_err(Error::from)?;
    let shown = json!({ "path": path, "key": keyring.id() });
    output.result(&shown, |text| {
        writeln!(text, "wrote {}", path.display())?;
        writeln!(text, "  without this file no backup made with it can be opened: keep a copy where the vault is not")
    })?;
    Ok(ExitCode::SUCCESS)
}
