//! From settings to ports: the one place that knows which adapter stands behind which port.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use gorgen_adapters::{
    ambient::{SystemClock, SystemEntropy},
    aws::Aws,
    credentials::{self, Database},
    keyring::{self, NoKeyring},
    mysql::{LoadBy, MySqlAccounts, MySqlScratch, MySqlServer, MySqlSource, MySqlTarget},
    settings::{DatabaseUrl, KeyringUrl, Setting, Settings, SettingsError, VaultUrl},
    vault,
};
use gorgen_engine::{
    Error,
    jobs::{World, custody::Custody, verify::Replica},
    ports::{Keyring, Mender, Progress, Remover, Vault},
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
    open_vault(settings.vault()?, &Aws::new()).await
}

/// The vault at this address.
pub(crate) async fn open_vault(url: &VaultUrl, aws: &Aws) -> Result<Arc<dyn Vault>, Failure> {
    let opened = vault::open(url, aws).await;
    opened.map_err(|error| Failure::unopened(error, AWS_REMEDY))
}

/// The keyring at this address.
pub(crate) async fn open_keyring(url: &KeyringUrl, aws: &Aws) -> Result<Arc<dyn Keyring>, Failure> {
    let opened = keyring::open(url, aws).await;
    opened.map_err(|error| match url {
        KeyringUrl::File(path) => Failure::unopened(error, remedy_of_key_file(path)),
        KeyringUrl::Age(_) => Failure::unopened(error, IDENTITY_REMEDY),
        KeyringUrl::Kms(_) => Failure::unopened(error, AWS_REMEDY),
    })
}

const IDENTITY_REMEDY: &str =
    "name the file that age-keygen made for the safe, decrypted, and that this account may read";
const AWS_REMEDY: &str = "set what AWS's own tools need: region, and credentials or a profile";

fn remedy_of_key_file(path: &Path) -> String {
    let shown = path.display();
    match fs::metadata(path).map(|metadata| metadata.permissions().mode()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => format!(
            "bring the key file back from its safe copy, or correct GORGEN_KEYRING; only if there is no backup yet, make \
             one: gorgen-backup keys create {shown}"
        ),
        Ok(mode) if mode & 0o077 != 0 => format!("chmod 600 {shown}"),
        _ => "see that GORGEN_KEYRING names the right file and that this account may read it; if it is damaged, bring it \
            back from its safe copy"
            .to_owned(),
    }
}

/// The vault's copy with what opens its keys, if there is one.
pub(crate) async fn replica(settings: &Settings) -> Result<Option<Replica>, Failure> {
    let Some((vault, keyring)) = settings.replica()? else { return Ok(None) };
    let aws = Aws::new();
    let (vault, keyring) = (open_vault(vault, &aws).await?, open_keyring(keyring, &aws).await?);
    Ok(Some(Replica { vault, keyring }))
}

/// What replaces damaged objects of the vault, and of its copy if there is one: for a repair alone.
pub(crate) struct Menders {
    pub(crate) vault: Arc<dyn Mender>,
    pub(crate) replica: Option<Arc<dyn Mender>>,
}

/// The menders of the places that are set.
pub(crate) async fn menders(settings: &Settings) -> Result<Menders, Failure> {
    let aws = Aws::new();
    let open = async |url: &VaultUrl| {
        let opened = vault::mender(url, &aws).await;
        opened.map_err(|error| Failure::unopened(error, AWS_REMEDY))
    };
    let replica = match settings.replica()? {
        Some((replica, _)) => Some(open(replica).await?),
        None => None,
    };
    Ok(Menders { vault: open(settings.vault()?).await?, replica })
}

/// The vault with its keys, the time and randomness.
pub(crate) async fn world(settings: &Settings) -> Result<World, Failure> {
    settings.require(&[Setting::Vault, Setting::Keyring])?;
    world_of(settings, settings.keyring()?).await
}

/// The same with the keys of another keyring than the settings name.
pub(crate) async fn world_of(settings: &Settings, keyring: &KeyringUrl) -> Result<World, Failure> {
    let keyring = keyring_for_new(settings, keyring, &Aws::new()).await?;
    world_with(settings, keyring).await
}

/// The keyring at this address, with the offline recipient for whom it wraps keys, too.
pub(crate) async fn keyring_for_new(
    settings: &Settings,
    url: &KeyringUrl,
    aws: &Aws,
) -> Result<Arc<dyn Keyring>, Failure> {
    let keyring = open_keyring(url, aws).await?;
    Ok(keyring::for_recipient(keyring, settings.offline_recipient()))
}

/// The same for what opens nothing.
pub(crate) async fn world_without_keys(settings: &Settings) -> Result<World, Failure> {
    world_with(settings, Arc::new(NoKeyring)).await
}

async fn world_with(settings: &Settings, keyring: Arc<dyn Keyring>) -> Result<World, Failure> {
    Ok(World {
        vault: vault(settings).await?,
        keyring,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        progress: Arc::new(Progress::default()),
        tool: concat!("gorgen-backup ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

/// What locks backups, and for how long.
pub(crate) async fn custody(settings: &Settings) -> Result<Custody, Failure> {
    let locks = vault::locks(settings.vault()?, &Aws::new()).await;
    Ok(Custody {
        locks: locks.map_err(|error| Failure::unopened(error, AWS_REMEDY))?,
        rules: settings.retention(),
        zone: settings.timezone(),
    })
}

/// What removes backups.
pub(crate) async fn remover(settings: &Settings) -> Result<Arc<dyn Remover>, Failure> {
    let remover = vault::remover(settings.vault()?, &Aws::new()).await;
    remover.map_err(|error| Failure::unopened(error, AWS_REMEDY))
}

/// What removes older versions of objects of the copy, and the copy, if there is one.
pub(crate) async fn replica_remover(
    settings: &Settings,
) -> Result<Option<(Arc<dyn Vault>, Arc<dyn Remover>)>, Failure> {
    let Some((url, _)) = settings.replica()? else { return Ok(None) };
    let aws = Aws::new();
    let remover = vault::remover(url, &aws).await;
    let remover = remover.map_err(|error| Failure::unopened(error, AWS_REMEDY))?;
    Ok(Some((open_vault(url, &aws).await?, remover)))
}

/// The database that is protected.
pub(crate) async fn source(settings: &Settings) -> Result<MySqlSource, Failure> {
    Ok(MySqlSource::new(resolve(settings.database()?).await?))
}

/// Another database on the same server, to restore into.
pub(crate) async fn target(settings: &Settings, database: &str) -> Result<MySqlTarget, Failure> {
    let url = resolve(&settings.database()?.with_database(database)).await?;
    Ok(MySqlTarget::new(url, LoadBy::default()))
}

/// A database on the server where restores are tested.
pub(crate) async fn scratch(settings: &Settings, database: &str) -> Result<MySqlTarget, Failure> {
    let url = resolve(&settings.scratch()?.with_database(database)).await?;
    Ok(MySqlTarget::new(url, LoadBy::default()))
}

/// The server where restores are tested.
pub(crate) async fn scratch_for_tests(settings: &Settings) -> Result<MySqlScratch, Failure> {
    Ok(MySqlScratch::new(resolve(settings.scratch()?).await?))
}

/// The server of the database that is protected.
pub(crate) async fn server(settings: &Settings) -> Result<MySqlServer, Failure> {
    Ok(MySqlServer::new(resolve(settings.database()?).await?))
}

/// The server where restores are tested, if one is set.
pub(crate) async fn scratch_server(settings: &Settings) -> Result<Option<MySqlServer>, Failure> {
    match settings.scratch() {
        Ok(database) => Ok(Some(MySqlServer::new(resolve(database).await?))),
        Err(_) => Ok(None),
    }
}

/// The accounts of that server, for whoever may make some; and the address at which it was reached.
pub(crate) async fn accounts(settings: &Settings) -> Result<(MySqlAccounts, DatabaseUrl), Failure> {
    let url = resolve(settings.database()?).await?;
    let accounts = MySqlAccounts::connect(url.clone()).await.map_err(Error::from)?;
    Ok((accounts, url))
}

/// The address of the protected database, as far as it is known without asking AWS.
pub(crate) async fn address(settings: &Settings) -> Result<DatabaseUrl, Failure> {
    let database = settings.database()?;
    match database.as_known() {
        Some(url) => Ok(url),
        None => resolve(database).await,
    }
}

async fn resolve(database: &Database) -> Result<DatabaseUrl, Failure> {
    Ok(credentials::resolve(database, &Aws::new()).await?)
}
