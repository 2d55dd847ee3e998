//! `gorgen-backup prepare --print`: a script for any client, run by somebody who may.

use std::{
    fmt::{self, Write},
    process::ExitCode,
};

use gorgen_adapters::{ambient::SystemClock, settings::Settings};
use gorgen_engine::{
    Error,
    model::{Flavor, ServerInfo},
    policy::prepare::{Login, Wish, script, server_settings},
    ports::Accounts,
};
use serde::Serialize;

use super::lines::Line;
use crate::{
    args::{Prepare, ServerKind},
    failure::Failure,
    output::Output,
    wiring,
};

#[derive(Serialize)]
struct Script {
    server: String,
    accounts: Vec<OfAccount>,
    server_settings: &'static [&'static str],
    settings: Vec<Line>,
}

#[derive(Serialize)]
struct OfAccount {
    role: &'static str,
    account: String,
    statements: Vec<String>,
    #[serde(skip)]
    purpose: &'static str,
}

pub(super) async fn run(
    args: &Prepare,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let url = wiring::address(settings).await?;
    let wish = super::wish(args, &url)?;
    let server = match args.server {
        Some(kind) => of_kind(kind),
        None => ask(settings).await?,
    };
    let accounts = wish.accounts.iter().map(|wanted| OfAccount {
        role: wanted.role.as_str(),
        account: wanted.account.to_string(),
        statements: script(wanted, &wish, &server),
        purpose: wanted.role.purpose(),
    });
    let settings = wish.accounts.iter().map(|wanted| Line::new(wanted, None, &wish, &url));
    let shown = Script {
        server: server.flavor.to_string(),
        accounts: accounts.collect(),
        server_settings: server_settings(server.flavor),
        settings: settings.collect(),
    };
    output.result(&shown, |text| describe(&shown, &wish, text))?;
    Ok(ExitCode::SUCCESS)
}

/// A server of this kind. The version decides what the privilege for definers is called.
fn of_kind(kind: ServerKind) -> ServerInfo {
    let (flavor, version) = match kind {
        ServerKind::Mysql => (Flavor::MySql, "8.4"),
        ServerKind::Mysql80 => (Flavor::MySql, "8.0"),
        ServerKind::Mariadb => (Flavor::MariaDb, "10.11"),
        ServerKind::Tidb => (Flavor::TiDb, "8.5"),
    };
    ServerInfo { flavor, version: version.to_owned() }
}

/// Any account may ask what the server is.
async fn ask(settings: &Settings) -> Result<ServerInfo, Failure> {
    let (accounts, _) = wiring::accounts(settings).await?;
    let premises = accounts.premises(&SystemClock).await.map_err(Error::from)?;
    accounts.close().await;
    Ok(premises.survey.server)
}

fn describe(script: &Script, wish: &Wish, text: &mut String) -> fmt::Result {
    let database = on_one_line(&wish.database);
    writeln!(
        text,
        "-- The accounts of gorgen-backup for the database {database} on {}.",
        script.server
    )?;
    writeln!(text, "-- Run this as an administrator; it may be run again.")?;
    if wish.login == Login::Password {
        writeln!(
            text,
            "-- Put a password in quotes, another one each time, in the place of <PASSWORD>."
        )?;
    }
    for account in &script.accounts {
        writeln!(text, "\n-- {}", account.purpose)?;
        account.statements.iter().try_for_each(|statement| writeln!(text, "{statement}"))?;
    }
    writeln!(
        text,
        "\n-- Settings of the server, if it is restored into (on Amazon RDS in its parameter group):"
    )?;
    script.server_settings.iter().try_for_each(|setting| writeln!(text, "--   {setting}"))?;
    writeln!(text, "-- Settings of gorgen-backup:")?;
    script.settings.iter().try_for_each(|line| {
        let value = line.value.as_deref().unwrap_or_default();
        writeln!(text, "--   {}: {}='{value}'", line.purpose, line.name)
    })
}

/// A name may have line feeds in it, after which a comment would end.
fn on_one_line(text: &str) -> String {
    text.replace(char::is_control, "?")
}
