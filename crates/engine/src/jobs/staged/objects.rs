//! Views, routines and events of the live database: made what they were, touching only what is not.

use super::swapping::execute;
use crate::{
    jobs::{Error, restore::Work},
    model::{Catalog, StoredObject, StoredObjectKind},
    ports::Server,
    stages::definition::quoted,
};

/// The kinds that stand for themselves; triggers and sequences come and go with tables.
const KINDS: [StoredObjectKind; 4] = [
    StoredObjectKind::Function,
    StoredObjectKind::Procedure,
    StoredObjectKind::View,
    StoredObjectKind::Event,
];

/// Makes the live database have the objects `wanted` and no others. `work` is on the live database, and chose
/// those that are [`missing`].
pub(super) async fn conform(
    server: &dyn Server,
    work: &Work<'_>,
    live: &Catalog,
    wanted: &[StoredObject],
    warnings: &mut Vec<String>,
) -> Result<(), Error> {
    for object in ours(&live.objects) {
        if !wanted.iter().any(|wanted| same(wanted, object)) {
            let (keyword, name) = (object.kind.keyword(), &object.name);
            let action = format!("drop {} {name}", keyword.to_lowercase());
            let statement = format!("DROP {keyword} IF EXISTS {}", quoted(name));
            execute(server, &live.database, &action, &statement).await?;
        }
    }
    for kind in KINDS {
        if kind == StoredObjectKind::View {
            work.create_views(warnings).await?;
        } else {
            for object in work.objects_of(kind) {
                work.create_object(object).await?;
            }
        }
    }
    Ok(())
}

/// The objects of `wanted` that are not in `live` as they should be.
pub(super) fn missing(wanted: &[StoredObject], live: &Catalog) -> Vec<StoredObject> {
    let is_there = |wanted: &&StoredObject| live.objects.iter().any(|object| same(wanted, object));
    ours(wanted).filter(|object| !is_there(object)).cloned().collect()
}

fn ours(objects: &[StoredObject]) -> impl Iterator<Item = &StoredObject> {
    objects.iter().filter(|object| KINDS.contains(&object.kind))
}

fn same(one: &StoredObject, other: &StoredObject) -> bool {
    one.kind == other.kind
        && one.name == other.name
        && one.ddl == other.ddl
        && one.definer == other.definer
        && one.context == other.context
}
