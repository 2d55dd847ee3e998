//! `gorgen-backup prepare`
//!
//! ```text
//! lines    the settings that the accounts are used with, and the file that keeps them
//! script   the statements, for somebody else to run
//! ```

mod lines;
mod script;

use std::{
    fmt::{self, Write},
    path::Path,
    process::ExitCode,
};

use gorgen_adapters::{
    ambient::{SystemClock, SystemEntropy},
    mysql::MySqlAccounts,
    settings::{DatabaseUrl, Settings, Tls},
};
use gorgen_engine::{
    jobs::prepare::{self, Access, Done, Planned, Preparation},
    model::AccountName,
    policy::{
        findings::{Finding, Status},
        prepare::{Login, Role, RoutinesBy, Wanted, Wish, is_too_near},
    },
};
use serde::Serialize;

use self::lines::{Kept, Line};
use super::doctor;
use crate::{
    args::{Account, Prepare, TlsFor},
    failure::Failure,
    output::Output,
    wiring,
};

pub(super) async fn run(
    args: &Prepare,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    if args.print {
        return script::run(args, settings, output).await;
    }
    let wish = wish(args, &wiring::address(settings).await?)?;
    let (accounts, url) = wiring::accounts(settings).await?;
    let preparation = Preparation { accounts: &accounts, clock: &SystemClock, wish: &wish };
    let code = if args.check {
        check(&preparation, output).await
    } else {
        make(&preparation, &accounts, &url, args, output).await
    };
    accounts.close().await;
    code
}

/// What is wanted of the server at this address.
fn wish(args: &Prepare, url: &DatabaseUrl) -> Result<Wish, Failure> {
    let roles: Vec<_> = Role::ALL.into_iter().filter(|role| is_wanted(*role, args)).collect();
    let accounts: Vec<_> =
        roles.iter().map(|&role| Wanted { role, account: name(role, args) }).collect();
    refuse_same(&accounts)?;
    let is_scratch_alone = roles == [Role::Scratch];
    if roles.contains(&Role::Scratch)
        && !is_scratch_alone
        && is_too_near(&args.scratch_database, &url.database)
    {
        let (scratch, database) = (args.scratch_database.clone(), url.database.clone());
        return Err(Failure::TooNear { scratch, database });
    }
    let tls = match (args.auth, args.tls) {
        (Some(_), _) | (None, Some(TlsFor::Required)) => true,
        (None, Some(TlsFor::Off)) => false,
        (None, None) => url.tls != Tls::Off,
    };
    Ok(Wish {
        accounts,
        database: url.database.clone(),
        scratch: args.scratch_database.clone(),
        login: if args.auth.is_some() { Login::RdsIam } else { Login::Password },
        tls,
        routines: if args.read_all { RoutinesBy::ReadingAll } else { RoutinesBy::Name },
    })
}

fn is_wanted(role: Role, args: &Prepare) -> bool {
    let account = match role {
        Role::Backup => Account::Backup,
        Role::Restore => Account::Restore,
        Role::Scratch => Account::Scratch,
    };
    args.only.is_empty() || args.only.contains(&account)
}

fn name(role: Role, args: &Prepare) -> AccountName {
    let given = match role {
        Role::Backup => &args.backup_user,
        Role::Restore => &args.restore_user,
        Role::Scratch => &args.scratch_user,
    };
    given.clone().unwrap_or_else(|| role.usual_account())
}

/// An account for backups that may restore could write.
fn refuse_same(accounts: &[Wanted]) -> Result<(), Failure> {
    for (at, wanted) in accounts.iter().enumerate() {
        let before = accounts.iter().take(at).find(|other| other.account == wanted.account);
        if let Some(other) = before {
            let (one, other) = (other.role.as_str(), wanted.role.as_str());
            return Err(Failure::SameAccount { one, other, account: wanted.account.clone() });
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct ServerShown {
    flavor: String,
    version: String,
}

#[derive(Serialize)]
struct CheckShown<'a> {
    server: ServerShown,
    findings: &'a [Finding],
}

async fn check(preparation: &Preparation<'_>, output: &Output) -> Result<ExitCode, Failure> {
    let checked = prepare::check(preparation).await?;
    let server = ServerShown {
        flavor: checked.server.flavor.to_string(),
        version: checked.server.version.clone(),
    };
    let shown = CheckShown { server, findings: &checked.findings };
    output.result(&shown, |text| doctor::describe(&checked.findings, text))?;
    Ok(if checked.has_problem() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[derive(Serialize)]
struct Made<'a> {
    accounts: &'a [Done],
    findings: Vec<Finding>,
    settings: Vec<Line>,
    written: Option<&'a Path>,
}

/// Plans, keeps the passwords, makes the accounts, and looks whether all is there.
async fn make(
    preparation: &Preparation<'_>,
    accounts: &MySqlAccounts,
    url: &DatabaseUrl,
    args: &Prepare,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let planned = prepare::plan(preparation, &SystemEntropy, args.new_passwords).await?;
    let wish = preparation.wish;
    let expected: Vec<_> = planned.iter().map(|account| Some(account.access)).collect();
    let mut kept = match &args.to {
        Some(path) => Some(Kept::create(path, &lines::of(&planned, &expected, wish, url))?),
        None => None,
    };
    let done = prepare::carry_out(accounts, &planned).await;
    let became: Vec<_> = done.iter().map(|account| account.access).collect();
    let mut settings = lines::of(&planned, &became, wish, url);
    if let Some(kept) = &mut kept {
        if became != expected {
            kept.rewrite(&settings)?;
        }
        lines::hide(&mut settings);
    }
    let findings = look_again(preparation).await;
    let is_good =
        became == expected && findings.iter().all(|finding| finding.status != Status::Problem);
    let made = Made { accounts: &done, findings, settings, written: args.to.as_deref() };
    output.result(&made, |text| describe(&made, &planned, text))?;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whatever comes of it, the passwords must be told.
async fn look_again(preparation: &Preparation<'_>) -> Vec<Finding> {
    match prepare::check(preparation).await {
        Ok(checked) => checked.findings,
        Err(error) => {
            let failure = Failure::from(error);
            let lines: Vec<_> = [failure.to_string()].into_iter().chain(failure.causes()).collect();
            let remedy = failure.hint().unwrap_or_else(|| "look again: --check".to_owned());
            vec![Finding::problem("database", lines.join(": "), remedy)]
        }
    }
}

fn describe(made: &Made<'_>, planned: &[Planned], text: &mut String) -> fmt::Result {
    for (done, planned) in made.accounts.iter().zip(planned) {
        let (word, aside) = match done.access {
            Some(Access::Made) => ("made", ""),
            Some(Access::Renewed) => ("renewed", ": it has another password now"),
            Some(Access::Kept) => ("kept", ": its password is as it was"),
            None => ("not made", ""),
        };
        let purpose = planned.wanted.role.purpose();
        writeln!(text, "{word:<8} {}, which {purpose}{aside}", done.account)?;
        for refused in &done.refused {
            writeln!(text, "refused  {}", refused.statement)?;
            writeln!(text, "         because: {}", refused.error)?;
        }
    }
    doctor::describe(&made.findings, text)?;
    if let Some(path) = made.written {
        let path = path.display();
        return writeln!(
            text,
            "wrote {path}: the settings, with the passwords; only its owner may read it"
        );
    }
    let header = if made.settings.iter().any(|line| line.is_whole) {
        "The settings. Passwords are not shown again:"
    } else {
        "The settings; the passwords are as they were:"
    };
    writeln!(text, "\n# {header}")?;
    lines::write(&made.settings, text)
}
