//! The functions: all there, of one version, and this program's.

use std::collections::BTreeSet;

use super::{DEPLOY, of_unseen};
use crate::{
    model::deployed::{Deployed, Function, Unseen},
    policy::findings::{Finding, counted, listed, server::to_the_second},
};

pub(super) const CHECK: &str = "functions";

pub(super) fn judge(deployed: &Deployed, program: &str) -> Finding {
    let mut missing = Vec::new();
    let mut failed = Vec::new();
    let mut found = Vec::new();
    for (name, function) in &deployed.functions {
        match function {
            Ok(function) => {
                failed.extend(function.failure.as_ref().map(|why| format!("{name}: {why}")));
                found.push(function);
            }
            Err(Unseen::Missing) => missing.push(*name),
            // Of a look that could not even begin nobody must think that all is well.
            Err(Unseen::Forbidden(right)) => {
                let fact = format!("nothing can be said without the right {right}");
                let remedy = "look as somebody who may read everything (docs/operations.md, The whole system at one look)";
                return Finding::problem(CHECK, fact, remedy);
            }
            Err(unseen) => return of_unseen(CHECK, unseen),
        }
    }
    let environment = &deployed.environment;
    if found.is_empty() {
        let fact = format!("no function of the environment {environment:?} is in this region");
        let remedy = "check --aws, and the region and the account of AWS's own settings; if it was never deployed, see \
                      infra/README.md";
        return Finding::problem(CHECK, fact, remedy);
    }
    if !missing.is_empty() {
        return Finding::problem(CHECK, format!("missing: {}", listed(&missing)), DEPLOY);
    }
    if !failed.is_empty() {
        return Finding::problem(CHECK, listed(&failed), DEPLOY);
    }
    of_versions(&found, program)
}

fn of_versions(functions: &[&Function], program: &str) -> Finding {
    let versions: BTreeSet<_> =
        functions.iter().map(|function| function.version.as_deref().unwrap_or("unknown")).collect();
    let versions: Vec<_> = versions.into_iter().collect();
    let changed = functions.iter().filter_map(|function| function.changed).max();
    let changed = changed.map(to_the_second);
    let last = changed.map(|at| format!(", last changed {at}")).unwrap_or_default();
    match *versions.as_slice() {
        [version] if version == program => Finding::ok(
            CHECK,
            format!("{} of version {version}{last}", counted(functions.len(), "function")),
        ),
        [version] => {
            let fact = format!("they are of version {version}, this program is of {program}");
            let remedy = "use the program of the functions' version, or deploy this one's: what the newer writes the \
                          older may not read";
            Finding::warning(CHECK, fact, remedy)
        }
        _ => {
            let fact = format!("they are of different versions: {}", listed(&versions));
            Finding::warning(CHECK, fact, "deploy all stacks of one version (infra/README.md)")
        }
    }
}
