//! From settings to ports: the one place that knows which adapter stands behind which port.

use std::sync::Arc;

use gorgen_adapters::{
    ambient::{SystemClock, SystemEntropy},
    aws::Aws,
    keyring,
    mysql::{LoadBy, MySqlSource, MySqlTarget},
    settings::{Setting, Settings, SettingsError},
    vault,
};
use gorgen_engine::{
    Error,
    jobs::World,
    ports::{Progress, Vault},
};

use crate::{args::Options, failure::Failure};

/// The settings: the environment's, overridden by the command line's.
pub(crate) fn settings(options: &Options) -> Result<Settings, SettingsError> {
    Settings::from_pairs(pairs(options))
}

/// Names and values as they were given; of several values for one name the last counts.
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment is read once")]
pub(crate) fn pairs(options: &Options) -> Vec<(String, String)> {
    let given = [
        (Setting::Vault, &options.vault),
        (Setting::Keyring, &options.keyring),
        (Setting::Readers, &options.readers),
    ];
    let given = given
        .into_iter()
        .filter_map(|(setting, value)| Some((setting.name().to_owned(), value.clone()?)));
    // `vars` would panic at a name or value that is no Unicode, be it none of ours.
    let text = |given: std::ffi::OsString| given.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    environment.chain(given).collect()
}

/// The vault alone, for what needs no key.
pub(crate) async fn vault(settings: &Settings) -> Result<Arc<dyn Vault>, Failure> {
    Ok(vault::open(settings.vault()?, &Aws::new()).await.map_err(Error::from)?)
}

/// The vault with its keys, the time and randomness.
pub(crate) async fn world(settings: &Settings) -> Result<World, Failure> {
    settings.require(&[Setting::Vault, Setting::Keyring])?;
    let aws = Aws::new();
    Ok(World {
        vault: vault::open(settings.vault()?, &aws).await.map_err(Error::from)?,
        keyring: keyring::open(settings.keyring()?, &aws).await.map_err(Error::from)?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        progress: Arc::new(Progress::default()),
        tool: concat!("gorgen-backup ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

/// The database that is protected.
pub(crate) fn source(settings: &Settings) -> Result<MySqlSource, SettingsError> {
    Ok(MySqlSource::new(settings.database()?.clone()))
}

/// Another database on the same server, to restore into.
pub(crate) fn target(settings: &Settings, database: &str) -> Result<MySqlTarget, SettingsError> {
    Ok(MySqlTarget::new(settings.database()?.with_database(database), LoadBy::default()))
}
