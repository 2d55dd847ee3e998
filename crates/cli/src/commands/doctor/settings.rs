//! Settings as findings: each set, missing or wrong; those that are wrong are left out and all others used.

use gorgen_adapters::{
    credentials::Database,
    settings::{Problem, Setting, Settings},
};
use gorgen_engine::policy::findings::Finding;

/// What must be set for any backup.
const NEEDED: [Setting; 3] = [Setting::DatabaseUrl, Setting::Vault, Setting::Keyring];

/// The settings that can be used, and what is wrong with the others.
pub(super) fn read(mut pairs: Vec<(String, String)>) -> (Settings, Vec<Problem>) {
    let mut wrong = Vec::new();
    // Again, as what is left may now lack something: a URL without a user, once its secret is left out.
    loop {
        let found = match Settings::from_pairs(pairs.clone()) {
            Ok(settings) => return (settings, wrong),
            Err(error) => error.problems,
        };
        pairs.retain(|(name, _)| !found.iter().any(|problem| name_of(problem) == name));
        wrong.extend(found);
    }
}

fn name_of(problem: &Problem) -> &str {
    match problem {
        Problem::Unknown { name, .. } => name,
        Problem::Bad { setting, .. } | Problem::Missing { setting } => setting.name(),
    }
}

/// One for each setting that is there or missed, and one for each name that is no setting's.
pub(super) fn findings(settings: &Settings, wrong: &[Problem]) -> Vec<Finding> {
    let unknown = wrong.iter().filter(|problem| matches!(problem, Problem::Unknown { .. }));
    let unknown = unknown.map(|problem| {
        Finding::problem(
            "settings",
            problem.to_string(),
            "correct the name or take it away: every other command refuses to run",
        )
    });
    let known = Setting::ALL.into_iter().filter_map(|setting| {
        let bad = wrong.iter().find_map(|problem| match problem {
            Problem::Bad { setting: bad, value } if *bad == setting => Some(value),
            _ => None,
        });
        match bad {
            Some(value) => Some(Finding::problem(
                setting.name(),
                value.to_string(),
                "correct it: every other command refuses to run",
            )),
            None => of_setting(setting, settings),
        }
    });
    unknown.chain(known).collect()
}

fn of_setting(setting: Setting, settings: &Settings) -> Option<Finding> {
    let name = setting.name();
    let set = match setting {
        Setting::DatabaseUrl => settings.database().ok().map(|url| of_database(setting, url)),
        Setting::ScratchUrl => settings.scratch().ok().map(|url| of_database(setting, url)),
        // What is said of the URL says it, or `restore --dry-run`.
        Setting::DatabaseSecret
        | Setting::ScratchSecret
        | Setting::AppendOnly
        | Setting::RestoreSkip
        | Setting::TenantPaths
        | Setting::UndoHours
        // What `import-legacy` alone needs, and nobody may see.
        | Setting::LegacySecret
        // The functions' own.
        | Setting::NoticeTopic
        | Setting::Notices
        // The api's own.
        | Setting::RestoreMachine
        | Setting::RestoreTestMachine
        | Setting::JobFunctions
        | Setting::ScheduleGroup
        | Setting::RoleClaim
        | Setting::AdminRole
        | Setting::MasterRole => return None,
        Setting::Vault => settings.vault().ok().map(|url| Finding::ok(name, url.to_string())),
        Setting::Keyring => settings.keyring().ok().map(|url| Finding::ok(name, url.to_string())),
        Setting::OfflineRecipient => {
            settings.offline_recipient().map(|recipient| Finding::ok(name, recipient.to_string()))
        }
        Setting::ReplicaVault => of_replica(settings).map(|(url, _)| Finding::ok(name, url)),
        Setting::ReplicaKeyring => of_replica(settings).map(|(_, url)| Finding::ok(name, url)),
        Setting::TenantColumn => settings.tenant_column().map(|column| Finding::ok(name, column)),
        Setting::TimeZone => settings.timezone().iana_name().map(|zone| Finding::ok(name, zone)),
        Setting::Lang => Some(Finding::ok(name, settings.language().tag())),
        Setting::Retention => Some(Finding::ok(name, settings.retention().to_string())),
        Setting::LockLease => {
            Some(Finding::ok(name, format!("{} s", settings.lock_lease().as_secs())))
        }
        Setting::Readers => Some(Finding::ok(name, settings.readers().to_string())),
    };
    set.or_else(|| missing(setting))
}

fn of_replica(settings: &Settings) -> Option<(String, String)> {
    let (vault, keyring) = settings.replica().ok()??;
    Some((vault.to_string(), keyring.to_string()))
}

fn missing(setting: Setting) -> Option<Finding> {
    let name = setting.name();
    if NEEDED.contains(&setting) {
        let remedy = format!("set it to {}", setting.expected());
        return Some(Finding::problem(name, "not set", remedy));
    }
    let is_said = setting == Setting::TenantColumn;
    is_said.then(|| Finding::ok(name, "not set: backups are not divided by tenant"))
}

fn of_database(setting: Setting, database: &Database) -> Finding {
    let name = setting.name();
    if database.is_exposed() {
        let fact = format!(
            "{database}, without TLS: rows and the password cross the network in the clear"
        );
        return Finding::warning(name, fact, "take tls=off out of it");
    }
    Finding::ok(name, database.to_string())
}
