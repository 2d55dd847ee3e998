//! What is deployed on AWS: its services are asked, and the records of runs in its vault are read.

use gorgen_adapters::{
    ambient::SystemClock,
    aws::Aws,
    deployed::{self, Look},
};
use gorgen_engine::{
    jobs::doctor,
    policy::findings::{Finding, deployed as judge},
    ports::Clock,
};

use super::told;
use crate::wiring;

/// This program's version, which the functions' is compared with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) async fn look(environment: &str) -> Vec<Finding> {
    let aws = Aws::new();
    // Boxed: it holds the calls of eight services.
    let seen = Box::pin(deployed::look(environment, &aws)).await;
    let mut findings = judge::judge(&seen.deployed, VERSION, SystemClock.now());
    findings.extend(history(&seen, &aws).await);
    findings
}

async fn history(seen: &Look, aws: &Aws) -> Vec<Finding> {
    let Some(url) = &seen.vault else {
        return judge::unseen_history("no function says where backups lie");
    };
    match wiring::open_vault(url, aws).await {
        Ok(vault) => doctor::history(&*vault, &seen.deployed, &SystemClock).await,
        Err(failure) => judge::unseen_history(&told(&failure)),
    }
}
