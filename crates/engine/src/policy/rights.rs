//! What the account of a restore must be allowed to do, and what of it it is not.

use std::collections::BTreeSet;

use super::findings::privileges::{grant, words};
use crate::{
    model::{Allowed, Privilege, StoredObject, StoredObjectKind},
    stages::definition::Definers,
};

use Privilege::{
    Alter, AlterRoutine, Create, CreateRoutine, CreateView, Delete, Drop, Event, Index, Insert,
    LockTables, References, Select, SetAnyDefiner, SetUser, SetUserId, ShowView, Super, Trigger,
};

/// A database that a restore works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Tables are loaded here, to be moved away.
    Staging,
    /// All that comes back is here, and stays.
    Copy,
    /// Tables are replaced here.
    Live,
    /// Rows are replaced here.
    LiveRows,
    /// The old tables are kept here.
    Before,
}

/// What it takes to restore these objects, and tables, in such a database.
pub fn needed(room: Room, objects: &[StoredObject]) -> BTreeSet<Privilege> {
    needed_for(room, |kinds| objects.iter().any(|object| kinds.contains(&object.kind)))
}

fn needed_for(room: Room, has: impl Fn(&[StoredObjectKind]) -> bool) -> BTreeSet<Privilege> {
    let mut needed: BTreeSet<_> = match room {
        Room::Before => [Create, Insert, Alter, Drop].into(),
        Room::LiveRows => [Select, Insert, Delete].into(),
        Room::Staging | Room::Copy | Room::Live => {
            [Select, Insert, Create, Drop, Alter, Index, References].into()
        }
    };
    let has_triggers = has(&[StoredObjectKind::Trigger]);
    if has_triggers && matches!(room, Room::Copy | Room::Live | Room::LiveRows) {
        needed.insert(Trigger);
    }
    if has_triggers && matches!(room, Room::Live | Room::LiveRows) {
        needed.insert(LockTables);
    }
    if matches!(room, Room::Copy | Room::Live) {
        let routines = [StoredObjectKind::Function, StoredObjectKind::Procedure];
        let others = [
            (has(&[StoredObjectKind::View]), CreateView),
            (has(&routines), CreateRoutine),
            (has(&[StoredObjectKind::Event]), Event),
        ];
        needed.extend(others.iter().filter(|(is_there, _)| *is_there).map(|(_, needed)| needed));
    }
    needed
}

/// What it takes to restore whatever a backup may hold in such a database: what [`needed`] says of objects of every kind,
/// and what it takes to find there what others made, and to take it away.
pub fn ever_needed(room: Room) -> BTreeSet<Privilege> {
    let kinds = [
        StoredObjectKind::Sequence,
        StoredObjectKind::Function,
        StoredObjectKind::Procedure,
        StoredObjectKind::View,
        StoredObjectKind::Trigger,
        StoredObjectKind::Event,
    ];
    let also: &[Privilege] = match room {
        // Rows that are merged are read here while the live table is locked, and one lock is for all tables.
        Room::Staging => &[LockTables],
        Room::Copy => &[ShowView],
        Room::Live => &[ShowView, AlterRoutine],
        Room::LiveRows | Room::Before => &[],
    };
    needed_for(room, |wanted| kinds.iter().any(|kind| wanted.contains(kind)))
        .into_iter()
        .chain(also.iter().copied())
        .collect()
}

/// What the account lacks in this database, as a sentence with the statement that helps. `scope` is how GRANT
/// names the database, or all like it.
pub fn lacked(
    allowed: &Allowed,
    needed: &BTreeSet<Privilege>,
    database: &str,
    scope: &str,
) -> Option<String> {
    let lacked: Vec<_> = needed.difference(&allowed.on_database).copied().collect();
    (!lacked.is_empty()).then(|| {
        format!(
            "{} lacks {} in database {database}; run as an administrator: {}",
            allowed.account,
            words(&lacked),
            grant(&lacked, scope, &allowed.account)
        )
    })
}

/// Objects that would run as somebody else, which the account may not arrange; as a sentence.
pub fn foreign_definers(
    allowed: &Allowed,
    objects: &[StoredObject],
    definers: &Definers,
) -> Option<String> {
    let may = [SetUser, SetAnyDefiner, SetUserId, Super];
    if may.iter().any(|privilege| allowed.on_server.contains(privilege)) {
        return None;
    }
    let wanted = |object: &StoredObject| match definers {
        Definers::Keep => object.definer.clone(),
        Definers::Strip => None,
        Definers::Replace(other) => Some(other.clone()),
    };
    let others: BTreeSet<_> = objects.iter().filter_map(wanted).collect();
    let other = others.into_iter().find(|definer| *definer != allowed.account)?;
    Some(format!(
        "{} may not restore what runs as another account ({other}): it has none of {}",
        allowed.account,
        words(&may)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CharsetContext;

    fn object(kind: StoredObjectKind, definer: &str) -> StoredObject {
        StoredObject {
            kind,
            name: "o".to_owned(),
            table: None,
            ddl: String::new(),
            definer: Some(definer.to_owned()),
            after: None,
            context: CharsetContext::default(),
        }
    }

    fn allowed(on_database: &[Privilege], on_server: &[Privilege]) -> Allowed {
        Allowed {
            account: "restore@%".to_owned(),
            on_server: on_server.iter().copied().collect(),
            on_database: on_database.iter().copied().collect(),
        }
    }

    #[test]
    fn only_what_the_backup_holds_asks_for_rights() {
        let trigger = [object(StoredObjectKind::Trigger, "app@%")];
        assert!(!needed(Room::Live, &[]).contains(&Trigger));
        assert!(needed(Room::Live, &trigger).is_superset(&[Trigger, LockTables].into()));
        assert!(!needed(Room::Staging, &trigger).contains(&Trigger));
        assert!(!needed(Room::Copy, &trigger).contains(&LockTables));
        assert_eq!(needed(Room::LiveRows, &[]), [Select, Insert, Delete].into());
    }

    #[test]
    fn what_may_ever_be_needed_is_more_than_what_one_backup_asks_for() {
        let objects = [
            object(StoredObjectKind::Trigger, "app@%"),
            object(StoredObjectKind::View, "app@%"),
            object(StoredObjectKind::Procedure, "app@%"),
            object(StoredObjectKind::Event, "app@%"),
        ];
        for room in [Room::Staging, Room::Copy, Room::Live, Room::LiveRows, Room::Before] {
            assert!(ever_needed(room).is_superset(&needed(room, &objects)), "{room:?}");
        }
        assert!(!ever_needed(Room::Staging).contains(&Trigger));
    }

    #[test]
    fn what_is_lacked_is_named_with_what_helps() {
        let allowed = allowed(&[Select, Insert], &[]);
        let needed = needed(Room::LiveRows, &[]);
        assert_eq!(
            lacked(&allowed, &needed, "clinica", "`clinica`.*").unwrap(),
            "restore@% lacks DELETE in database clinica; run as an administrator: \
             GRANT DELETE ON `clinica`.* TO 'restore'@'%';"
        );
        assert_eq!(lacked(&allowed, &[Select].into(), "clinica", "`clinica`.*"), None);
    }

    #[test]
    fn running_as_another_needs_a_right_of_its_own() {
        let objects = [object(StoredObjectKind::View, "app@%")];
        let keep = Definers::Keep;
        assert!(foreign_definers(&allowed(&[], &[]), &objects, &keep).unwrap().contains("(app@%)"));
        assert_eq!(foreign_definers(&allowed(&[], &[SetUser]), &objects, &keep), None);
        assert_eq!(foreign_definers(&allowed(&[], &[]), &objects, &Definers::Strip), None);
        let own = Definers::Replace("restore@%".to_owned());
        assert_eq!(foreign_definers(&allowed(&[], &[]), &objects, &own), None);
    }
}
