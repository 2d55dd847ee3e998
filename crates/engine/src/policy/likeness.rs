//! How what was restored differs from what was backed up, in all but rows: tables, views, routines, triggers, events.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Catalog, StoredObject, StoredObjectKind, Table},
    stages::definition::{Definers, in_database, table_difference},
};

/// What the comparison of two catalogs found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likeness {
    /// Each says what is missing, not expected, or different.
    pub differences: Vec<String>,
    /// Views that are not there, or not whole, and could not be used in the source either.
    pub invalid_views: Vec<String>,
    /// Views, triggers, routines, events and sequences that are there as they were backed up.
    pub objects: u64,
}

/// Compares what a backup holds with what a server shows of its restore. Definitions of objects are compared letter by
/// letter if both servers are of one version; definers are not, for the account that restores has all of them.
pub fn likeness(backup: &Catalog, restored: &Catalog) -> Likeness {
    let mut found = Likeness::default();
    let is_one_version = backup.server == restored.server;
    compare_tables(backup, restored, is_one_version, &mut found.differences);
    compare_objects(backup, restored, is_one_version, &mut found);
    found
}

fn compare_tables(
    backup: &Catalog,
    restored: &Catalog,
    is_one_version: bool,
    differences: &mut Vec<String>,
) {
    let there: BTreeMap<_, _> = restored.tables.iter().map(|table| (&table.name, table)).collect();
    for table in &backup.tables {
        let name = &table.name;
        let Some(found) = there.get(name) else {
            differences.push(format!("table {name} is not there"));
            continue;
        };
        let ddl = |of: &Catalog, table: &Table| in_database(&table.ddl, &of.database, None);
        let difference = table_difference(&ddl(backup, table), &ddl(restored, found));
        match difference.filter(|_| is_one_version) {
            Some((expected, got)) => differences.push(format!(
                "table {name} is not defined as it was: expected {expected:?}, got {got:?}"
            )),
            None if !is_alike(table, found) => {
                differences.push(format!("table {name} is not defined as it was"));
            }
            None => {}
        }
    }
    let is_known = |name: &String| backup.tables.iter().any(|table| table.name == *name);
    let unknown = there.keys().filter(|name| !is_known(name));
    differences.extend(unknown.map(|name| format!("table {name} is there, and was not backed up")));
}

/// Alike by names of columns and of keys: versions spell definitions in their own ways.
fn is_alike(one: &Table, other: &Table) -> bool {
    let names = |table: &Table| {
        let columns = table.columns.iter();
        columns.map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    let relations = |table: &Table| {
        let relations = table.relations.iter();
        relations.map(|relation| relation.name.clone()).collect::<BTreeSet<_>>()
    };
    names(one) == names(other) && one.key == other.key && relations(one) == relations(other)
}

fn compare_objects(
    backup: &Catalog,
    restored: &Catalog,
    is_one_version: bool,
    found: &mut Likeness,
) {
    let key = |object: &StoredObject| (object.kind, object.name.clone());
    let there: BTreeMap<_, _> =
        restored.objects.iter().map(|object| (key(object), object)).collect();
    for object in &backup.objects {
        let called = called(object);
        match there.get(&key(object)) {
            None if is_known_invalid(backup, object) => {
                found.invalid_views.push(object.name.clone());
            }
            None => found.differences.push(format!("{called} is not there")),
            Some(other) if is_one_version && definition(object) != definition(other) => {
                found.differences.push(format!("{called} is not defined as it was"));
            }
            Some(_) => found.objects += 1,
        }
    }
    let is_known = |object: &StoredObject| backup.objects.iter().any(|o| key(o) == key(object));
    let unknown = restored.objects.iter().filter(|object| !is_known(object));
    found.differences.extend(
        unknown.map(|object| format!("{} is there, and was not backed up", called(object))),
    );
}

/// Could this view not be used when the backup was made?
pub fn is_known_invalid(backup: &Catalog, object: &StoredObject) -> bool {
    object.kind == StoredObjectKind::View
        && backup.warnings.contains(&Catalog::invalid_view(&object.name))
}

fn called(object: &StoredObject) -> String {
    format!("{} {}", object.kind.keyword().to_lowercase(), object.name)
}

/// All that makes an object what it is, but whose it is.
fn definition(object: &StoredObject) -> (String, Option<&String>, Option<&String>) {
    let ddl = Definers::Strip.apply(&object.ddl, object.definer.as_deref());
    (ddl, object.table.as_ref(), object.context.sql_mode.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{CharsetContext, Flavor, ServerInfo, ValueKind},
        testing::table,
    };

    fn object(kind: StoredObjectKind, name: &str, ddl: &str) -> StoredObject {
        StoredObject {
            kind,
            name: name.to_owned(),
            table: None,
            ddl: ddl.to_owned(),
            definer: Some("app@%".to_owned()),
            context: CharsetContext::default(),
            after: None,
        }
    }

    fn clinic() -> Catalog {
        let keyed = |name| table(name, &[("id", ValueKind::Number)], &["id"]);
        Catalog {
            server: ServerInfo { flavor: Flavor::MariaDb, version: "10.11.19".to_owned() },
            database: "clinica".to_owned(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            tables: vec![keyed("cid"), keyed("pacientes")],
            objects: vec![
                object(
                    StoredObjectKind::Function,
                    "dobro",
                    "CREATE DEFINER=`app`@`%` FUNCTION dobro",
                ),
                object(StoredObjectKind::View, "agenda", "CREATE VIEW agenda AS SELECT 1"),
            ],
            warnings: Vec::new(),
        }
    }

    fn differences(change: impl FnOnce(&mut Catalog)) -> Vec<String> {
        let mut restored = clinic();
        change(&mut restored);
        likeness(&clinic(), &restored).differences
    }

    #[test]
    fn what_is_alike_has_no_difference() {
        assert_eq!(likeness(&clinic(), &clinic()), Likeness { objects: 2, ..Likeness::default() });
        let renamed = differences(|restored| {
            restored.database = "scratch".to_owned();
            let function = &mut restored.objects[0];
            function.ddl = "CREATE DEFINER=`root`@`localhost` FUNCTION dobro".to_owned();
            function.definer = Some("root@localhost".to_owned());
        });
        assert_eq!(renamed, Vec::<String>::new(), "definers are the restorer's");
    }

    #[test]
    fn everything_that_is_missing_added_or_different_is_named() {
        assert_eq!(differences(|r| drop(r.tables.remove(0))), ["table cid is not there"]);
        let added = differences(|r| r.tables.push(table("x", &[], &[])));
        assert_eq!(added, ["table x is there, and was not backed up"]);
        let changed = differences(|r| r.tables[1].columns[0].name = "codigo".to_owned());
        assert_eq!(changed, ["table pacientes is not defined as it was"]);
        let changed = differences(|r| r.tables[1].ddl = r.tables[1].ddl.replace("PRIMARY ", ""));
        let expected = "table pacientes is not defined as it was: \
            expected \"PRIMARY KEY (`id`)\", got \"KEY (`id`)\"";
        assert_eq!(changed, [expected]);
        let changed = differences(|r| r.tables[1].key.clear());
        assert_eq!(changed, ["table pacientes is not defined as it was"]);
        let missing = differences(|r| r.objects.clear());
        assert_eq!(missing, ["function dobro is not there", "view agenda is not there"]);
        let changed = differences(|r| r.objects[1].ddl.push_str(" + 1"));
        assert_eq!(changed, ["view agenda is not defined as it was"]);
        let changed = differences(|r| r.objects[0].context.sql_mode = Some("ANSI".to_owned()));
        assert_eq!(changed, ["function dobro is not defined as it was"]);
        let added =
            differences(|r| r.objects.push(object(StoredObjectKind::Event, "e", "CREATE EVENT e")));
        assert_eq!(added, ["event e is there, and was not backed up"]);
    }

    #[test]
    fn another_version_may_spell_definitions_in_its_own_way() {
        let spelled = differences(|restored| {
            restored.server.version = "11.4.2".to_owned();
            restored.tables[0].ddl.push(' ');
            restored.objects[1].ddl.push(' ');
        });
        assert_eq!(spelled, Vec::<String>::new());
    }

    #[test]
    fn a_view_that_was_invalid_before_is_told_and_is_no_difference() {
        let (mut backup, mut restored) = (clinic(), clinic());
        backup.warnings.push(Catalog::invalid_view("agenda"));
        restored.objects.pop();
        let found = likeness(&backup, &restored);
        assert_eq!(found.differences, Vec::<String>::new());
        assert_eq!(found.invalid_views, ["agenda"]);
        assert_eq!(found.objects, 1);
    }
}
