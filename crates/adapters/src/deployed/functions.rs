//! The functions, and what their settings say of everything else.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_lambda::{
    Client,
    operation::get_function_configuration::GetFunctionConfigurationOutput,
    types::{LastUpdateStatus, State},
};
use gorgen_engine::model::deployed::{Function, Seen};

use super::unseen;
use crate::settings::Setting;

/// What the functions are called, after their environment.
pub(super) const NAMES: [&str; 7] =
    ["api", "backup", "cleanup", "report", "restore", "restore-test", "verify"];

/// The settings that say where something is, by their names; of no other is the value kept.
pub(super) type Settings = BTreeMap<String, String>;

const PLACES: [Setting; 5] = [
    Setting::Vault,
    Setting::Keyring,
    Setting::ReplicaVault,
    Setting::OfflineRecipient,
    Setting::NoticeTopic,
];

/// The tag that the stacks give each function.
const VERSION: &str = "version";

pub(super) struct Functions<'a> {
    client: Client,
    environment: &'a str,
}

impl<'a> Functions<'a> {
    pub(super) fn new(config: &SdkConfig, environment: &'a str) -> Self {
        Self { client: Client::new(config), environment }
    }

    /// Each function, and what the settings of all of them say, of which no two say anything else.
    pub(super) async fn look(&self) -> (BTreeMap<&'static str, Seen<Function>>, Settings) {
        let mut functions = BTreeMap::new();
        let mut settings = Settings::new();
        for name in NAMES {
            let function = match self.configuration(name).await {
                Ok(found) => {
                    settings.extend(places(&found));
                    self.function(&found).await
                }
                Err(unseen) => Err(unseen),
            };
            functions.insert(name, function);
        }
        (functions, settings)
    }

    async fn configuration(&self, name: &str) -> Seen<GetFunctionConfigurationOutput> {
        let full = format!("gorgen-{}-{name}", self.environment);
        let answer = self.client.get_function_configuration().function_name(full).send().await;
        answer.map_err(|error| unseen(&error.into(), "lambda:GetFunctionConfiguration"))
    }

    async fn function(&self, found: &GetFunctionConfigurationOutput) -> Seen<Function> {
        let arn = found.function_arn().unwrap_or_default();
        let tags = self.client.list_tags().resource(arn).send().await;
        let tags = tags.map_err(|error| unseen(&error.into(), "lambda:ListTags"))?;
        Ok(Function {
            version: tags.tags.unwrap_or_default().remove(VERSION),
            changed: found.last_modified().and_then(|at| at.parse().ok()),
            failure: failure(found),
        })
    }
}

fn failure(found: &GetFunctionConfigurationOutput) -> Option<String> {
    let because = |reason: Option<&str>| reason.map(|why| format!(": {why}")).unwrap_or_default();
    if found.last_update_status() == Some(&LastUpdateStatus::Failed) {
        let why = because(found.last_update_status_reason());
        return Some(format!("its last update failed{why}"));
    }
    // A function that nobody called for weeks is put to sleep, and wakes when it is called.
    match found.state() {
        Some(State::Failed) => {
            Some(format!("it can't be started{}", because(found.state_reason())))
        }
        _ => None,
    }
}

fn places(found: &GetFunctionConfigurationOutput) -> impl Iterator<Item = (String, String)> {
    let variables = found.environment().and_then(|environment| environment.variables());
    PLACES.into_iter().filter_map(move |setting| {
        let value = variables?.get(setting.name())?;
        Some((setting.name().to_owned(), value.clone()))
    })
}
