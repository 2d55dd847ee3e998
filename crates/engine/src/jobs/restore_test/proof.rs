//! What is proved beyond rows: nothing is missing, every view can be used, every foreign key leads somewhere.

use crate::{
    jobs::{
        Error,
        restore::{Chosen, Watch},
    },
    model::{ServerInfo, StoredObjectKind},
    policy::likeness::{Likeness, is_known_invalid, likeness},
    ports::Target,
};

/// What was proved.
pub(super) struct Proof {
    pub(super) scratch: ServerInfo,
    pub(super) foreign_keys: u64,
    pub(super) objects: u64,
    pub(super) views: u64,
    pub(super) invalid_views: Vec<String>,
}

/// Proves what was restored, all rows of which were found equal.
pub(super) async fn prove(
    target: &dyn Target,
    backup: &Chosen,
    watch: &mut Watch<'_>,
) -> Result<Proof, Error> {
    let catalog = &backup.catalog;
    let foreign_keys = check_foreign_keys(target, backup).await?;
    watch.lap("follow foreign keys");
    let restored = target.source().catalog().await?;
    let Likeness { mut differences, mut invalid_views, objects } = likeness(catalog, &restored);
    let mut views = 0;
    for view in restored.objects.iter().filter(|object| object.kind == StoredObjectKind::View) {
        match target.try_view(&view.name).await? {
            None => views += 1,
            Some(_) if is_known_invalid(catalog, view) => invalid_views.push(view.name.clone()),
            Some(why) => differences.push(format!("view {} can't be used: {why}", view.name)),
        }
    }
    watch.lap("compare definitions and try views");
    if differences.is_empty() {
        Ok(Proof { scratch: restored.server, foreign_keys, objects, views, invalid_views })
    } else {
        Err(Error::Mismatch { differences })
    }
}

/// No row of the scratch database points at a row that is not there, but for rows that were erased. How many foreign keys were
/// looked at.
async fn check_foreign_keys(target: &dyn Target, backup: &Chosen) -> Result<u64, Error> {
    let tables = &backup.catalog.tables;
    let (mut checked, mut dangling) = (0, Vec::new());
    for table in tables {
        for relation in &table.relations {
            let is_elsewhere = relation.parent_database.is_some();
            if is_elsewhere || !tables.iter().any(|parent| parent.name == relation.parent) {
                continue;
            }
            checked += 1;
            let rows = target.orphans(&table.name, relation).await?;
            if rows > 0 && !backup.erased.contains(&relation.parent) {
                let (table, key, parent) = (&table.name, &relation.name, &relation.parent);
                dangling.push(format!(
                    "{rows} rows of table {table} point at no row of {parent} (foreign key {key})"
                ));
            }
        }
    }
    if dangling.is_empty() { Ok(checked) } else { Err(Error::Dangling { rows: dangling }) }
}
