//! The accounts that all else logs in with: looked at, planned, made.
//!
//! What is to be done is planned first, passwords included, so that whoever asked can keep them before there is anything to
//! log in to. Nothing is taken away: an account that is there keeps its password and whatever else it may do. All may be
//! done again.

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use super::{Error, doctor::told};
use crate::{
    model::{Grounds, Holder, Premises, ServerInfo},
    policy::{
        findings::{Finding, Status},
        prepare::{self, Login, Role, Wanted, Wish},
    },
    ports::{Accounts, Clock, Entropy, SourceError, random},
};

/// Bytes of randomness in a password.
const RANDOMNESS: usize = 24;

/// What every password ends with: some servers ask for a small letter, a capital one, a digit and another sign. No URL,
/// shell or statement takes any of them for something else.
const ENDING: &str = "-aZ9";

/// What the job works on.
#[derive(Clone, Copy)]
pub struct Preparation<'a> {
    /// The server's accounts.
    pub accounts: &'a dyn Accounts,
    /// The time here.
    pub clock: &'a dyn Clock,
    /// What is wanted.
    pub wish: &'a Wish,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The server.
    pub server: ServerInfo,
    /// One for each thing that was looked at.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Is anything missing that a job needs?
    pub fn has_problem(&self) -> bool {
        self.findings.iter().any(|finding| finding.status == Status::Problem)
    }
}

/// What is to be done to one account.
pub struct Planned {
    /// The account.
    pub wanted: Wanted,
    /// What becomes of how it logs in.
    pub access: Access,
    /// The password that it is given, if it is given one.
    password: Option<Zeroizing<String>>,
    steps: Vec<Step>,
}

impl Planned {
    /// The password that it is given, if it is given one: a secret.
    pub fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| password.as_str())
    }
}

/// Without a password.
impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.steps).finish()
    }
}

/// What becomes of how an account logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It is made.
    Made,
    /// It was there, and gets another password.
    Renewed,
    /// It was there, and logs in as before.
    Kept,
}

/// One statement.
struct Step {
    action: String,
    statement: Zeroizing<String>,
    /// The same without a password.
    shown: String,
    /// Does it make the account, or give it another password?
    is_access: bool,
}

/// Without a password.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What was done to one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What it is for.
    pub role: &'static str,
    /// Its name, `user@host`.
    pub account: String,
    /// What became of how it logs in; `None` if it could not be made.
    pub access: Option<Access>,
    /// The statements that were run, without passwords.
    pub statements: Vec<String>,
    /// Those that the server refused.
    pub refused: Vec<Refused>,
}

/// A statement that the server refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The statement, without passwords.
    pub statement: String,
    /// Why.
    pub error: String,
}

/// Looks at the accounts and the server, and changes nothing.
///
/// # Errors
/// If the server can't be asked, or has no such database.
pub async fn check(preparation: &Preparation<'_>) -> Result<Checked, Error> {
    let Preparation { accounts, wish, .. } = preparation;
    let premises = look(preparation).await?;
    let server = &premises.survey.server;
    let mut findings = Vec::new();
    for wanted in &wish.accounts {
        let holder = accounts.find(&wanted.account).await?;
        findings.extend(prepare::account(wanted, wish, server, holder.as_ref()));
    }
    findings.extend(prepare::server(wish, &premises));
    Ok(Checked { server: server.clone(), findings })
}

/// Says what is to be done, and changes nothing. With `renew` accounts that are there get other passwords.
///
/// # Errors
/// If the server can't be asked or has no such database, or one of the accounts is the administrator's own.
pub async fn plan(
    preparation: &Preparation<'_>,
    entropy: &dyn Entropy,
    renew: bool,
) -> Result<Vec<Planned>, Error> {
    let Preparation { accounts, wish, .. } = preparation;
    let premises = look(preparation).await?;
    let own = &premises.survey.privileges.account;
    if wish.accounts.iter().any(|wanted| wanted.account.to_string() == *own) {
        return Err(Error::OwnAccount { account: own.clone() });
    }
    let mut planned = Vec::new();
    for wanted in &wish.accounts {
        let holder = accounts.find(&wanted.account).await?;
        let access = match &holder {
            None => Access::Made,
            Some(_) if renew => Access::Renewed,
            Some(_) => Access::Kept,
        };
        let is_given = access != Access::Kept && wish.login == Login::Password;
        let password = is_given.then(|| new_password(entropy));
        let server = &premises.survey.server;
        let spelled = password.as_ref().map(|password| password.as_str());
        let steps = steps(wanted, wish, server, holder.as_ref(), spelled);
        planned.push(Planned { wanted: wanted.clone(), access, password, steps });
    }
    Ok(planned)
}

/// Does what was planned, as far as the server lets it: what it refuses is told, and the rest goes on. An account that
/// could not be made is given nothing.
pub async fn carry_out(accounts: &dyn Accounts, planned: &[Planned]) -> Vec<Done> {
    let mut done = Vec::new();
    for account in planned {
        done.push(carry_out_one(accounts, account).await);
    }
    done
}

async fn carry_out_one(accounts: &dyn Accounts, planned: &Planned) -> Done {
    let Planned { wanted, access, steps, .. } = planned;
    let mut done = Done {
        role: wanted.role.as_str(),
        account: wanted.account.to_string(),
        access: Some(*access),
        statements: Vec::new(),
        refused: Vec::new(),
    };
    for step in steps {
        let statement = step.shown.clone();
        match accounts.run(&step.action, &step.statement).await {
            Ok(()) => done.statements.push(statement),
            Err(error) => {
                done.refused.push(Refused { statement, error: told(&error) });
                if step.is_access && *access == Access::Made {
                    done.access = None;
                    break;
                }
                if step.is_access {
                    done.access = Some(Access::Kept);
                }
            }
        }
    }
    done
}

async fn look(preparation: &Preparation<'_>) -> Result<Premises, Error> {
    let Preparation { accounts, clock, wish } = preparation;
    let premises = accounts.premises(*clock).await?;
    let is_for_database = wish.accounts.iter().any(|wanted| wanted.role != Role::Scratch);
    if is_for_database && !premises.has_database {
        let user = premises.survey.privileges.account;
        return Err(SourceError::NoDatabase { identity: accounts.identity(), user }.into());
    }
    Ok(premises)
}

/// The account first, then its rights. Another password comes last: whoever has the old one may be at work.
fn steps(
    wanted: &Wanted,
    wish: &Wish,
    server: &ServerInfo,
    holder: Option<&Holder>,
    password: Option<&str>,
) -> Vec<Step> {
    let account = &wanted.account;
    let plain = |action: String, statement: String| Step {
        action,
        shown: statement.clone(),
        statement: Zeroizing::new(statement),
        is_access: false,
    };
    let mut steps = Vec::new();
    match holder {
        None => steps.push(Step {
            action: format!("make the account {account}"),
            statement: Zeroizing::new(prepare::create(account, wish, password)),
            shown: prepare::create(account, wish, None),
            is_access: true,
        }),
        Some(holder) if wish.tls && holder.requires_tls == Some(false) => {
            let action = format!("let {account} log in over TLS only");
            steps.push(plain(action, prepare::encrypt(account)));
        }
        Some(_) => {}
    }
    // What another privilege does as well is not asked for: the administrator may not have it. In a database all is
    // given again, as of several grants that fit a server heeds the narrowest alone.
    let is_due = |right: &prepare::Right| {
        right.grounds != Grounds::Server || !holder.is_some_and(|holder| holder.has(right))
    };
    let rights = prepare::rights(wanted.role, wish, server);
    let due: Vec<_> = rights.into_iter().filter(is_due).collect();
    for statement in prepare::grants(account, &due) {
        steps.push(plain(format!("give {account} its rights"), statement));
    }
    if holder.is_some() && password.is_some() {
        steps.push(Step {
            action: format!("give {account} another password"),
            statement: Zeroizing::new(prepare::renew(account, password)),
            shown: prepare::renew(account, None),
            is_access: true,
        });
    }
    steps
}

fn new_password(entropy: &dyn Entropy) -> Zeroizing<String> {
    let bytes = Zeroizing::new(random::<RANDOMNESS>(entropy));
    Zeroizing::new(format!("{}{ENDING}", hex::encode(*bytes)))
}

#[cfg(test)]
mod tests;
