//! `gorgen-backup keys`

use std::{
    fmt::{self, Write},
    path::{Path, absolute},
    process::ExitCode,
    sync::Arc,
};

use gorgen_adapters::{
    aws::Aws,
    keyring::FileKeyring,
    settings::{KeyringUrl, Setting, Settings},
};
use gorgen_engine::{
    Error,
    jobs::keys::{
        erase::{self, Place},
        rewrap, rotate,
        status::{self, Key},
    },
    model::Scope,
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    args::{Drill, Erase, Rewrap},
    failure::Failure,
    output::Output,
    wiring,
};

/// What a key that does not open comes to.
const LOST: u8 = 3;

pub(super) fn create(path: &Path, output: &Output) -> Result<ExitCode, Failure> {
    let path = absolute(path);
    let path = path.map_err(|source| Failure::io("find the folder of the key file", source))?;
    let keyring = FileKeyring::create(&path).map_err(Error::from)?;
    let shown = json!({ "path": path, "key": keyring.id() });
    output.result(&shown, |text| {
        writeln!(text, "wrote {}", path.display())?;
        writeln!(text, "  without this file no backup made with it can be opened: keep a copy where the vault is not")
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn status(settings: &Settings, output: &Output) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let report = status::run(&world).await?;
    output.result(&report, |text| describe(&report, text))?;
    Ok(code(&report))
}

/// The same as a status, with the identity alone: it opens all keys there are and every manifest.
pub(super) async fn drill(
    args: &Drill,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let path = absolute(&args.identity);
    let path = path.map_err(|source| Failure::io("find the file of --identity", source))?;
    let world = wiring::world_of(settings, &KeyringUrl::Age(path)).await?;
    let report = status::run(&world).await?;
    output.result(&report, |text| {
        describe(&report, text)?;
        let left = || report.keys.iter().filter(|key| key.erased.is_none());
        let opened = left().filter(|key| key.problem.is_none()).count();
        let (keys, backups) = (left().count(), report.backups);
        let whole = backups - report.lost.len() as u64;
        writeln!(
            text,
            "this identity opens {opened} of {keys} data keys, and {whole} of {backups} backups"
        )
    })?;
    Ok(code(&report))
}

fn code(report: &status::Report) -> ExitCode {
    if report.all_open() { ExitCode::SUCCESS } else { ExitCode::from(LOST) }
}

fn describe(report: &status::Report, text: &mut String) -> fmt::Result {
    writeln!(text, "keyring  {}", report.keyring)?;
    for wrapping in &report.wrapping_keys {
        let whose = if wrapping.ours { "" } else { ", which this keyring does not open" };
        let (by, key, keys) = (&wrapping.by, &wrapping.wrapping_key, wrapping.keys);
        writeln!(text, "  {keys} data keys wrapped by {by}:{key}{whose}")?;
    }
    let keys: Vec<&Key> = report.keys.iter().collect();
    for kind in keys.chunk_by(|one, next| kind(one) == kind(next)) {
        describe_kind(kind, report.at, text)?;
    }
    for key in &report.keys {
        if let Some(problem) = &key.problem {
            writeln!(text, "  PROBLEM {}: {problem}", key.key)?;
        }
    }
    for lost in &report.lost {
        let what = if lost.wholly { "cannot be opened" } else { "opens only in part" };
        let keys: Vec<_> = lost.keys.iter().map(ToString::to_string).collect();
        writeln!(text, "  LOST backup {} {what}: it needs {}", lost.backup, keys.join(", "))?;
    }
    Ok(())
}

/// What a key is for, and whether it is a tenant's: the tenants' are told together.
fn kind(key: &Key) -> (&'static str, bool) {
    (key.purpose, matches!(key.scope, Scope::Tenant(_)))
}

fn describe_kind(keys: &[&Key], now: Timestamp, text: &mut String) -> fmt::Result {
    let Some(first) = keys.first() else { return Ok(()) };
    let whose = match first.scope {
        Scope::Shared => "shared".to_owned(),
        Scope::Tenant(_) => {
            format!("{} tenants", keys.chunk_by(|one, next| one.scope == next.scope).count())
        }
    };
    let erased = keys.iter().filter(|key| key.erased.is_some()).count();
    let erased = if erased > 0 { format!(", {erased} erased") } else { String::new() };
    let current = keys.iter().filter(|key| key.current).count();
    let ages = || keys.iter().filter_map(|key| key.created).map(|made| days(made, now));
    let (youngest, oldest) = (ages().min().unwrap_or_default(), ages().max().unwrap_or_default());
    let used = match keys.iter().filter_map(|key| key.last_backup.as_ref()).max() {
        Some(backup) => format!(", last needed by backup {backup}"),
        None => String::new(),
    };
    writeln!(
        text,
        "  {:<8} {whose:<12} {} keys, {youngest} to {oldest} days old, {current} in use{erased}{used}",
        first.purpose,
        keys.len(),
    )
}

/// Whole days from one time to a later one.
fn days(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours().max(0) / 24
}

pub(super) async fn rotate(settings: &Settings, output: &Output) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let report = rotate::run(&world).await?;
    output.result(&report, |text| {
        report.keys.iter().try_for_each(|key| writeln!(text, "made {key}"))?;
        writeln!(
            text,
            "{} new data keys: the next backup seals with them, all others open as before",
            report.keys.len()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn rewrap(
    args: &Rewrap,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let world = wiring::world(settings).await?;
    let to = match &args.to {
        Some(url) => wiring::keyring_for_new(settings, url, &Aws::new()).await?,
        None => Arc::clone(&world.keyring),
    };
    let report = rewrap::run(&world, &*to).await?;
    output.result(&report, |text| describe_rewrap(&report, text))?;
    Ok(if report.unopened.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(LOST) })
}

fn describe_rewrap(report: &rewrap::Report, text: &mut String) -> fmt::Result {
    for unopened in &report.unopened {
        writeln!(text, "PROBLEM {}: {}", unopened.key, unopened.why)?;
    }
    let opened = report.keys - report.unopened.len() as u64;
    writeln!(text, "{opened} of {} data keys open with {}", report.keys, report.keyring)?;
    writeln!(text, "  wrapped  {} anew, {} before", report.rewrapped, opened - report.rewrapped)?;
    writeln!(text, "  old      wrappings taken from {} of them", report.released)?;
    writeln!(text, "  next     set GORGEN_KEYRING={}, here and for the functions", report.keyring)
}

pub(super) async fn erase(
    args: &Erase,
    settings: &Settings,
    output: &Output,
) -> Result<ExitCode, Failure> {
    // Without it nobody could tell what these keys have no hold on.
    settings.require(&[Setting::TenantColumn])?;
    let world = wiring::world(settings).await?;
    let remover = wiring::remover(settings).await?;
    let replica = wiring::replica_remover(settings).await?;
    let place = |vault, remover| Place { vault, remover };
    let replica = replica.as_ref().map(|(vault, remover)| place(&**vault, &**remover));
    let request = erase::Request {
        tenant: args.tenant.clone(),
        tenant_column: settings.tenant_column().unwrap_or_default().to_owned(),
        lease: settings.lock_lease(),
        dry_run: args.dry_run,
    };
    if !args.dry_run {
        let expected = format!("ERASE {}", args.tenant);
        if args.confirm.as_ref() != Some(&expected) {
            let given = args.confirm.clone().unwrap_or_else(|| "nothing".to_owned());
            let what = format!("the keys of tenant {} are to be destroyed for good", args.tenant);
            let expected = format!("'{expected}'");
            return Err(Failure::NotConfirmed { what, expected, given });
        }
    }
    let report = erase::run(&world, place(&*world.vault, &*remover), replica, &request).await?;
    output.result(&report, |text| describe_erasure(&report, &args.tenant, text))?;
    let done = report.dry_run || report.is_complete();
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::from(LOST) })
}

fn describe_erasure(report: &erase::Report, tenant: &str, text: &mut String) -> fmt::Result {
    let (keys, backups) = (report.keys.len(), report.backups.len());
    if report.dry_run {
        writeln!(
            text,
            "would erase {keys} data keys of tenant {tenant}, which {backups} backups need"
        )?;
    } else {
        writeln!(
            text,
            "erased {keys} data keys of tenant {tenant}, which {backups} backups needed"
        )?;
    }
    if report.erased_before > 0 {
        writeln!(text, "  before   {} of them were erased already", report.erased_before)?;
    }
    if report.in_newest > 0 {
        writeln!(
            text,
            "  database the newest backup holds {} rows of this tenant: delete them from the database, or the next backup stores them \
             again",
            report.in_newest
        )?;
    }
    if !report.not_covered.is_empty() {
        let tables = report.not_covered.join(", ");
        writeln!(text, "  stays    rows of tables without the tenant column: {tables}")?;
    }
    for backup in &report.undivided {
        writeln!(
            text,
            "  LEFT     backup {backup} was made without the tenant column: all tenants' rows lie together in it"
        )?;
    }
    for backup in &report.unreadable {
        writeln!(text, "  LEFT     backup {backup} does not open: what it holds is not known")?;
    }
    for one in &report.not_there {
        writeln!(
            text,
            "  LEFT     {} is not in {} yet: run this again once it is",
            one.key, one.place
        )?;
    }
    for of_place in report.locked.chunk_by(|one, next| one.place == next.place) {
        let Some(first) = of_place.first() else { continue };
        let ends: Option<Vec<Timestamp>> = of_place.iter().map(|locked| locked.until).collect();
        let until = match ends.and_then(|ends| ends.into_iter().max()) {
            Some(until) => format!("until {until}"),
            None => "until somebody lifts its hold".to_owned(),
        };
        writeln!(
            text,
            "  LOCKED   {until}, in {}: older versions of {} keys, which open them",
            first.place,
            of_place.len()
        )?;
    }
    if !report.locked.is_empty() {
        writeln!(
            text,
            "  next     run this again then; no command reads these rows any more meanwhile"
        )?;
    }
    Ok(())
}
