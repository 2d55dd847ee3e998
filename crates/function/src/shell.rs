//! What surrounds one call: settings and connections of the process, and what belongs to this call alone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use gorgen_adapters::{
    ambient::{SystemClock, SystemEntropy},
    aws::Aws,
    credentials,
    keyring::{self, NoKeyring},
    mysql::{LoadBy, MySqlScratch, MySqlServer, MySqlSource, MySqlTarget},
    settings::Settings,
    vault,
};
use gorgen_engine::{
    Error,
    jobs::{World, custody::Custody, verify::Replica},
    model::RunId,
    ports::{Clock, Keyring, Progress, Remover, Vault},
};
use jiff::Timestamp;

#[cfg(feature = "control")]
use gorgen_adapters::{
    control::{EventBridge, JobFunctions, LambdaFunctions, Schedules, StateMachine, StepFunctions},
    settings::{ApiSettings, Setting},
};

use crate::{Failure, Measure, Metric, Part};

/// Name and version of this program, kept in manifests.
const TOOL: &str = concat!("gorgen-backup ", env!("CARGO_PKG_VERSION"));

/// What is read and connected once per cold start.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    settings: Arc<Settings>,
    aws: Aws,
}

impl Process {
    /// The settings of the environment.
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self { settings: Arc::new(Settings::from_pairs(environment())?), aws: Aws::of_lambda() })
    }

    /// The vault as metrics name it.
    pub(crate) fn vault_name(&self) -> String {
        self.settings.vault().map_or_else(|_| "unknown".to_owned(), ToString::to_string)
    }
}

/// The names and values of the environment.
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment is read once")]
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    // `vars` would panic at a name or value that is no Unicode, be it none of ours.
    let text = |given: std::ffi::OsString| given.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// What surrounds one call.
pub struct Shell {
    process: Process,
    deadline: Option<Timestamp>,
    progress: Arc<Progress>,
    measures: Mutex<BTreeMap<Metric, f64>>,
    part: Mutex<Part>,
}

impl Shell {
    pub(crate) fn new(process: &Process, deadline: Option<Timestamp>) -> Self {
        Self {
            process: process.clone(),
            deadline,
            progress: Arc::default(),
            measures: Mutex::default(),
            part: Mutex::default(),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.process.settings
    }

    /// When to stop, with time left to put things in order.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// The vault.
    ///
    /// # Errors
    /// If no vault is set, or AWS can't be used.
    pub async fn vault(&self) -> Result<Arc<dyn Vault>, Failure> {
        let opened = vault::open(self.settings().vault()?, &self.process.aws).await;
        Ok(opened.map_err(Error::from)?)
    }

    /// The vault's copy with what opens its keys, if there is one.
    ///
    /// # Errors
    /// If no keyring is set, or AWS can't be used.
    pub async fn replica(&self) -> Result<Option<Replica>, Failure> {
        let Some((vault, keyring)) = self.settings().replica()? else { return Ok(None) };
        let vault = vault::open(vault, &self.process.aws).await.map_err(Error::from)?;
        let keyring = keyring::open(keyring, &self.process.aws).await.map_err(Error::from)?;
        Ok(Some(Replica { vault, keyring }))
    }

    /// The vault with what wraps its keys.
    ///
    /// # Errors
    /// If vault or keyring is not set, or AWS can't be used.
    pub async fn world(&self) -> Result<World, Failure> {
        let keyring = keyring::open(self.settings().keyring()?, &self.process.aws).await;
        let recipient = self.settings().offline_recipient();
        let keyring = keyring::for_recipient(keyring.map_err(Error::from)?, recipient);
        self.world_with(keyring).await
    }

    /// The vault without keys, for jobs that open nothing.
    ///
    /// # Errors
    /// If no vault is set, or AWS can't be used.
    pub async fn world_without_keys(&self) -> Result<World, Failure> {
        self.world_with(Arc::new(NoKeyring)).await
    }

    async fn world_with(&self, keyring: Arc<dyn Keyring>) -> Result<World, Failure> {
        Ok(World {
            vault: self.vault().await?,
            keyring,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            progress: Arc::clone(&self.progress),
            tool: TOOL.to_owned(),
        })
    }

    /// What locks backups, and for how long.
    ///
    /// # Errors
    /// If no vault is set, or AWS can't be used.
    pub async fn custody(&self) -> Result<Custody, Failure> {
        let (settings, aws) = (self.settings(), &self.process.aws);
        let locks = vault::locks(settings.vault()?, aws).await.map_err(Error::from)?;
        Ok(Custody { locks, rules: settings.retention(), zone: settings.timezone() })
    }

    /// What removes backups.
    ///
    /// # Errors
    /// If no vault is set, or AWS can't be used.
    pub async fn remover(&self) -> Result<Arc<dyn Remover>, Failure> {
        let opened = vault::remover(self.settings().vault()?, &self.process.aws).await;
        Ok(opened.map_err(Error::from)?)
    }

    /// The database that is protected.
    ///
    /// # Errors
    /// If it is not set, or its credentials can't be had.
    pub async fn source(&self) -> Result<MySqlSource, Failure> {
        let database = credentials::resolve(self.settings().database()?, &self.process.aws).await?;
        Ok(MySqlSource::new(database))
    }

    /// A database of another name on the server of the one that is protected.
    ///
    /// # Errors
    /// If the server is not set, or its credentials can't be had.
    pub async fn beside(&self, name: impl FnOnce(&str) -> String) -> Result<MySqlTarget, Failure> {
        let database = credentials::resolve(self.settings().database()?, &self.process.aws).await?;
        let name = name(&database.database);
        Ok(MySqlTarget::new(database.with_database(name), LoadBy::default()))
    }

    /// The server where restores are tested.
    ///
    /// # Errors
    /// If no scratch server is set, or its credentials can't be had.
    pub async fn scratch(&self) -> Result<MySqlScratch, Failure> {
        let database = credentials::resolve(self.settings().scratch()?, &self.process.aws).await?;
        Ok(MySqlScratch::new(database))
    }

    /// The server of the database that is protected.
    ///
    /// # Errors
    /// If it is not set, or its credentials can't be had.
    pub async fn server(&self) -> Result<MySqlServer, Failure> {
        let database = credentials::resolve(self.settings().database()?, &self.process.aws).await?;
        Ok(MySqlServer::new(database))
    }

    /// The server for throw-away databases, if one is set.
    ///
    /// # Errors
    /// If its credentials can't be had.
    pub async fn scratch_server(&self) -> Result<Option<MySqlServer>, Failure> {
        let Ok(database) = self.settings().scratch() else { return Ok(None) };
        let database = credentials::resolve(database, &self.process.aws).await?;
        Ok(Some(MySqlServer::new(database)))
    }

    /// The state machine that restores.
    ///
    /// # Errors
    /// If it is not set, or AWS can't be used.
    #[cfg(feature = "control")]
    pub async fn restore_machine(&self) -> Result<Arc<dyn StateMachine>, Failure> {
        let arn = self.needed(Setting::RestoreMachine, |api| api.restore_machine.as_deref())?;
        Ok(Arc::new(StepFunctions::open(arn, &self.process.aws).await?))
    }

    /// The state machine that tests restores.
    ///
    /// # Errors
    /// If it is not set, or AWS can't be used.
    #[cfg(feature = "control")]
    pub async fn restore_test_machine(&self) -> Result<Arc<dyn StateMachine>, Failure> {
        let setting = Setting::RestoreTestMachine;
        let arn = self.needed(setting, |api| api.restore_test_machine.as_deref())?;
        Ok(Arc::new(StepFunctions::open(arn, &self.process.aws).await?))
    }

    /// The functions of the jobs.
    ///
    /// # Errors
    /// If they are not set, or AWS can't be used.
    #[cfg(feature = "control")]
    pub async fn job_functions(&self) -> Result<Arc<dyn JobFunctions>, Failure> {
        let prefix = self.needed(Setting::JobFunctions, |api| api.job_functions.as_deref())?;
        Ok(Arc::new(LambdaFunctions::open(prefix, &self.process.aws).await?))
    }

    /// The schedules of the jobs.
    ///
    /// # Errors
    /// If they are not set, or AWS can't be used.
    #[cfg(feature = "control")]
    pub async fn schedules(&self) -> Result<Arc<dyn Schedules>, Failure> {
        let group = self.needed(Setting::ScheduleGroup, |api| api.schedule_group.as_deref())?;
        Ok(Arc::new(EventBridge::open(group, &self.process.aws).await?))
    }

    #[cfg(feature = "control")]
    fn needed<'a>(
        &'a self,
        setting: Setting,
        value: impl FnOnce(&'a ApiSettings) -> Option<&'a str>,
    ) -> Result<&'a str, Failure> {
        self.settings().require(&[setting])?;
        Ok(value(self.settings().api()).unwrap_or_default())
    }

    /// Notes a measure of this run, which goes into the log when it ends, however it ends.
    pub fn measure(&self, metric: Metric, value: f64) {
        self.measures.lock().unwrap_or_else(PoisonError::into_inner).insert(metric, value);
    }

    /// Says what part of its job this call is.
    pub fn is(&self, part: Part) {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    pub(crate) fn part(&self) -> Part {
        self.part.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn measures(&self) -> Vec<Measure> {
        let measures = self.measures.lock().unwrap_or_else(PoisonError::into_inner);
        measures.iter().map(|(&metric, &value)| (metric, value)).collect()
    }

    /// The run that the job began, if it came so far.
    pub(crate) fn run(&self) -> Option<RunId> {
        self.progress.run()
    }
}
