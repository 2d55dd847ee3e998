//! What a restore of one tenant loads: the tables that are covered, and of those with the tenant column its rows.

use std::collections::BTreeSet;

use super::Rules;
use crate::{
    jobs::{Error, restore::Chosen},
    model::Scope,
    policy::tenancy::Tenancy,
    records::{
        manifest::{Manifest, TablePart},
        restore::{Destination, Wish},
    },
};

/// Refuses wishes that make no sense, before anything is done.
pub(super) fn check(rules: &Rules, wish: &Wish, tenant: &str) -> Result<(), Error> {
    let mut reasons = Vec::new();
    if rules.tenant_column.is_none() {
        reasons.push("no tenant column is set, so nobody knows whose rows are whose".to_owned());
    }
    if !matches!(wish.destination, Destination::InPlace { .. }) {
        reasons.push("rows of one tenant are restored in place only".to_owned());
    }
    if tenant.is_empty() {
        reasons.push("the tenant is an empty text".to_owned());
    }
    if reasons.is_empty() { Ok(()) } else { Err(Error::Blocked { reasons }) }
}

/// Leaves of a backup the tables that are covered, and of those that have the tenant column the tenant's rows.
/// Tables by which others are the tenant's are loaded as well, even if they were not asked for.
pub(super) fn choose(
    manifest: Manifest,
    rules: &Rules,
    wish: &Wish,
    tenant: &str,
) -> Result<(Chosen, Tenancy), Error> {
    let Manifest { mut catalog, tables: mut parts, .. } = manifest;
    let column = rules.tenant_column.as_deref().unwrap_or_default();
    let tenancy = Tenancy::of(&catalog, column, &rules.tenant_paths);
    let sentence = |(table, why): (&String, &String)| {
        format!("table {table} is not covered by a restore of one tenant: {why}")
    };
    let not_covered = tenancy.not_covered.iter();
    let (refused, left_out): (Vec<_>, Vec<_>) =
        not_covered.partition(|(table, _)| wish.tables.contains(table));
    if !refused.is_empty() {
        return Err(Error::Blocked { reasons: refused.into_iter().map(sentence).collect() });
    }
    let is_asked_for = |table: &str| is_asked_for(wish, rules, table);
    let needed: BTreeSet<String> = catalog
        .tables
        .iter()
        .filter(|table| tenancy.covers(&table.name) && is_asked_for(&table.name))
        .flat_map(|table| tenancy.line(&table.name))
        .map(str::to_owned)
        .collect();
    catalog.tables.retain(|table| needed.contains(&table.name));
    parts.retain(|part| needed.contains(&part.table));
    catalog.objects.clear();
    let scope = Scope::tenant(tenant);
    for part in parts.iter_mut().filter(|part| tenancy.distance(&part.table) == 0) {
        keep_scope(part, &scope);
    }
    let left_out = left_out.into_iter().filter(|_| wish.tables.is_empty()).map(sentence).collect();
    Ok((Chosen { catalog, parts, left_out, erased: BTreeSet::new() }, tenancy))
}

/// Is the table wanted, by this wish and by the settings?
pub(super) fn is_asked_for(wish: &Wish, rules: &Rules, table: &str) -> bool {
    let is_in = |list: &[String]| list.iter().any(|name| name == table);
    !is_in(&rules.skip) && (wish.tables.is_empty() || is_in(&wish.tables))
}

/// Rows that were kept apart by tenant need not all be read.
fn keep_scope(part: &mut TablePart, scope: &Scope) {
    if part.groups.iter().any(|group| group.scope != Scope::Shared) {
        part.groups.retain(|group| group.scope == *scope);
    }
}
