//! A clinic's vault with its API, and callers of every role.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::{Extension, Router};
use gorgen_engine::{
    jobs::{World, backup, restores},
    model::{ObjectName, RunId, ValueKind},
    ports::{Progress, Vault},
    records::{
        audit::AuditRecord,
        restore::{RestoreRecord, Stage},
        run::Job,
    },
    testing::{
        FailingVault, FakeSource, Fault, FixedClock, MemoryKeyring, MemoryVault, SeededEntropy,
        row, table,
    },
};
use gorgen_function::{
    ApiSettings, ErrorType, Failure,
    control::{ControlError, JobFunctions, Schedule, Schedules, StateMachine},
};
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::conformance::Document;
use crate::{
    api::{Api, Shared},
    respond, routes,
};

/// Roles of a caller, as the gateway writes them.
pub(crate) const NOBODY: &str = "[]";
pub(crate) const ADMIN: &str = "[admin]";
pub(crate) const MASTER: &str = "[staff admin_master]";

/// What AWS was asked to do, and whether it does it.
#[derive(Default)]
pub(crate) struct Aws {
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) fails: Mutex<Option<bool>>,
    schedules: Mutex<Vec<Schedule>>,
}

impl Aws {
    fn ask(&self, what: String) -> Result<(), ControlError> {
        self.asked.lock().unwrap().push(what);
        self.answer()
    }

    fn answer(&self) -> Result<(), ControlError> {
        let Some(retryable) = *self.fails.lock().unwrap() else { return Ok(()) };
        let source = "AccessDenied: arn:aws:iam::111122223333:role/x".into();
        Err(ControlError::Failed { action: "do it".to_owned(), retryable, source })
    }
}

#[async_trait]
impl StateMachine for Aws {
    async fn start(&self, execution: &str, input: &Value) -> Result<(), ControlError> {
        self.ask(format!("start {execution} {input}"))
    }
}

#[async_trait]
impl JobFunctions for Aws {
    async fn start(&self, job: Job, event: &Value) -> Result<(), ControlError> {
        self.ask(format!("invoke {} {event}", job.as_str()))
    }
}

#[async_trait]
impl Schedules for Aws {
    async fn list(&self) -> Result<Vec<Schedule>, ControlError> {
        self.answer().map(|()| self.schedules.lock().unwrap().clone())
    }

    async fn find(&self, name: &str) -> Result<Schedule, ControlError> {
        let schedules = self.schedules.lock().unwrap();
        let found = schedules.iter().find(|schedule| schedule.name == name).cloned();
        found.ok_or_else(|| ControlError::NoSuchSchedule {
            name: name.to_owned(),
            group: "gorgen-prod-jobs".to_owned(),
        })
    }

    async fn switch(&self, name: &str, enabled: bool) -> Result<Schedule, ControlError> {
        self.ask(format!("switch {name} {enabled}"))?;
        let mut schedules = self.schedules.lock().unwrap();
        let schedule = schedules.iter_mut().find(|schedule| schedule.name == name).unwrap();
        schedule.enabled = enabled;
        Ok(schedule.clone())
    }
}

/// An answer; a page is its body as a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u64,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Value,
}

impl Reply {
    /// What a problem says.
    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

/// A clinic's vault with its API.
pub(crate) struct House {
    pub(crate) vault: MemoryVault,
    pub(crate) clock: FixedClock,
    pub(crate) aws: Arc<Aws>,
    pub(crate) document: Document,
    /// The write that fails, counted from the beginning of the next call.
    pub(crate) fault: Mutex<Option<(u64, Fault)>>,
    pub(crate) bare: bool,
    router: Router<Shared>,
    entropy: SeededEntropy,
}

impl House {
    /// A vault with so many daily backups of a small clinic.
    pub(crate) async fn with_backups(backups: u32) -> Self {
        let house = Self::new();
        let source = FakeSource::new("clinica");
        source.define(table("pacientes", &[("id", ValueKind::Number)], &["id"]));
        source.insert("pacientes", [row(&[Some("1")])]);
        let request = backup::Request {
            tenant_column: None,
            readers: 1,
            lease: std::time::Duration::from_mins(1),
            deadline: None,
            scheduled: None,
            adopt: false,
            custody: None,
        };
        for _ in 0..backups {
            backup::run(&house.world(), &source, &request).await.unwrap();
            house.clock.advance(SignedDuration::from_hours(24));
        }
        house
    }

    /// An empty vault.
    pub(crate) fn new() -> Self {
        let (router, document) = routes::routes();
        let parsed = Document::new(serde_json::to_value(&document).unwrap());
        let schedule = |job: &str, expression: &str, enabled| Schedule {
            name: format!("gorgen-prod-{job}"),
            expression: expression.to_owned(),
            time_zone: "America/Sao_Paulo".to_owned(),
            enabled,
        };
        let aws = Aws {
            schedules: Mutex::new(vec![
                schedule("backup", "cron(0 3 * * ? *)", true),
                schedule("cleanup", "cron(0 2 * * ? *)", false),
                schedule("often", "rate(5 minutes)", true),
            ]),
            ..Aws::default()
        };
        Self {
            vault: MemoryVault::new(),
            clock: FixedClock::at("2026-11-23T06:00:00Z"),
            aws: Arc::new(aws),
            document: parsed,
            fault: Mutex::default(),
            bare: false,
            router: router.layer(Extension(Arc::new(document))),
            entropy: SeededEntropy::new(7),
        }
    }

    pub(crate) fn world(&self) -> World {
        let vault: Arc<dyn Vault> = match self.fault.lock().unwrap().take() {
            Some((nth, fault)) => {
                Arc::new(FailingVault::new(Arc::new(self.vault.clone()), nth, fault))
            }
            None => Arc::new(self.vault.clone()),
        };
        World {
            vault,
            keyring: Arc::new(MemoryKeyring::new("one", 1)),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(self.entropy.clone()),
            progress: Arc::new(Progress::default()),
            tool: "gorgen-backup 0.0.0".to_owned(),
        }
    }

    fn api(&self) -> Api {
        let missing = || Failure::new(ErrorType::InvalidSettings, "GORGEN_X is not set");
        Api {
            world: self.world(),
            settings: ApiSettings {
                job_functions: Some("gorgen-prod-".to_owned()),
                ..ApiSettings::default()
            },
            zone: TimeZone::get("America/Sao_Paulo").unwrap(),
            restores: if self.bare { Err(missing()) } else { Ok(self.aws.clone()) },
            restore_tests: if self.bare { Err(missing()) } else { Ok(self.aws.clone()) },
            jobs: if self.bare { Err(missing()) } else { Ok(self.aws.clone()) },
            schedules: if self.bare { Err(missing()) } else { Ok(self.aws.clone()) },
        }
    }

    /// Sends an event as it is.
    pub(crate) async fn send_event(&self, event: Value) -> Result<Reply, Failure> {
        let Value::Object(event) = event else { panic!("an event is an object") };
        let answer = respond(&self.router, self.api(), event).await?;
        assert_eq!(answer["headers"]["cache-control"], "no-store");
        assert_eq!(answer["headers"]["x-content-type-options"], "nosniff");
        let body = answer["body"].as_str().unwrap();
        let is_page = answer["headers"]["content-type"] == "text/html; charset=utf-8";
        Ok(Reply {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: answer["headers"].as_object().unwrap().clone(),
            body: if is_page {
                body.into()
            } else {
                serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body}"))
            },
        })
    }

    /// Sends a request with the header fields given, and holds the answer to the document.
    pub(crate) async fn send(
        &self,
        roles: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut event = event(roles, method, path);
        for (name, value) in headers {
            event["headers"][*name] = json!(value);
        }
        event["body"] = json!(body);
        let reply = self.send_event(event).await.unwrap();
        let path = path.split('?').next().unwrap();
        self.document.check(method, path, &reply);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(ADMIN, "GET", path, &[], None).await
    }

    /// Sends JSON.
    pub(crate) async fn ask(&self, roles: &str, method: &str, path: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json; charset=utf-8")];
        self.send(roles, method, path, &headers, Some(&body.to_string())).await
    }

    /// Posts JSON, as one who may do everything.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask(MASTER, "POST", path, body).await
    }

    /// Posts JSON under a key.
    pub(crate) async fn post_once(&self, path: &str, key: &str, body: &Value) -> Reply {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.send(MASTER, "POST", path, &headers, Some(&body.to_string())).await
    }

    /// The trail, oldest first.
    pub(crate) fn trail(&self) -> Vec<AuditRecord> {
        let objects = self.vault.objects();
        let entries = objects.iter().filter(|(name, _)| name.as_str().starts_with("audit/"));
        let mut records: Vec<_> =
            entries.map(|(_, bytes)| AuditRecord::read(bytes).unwrap()).collect();
        records.sort_by_key(|record| record.at);
        records
    }

    /// The trail in short, and an empty one from here on.
    pub(crate) fn take_trail(&self) -> Vec<String> {
        let told = self.trail().into_iter().map(|record| {
            self.vault.lose(&ObjectName::audit(&record.entry));
            let verdict = serde_json::to_value(record.verdict).unwrap();
            let verdict = verdict.as_str().unwrap().to_owned();
            format!("{} {verdict} {}", record.action, record.status)
        });
        let mut told: Vec<_> = told.collect();
        told.sort();
        told
    }

    /// What AWS was asked to do, and nothing from here on.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.aws.asked.lock().unwrap())
    }

    /// Makes a restore that is at this stage.
    pub(crate) async fn restore_at(&self, stage: Stage) -> RunId {
        let wish = json!({ "backup": "latest", "destination": { "to": "in-place" } });
        let wish = serde_json::from_value(wish).unwrap();
        let world = self.world();
        let id = restores::request(&world, wish, None).await.unwrap().restore;
        self.change(&id, |record| record.stage = stage).await;
        id
    }

    /// Changes a restore's record, as the function `restore` would.
    pub(crate) async fn change(
        &self,
        id: &RunId,
        change: impl Fn(&mut RestoreRecord) + Send + Sync,
    ) {
        let world = self.world();
        let changed = restores::update(&world, id, |record| {
            change(record);
            Ok(())
        });
        changed.await.unwrap();
    }
}

/// A request as the gateway hands it over.
pub(crate) fn event(roles: &str, method: &str, path: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "accept": "*/*" },
        "requestContext": {
            "http": { "method": method, "path": path, "sourceIp": "203.0.113.7", "userAgent": "curl/8" },
            "authorizer": { "jwt": { "claims": {
                "sub": "5a1e", "email": "maria@clinica.example", "exp": "1795413600", "cognito:groups": roles,
            } } },
        },
        "isBase64Encoded": false,
    })
}
