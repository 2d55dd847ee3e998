//! Settings as findings: each set, missing or wrong; those that are wrong are left out and all others used.

use gorgen_adapters::settings::{DatabaseUrl, Problem, Setting, Settings, SettingsError};
use gorgen_engine::policy::findings::Finding;

/// What must be set for any backup.
const NEEDED: [Setting; 3] = [Setting::DatabaseUrl, Setting::Vault, Setting::Keyring];

/// The settings that can be used, and what is wrong with the others.
pub(super) fn read(
    pairs: Vec<(String, String)>,
) -> Result<(Settings, Vec<Problem>), SettingsError> {
    let wrong = match Settings::from_pairs(pairs.clone()) {
        Ok(settings) => return Ok((settings, Vec::new())),
        Err(error) => error.problems,
    };
    let is_wrong = |name: &str| wrong.iter().any(|problem| name_of(problem) == name);
    let usable = pairs.into_iter().filter(|(name, _)| !is_wrong(name));
    Ok((Settings::from_pairs(usable)?, wrong))
}

fn name_of(problem: &Problem) -> &str {
    match problem {
        Problem::Unknown { name, .. } => name,
        Problem::Bad { setting, .. } | Problem::Missing { setting } => setting.name(),
    }
}

/// One for each setting there is, and one for each that there is not.
pub(super) fn findings(settings: &Settings, wrong: &[Problem]) -> Vec<Finding> {
    let unknown = wrong.iter().filter(|problem| matches!(problem, Problem::Unknown { .. }));
    let unknown = unknown.map(|problem| {
        Finding::problem(
            "settings",
            problem.to_string(),
            "correct the name or take it away: every other command refuses to run",
        )
    });
    let known = Setting::ALL.into_iter().map(|setting| {
        let bad = wrong.iter().find_map(|problem| match problem {
            Problem::Bad { setting: bad, value } if *bad == setting => Some(value),
            _ => None,
        });
        match bad {
            Some(value) => Finding::problem(
                setting.name(),
                value.to_string(),
                "correct it: every other command refuses to run",
            ),
            None => of_setting(setting, settings),
        }
    });
    unknown.chain(known).collect()
}

fn of_setting(setting: Setting, settings: &Settings) -> Finding {
    let name = setting.name();
    let set = match setting {
        Setting::DatabaseUrl => {
            return settings.database().map_or_else(|_| missing(setting), of_database);
        }
        Setting::Vault => settings.vault().ok().map(ToString::to_string),
        Setting::Keyring => settings.keyring().ok().map(ToString::to_string),
        Setting::TenantColumn => settings.tenant_column().map(str::to_owned),
        Setting::LockLease => Some(format!("{} s", settings.lock_lease().as_secs())),
        Setting::Readers => Some(settings.readers().to_string()),
    };
    match set {
        Some(value) => Finding::ok(name, value),
        None => missing(setting),
    }
}

fn missing(setting: Setting) -> Finding {
    if NEEDED.contains(&setting) {
        return Finding::problem(
            setting.name(),
            "not set",
            format!("set it to {}", setting.expected()),
        );
    }
    Finding::ok(setting.name(), "not set: backups are not divided by tenant")
}

fn of_database(url: &DatabaseUrl) -> Finding {
    let name = Setting::DatabaseUrl.name();
    if url.is_exposed() {
        let fact =
            format!("{url}, without TLS: rows and the password cross the network in the clear");
        return Finding::warning(name, fact, "take tls=off out of it");
    }
    Finding::ok(name, url.to_string())
}
