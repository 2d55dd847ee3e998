//! What of a backup is to be restored: all of it, or some tables with their triggers.

use std::collections::BTreeSet;

use crate::{
    jobs::{
        Error, KeyChest,
        erased::{self, Gone},
    },
    model::{Catalog, RunId, StoredObjectKind},
    records::manifest::{Manifest, TablePart},
};

/// What of a backup is to be restored.
#[derive(Clone)]
pub(in crate::jobs) struct Chosen {
    pub(in crate::jobs) catalog: Catalog,
    pub(in crate::jobs) parts: Vec<TablePart>,
    /// What of it is not restored, each a sentence.
    pub(in crate::jobs) left_out: Vec<String>,
    /// The tables that lack rows whose keys were erased.
    pub(in crate::jobs) erased: BTreeSet<String>,
}

impl Chosen {
    /// The same with these tables alone, and all objects.
    pub(in crate::jobs) fn only(&self, is_wanted: impl Fn(&str) -> bool) -> Self {
        let Self { catalog, parts, left_out, erased } = self;
        let tables = catalog.tables.iter().filter(|table| is_wanted(&table.name));
        Self {
            catalog: Catalog { tables: tables.cloned().collect(), ..catalog.clone() },
            parts: parts.iter().filter(|part| is_wanted(&part.table)).cloned().collect(),
            left_out: left_out.clone(),
            erased: erased.clone(),
        }
    }

    /// Leaves out the rows whose keys were erased, and tells of them.
    pub(in crate::jobs) async fn leave_out_erased(
        &mut self,
        keys: &KeyChest,
    ) -> Result<Vec<Gone>, Error> {
        let gone = erased::leave_out(keys, &mut self.parts).await?;
        self.left_out.extend(gone.iter().map(Gone::sentence));
        self.erased.extend(gone.iter().flat_map(|gone| gone.tables.iter().cloned()));
        Ok(gone)
    }
}

/// Leaves of the manifest what was asked for: with tables named, only these and their triggers.
pub(in crate::jobs) fn choose(
    backup: &RunId,
    manifest: Manifest,
    wanted_tables: &[String],
) -> Result<Chosen, Error> {
    let Manifest { mut catalog, tables: mut parts, .. } = manifest;
    let (mut left_out, erased) = (Vec::new(), BTreeSet::new());
    if wanted_tables.is_empty() {
        return Ok(Chosen { catalog, parts, left_out, erased });
    }
    if let Some(table) =
        wanted_tables.iter().find(|name| !catalog.tables.iter().any(|t| t.name == **name))
    {
        let known: Vec<_> = catalog.tables.iter().map(|table| table.name.as_str()).collect();
        let known = known.join(", ");
        return Err(Error::NoSuchTable { table: table.clone(), backup: backup.clone(), known });
    }
    let wanted = |name: &str| wanted_tables.iter().any(|table| table == name);
    catalog.tables.retain(|table| wanted(&table.name));
    parts.retain(|part| wanted(&part.table));
    catalog.objects.retain(|object| {
        let keep = object.kind == StoredObjectKind::Sequence
            || object.table.as_deref().is_some_and(wanted);
        if !keep && object.table.is_none() {
            left_out.push(format!(
                "{} {} was not restored: only tables were asked for",
                object.kind.keyword().to_lowercase(),
                object.name
            ));
        }
        keep
    });
    Ok(Chosen { catalog, parts, left_out, erased })
}
