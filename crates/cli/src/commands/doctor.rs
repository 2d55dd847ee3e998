//! `gorgen-backup doctor`
//!
//! What does not work is what it is there to find: it fails only if it can't print what it found.

mod deployed;
mod settings;

use std::{
    fmt::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use gorgen_adapters::{
    ambient::{SystemClock, SystemEntropy},
    aws::Aws,
    credentials,
    mysql::{MySqlSource, MySqlSurveyor},
    settings::{Setting, Settings},
};
use gorgen_engine::{
    jobs::doctor::{self, Absent, Checkup, Database, Report},
    policy::findings::{Finding, Status},
    ports::{Keyring, Vault},
};

use crate::{
    args::{self, Options},
    failure::Failure,
    output::Output,
    wiring,
};

pub(super) async fn run(
    args: &args::Doctor,
    options: &Options,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let findings = match &args.aws {
        Some(environment) => deployed::look(environment).await,
        None => of_this_machine(options).await,
    };
    let report = Report { findings };
    output.result(&report, |text| describe(&report.findings, text))?;
    Ok(if report.has_problem() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What this machine's settings name.
async fn of_this_machine(options: &Options) -> Vec<Finding> {
    let (settings, wrong) = settings::read(wiring::pairs(options));
    let mut findings = settings::findings(&settings, &wrong);
    findings.extend(look(&settings).await.findings);
    findings
}

async fn look(settings: &Settings) -> Report {
    let aws = Aws::new();
    let ports;
    let database = match open_database(settings, &aws).await {
        Ok(opened) => {
            ports = opened;
            Ok(Database { surveyor: &ports.0, source: &ports.1 })
        }
        Err(absent) => Err(absent),
    };
    let checkup = Checkup {
        database,
        vault: open_vault(settings, &aws).await,
        keyring: open_keyring(settings, &aws).await,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        tenant_column: settings.tenant_column(),
        readers: settings.readers(),
    };
    doctor::run(&checkup).await
}

async fn open_database(
    settings: &Settings,
    aws: &Aws,
) -> Result<(MySqlSurveyor, MySqlSource), Absent> {
    let database = settings.database().map_err(|_| absent(Setting::DatabaseUrl))?;
    let url = credentials::resolve(database, aws).await;
    let url = url.map_err(|error| unusable(&error.into()))?;
    Ok((MySqlSurveyor::new(url.clone()), MySqlSource::new(url)))
}

async fn open_vault(settings: &Settings, aws: &Aws) -> Result<Arc<dyn Vault>, Absent> {
    let url = settings.vault().map_err(|_| absent(Setting::Vault))?;
    wiring::open_vault(url, aws).await.map_err(|failure| unusable(&failure))
}

async fn open_keyring(settings: &Settings, aws: &Aws) -> Result<Arc<dyn Keyring>, Absent> {
    let url = settings.keyring().map_err(|_| absent(Setting::Keyring))?;
    wiring::keyring_for_new(settings, url, aws).await.map_err(|failure| unusable(&failure))
}

/// A failure as a finding.
fn unusable(failure: &Failure) -> Absent {
    Absent::Unusable { fact: told(failure), remedy: failure.hint().unwrap_or_default() }
}

/// A failure and its causes on one line.
fn told(failure: &Failure) -> String {
    let lines: Vec<_> = [failure.to_string()].into_iter().chain(failure.causes()).collect();
    lines.join(": ")
}

fn absent(setting: Setting) -> Absent {
    Absent::Setting(setting.name())
}

/// Wide enough for most names of checks; a longer one makes room for itself in all lines.
const NAME_WIDTH: usize = 20;

/// A line for each finding, and one more with what to do; what was not checked for one reason shares a line.
pub(super) fn describe(findings: &[Finding], text: &mut String) -> fmt::Result {
    let names = findings.iter().map(|finding| finding.check.len());
    let width = names.max().unwrap_or_default().max(NAME_WIDTH);
    let of_one_reason = |one: &Finding, other: &Finding| one.is_skipped() && one.fact == other.fact;
    for group in findings.chunk_by(of_one_reason) {
        let Some(first) = group.first() else { continue };
        let checks: Vec<_> = group.iter().map(|finding| finding.check).collect();
        let (name, fact) = match checks.as_slice() {
            [only] => (*only, first.fact.clone()),
            several => ("not checked", several.join(", ")),
        };
        writeln!(text, "{:<7}  {name:<width$}  {fact}", first.status.as_str())?;
        if let Some(remedy) = &first.remedy {
            writeln!(text, "         what to do: {remedy}")?;
        }
    }
    writeln!(text, "{}", sum(findings))
}

/// `1 problem (database), 2 warnings, 13 not checked, 7 ok`
fn sum(findings: &[Finding]) -> String {
    let looked_at = || findings.iter().filter(|finding| !finding.is_skipped());
    let checks = |status| -> Vec<_> {
        looked_at()
            .filter(|finding| finding.status == status)
            .map(|finding| finding.check)
            .collect()
    };
    let named = |checks: Vec<&str>, noun: &str| match checks.len() {
        0 => format!("no {noun}"),
        1 => format!("1 {noun} ({})", checks[0]),
        count => format!("{count} {noun}s ({})", checks.join(", ")),
    };
    let mut parts =
        vec![named(checks(Status::Problem), "problem"), named(checks(Status::Warning), "warning")];
    let skipped = findings.iter().filter(|finding| finding.is_skipped()).count();
    if skipped > 0 {
        parts.push(format!("{skipped} not checked"));
    }
    parts.push(format!("{} ok", checks(Status::Ok).len()));
    parts.join(", ")
}
