//! Definitions: databases, tables, keys, views, triggers and routines, as the target's server takes them.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::Work;
use crate::{
    jobs::Error,
    model::{CharsetContext, Flavor, Relation, StoredObject, StoredObjectKind, Table},
    policy::compatibility,
    ports::TargetError,
    stages::definition::{self, quoted},
};

impl Work<'_> {
    pub(in crate::jobs) async fn create_sequences(&self) -> Result<(), Error> {
        for sequence in self.objects_of(StoredObjectKind::Sequence) {
            self.create_object(sequence).await?;
        }
        Ok(())
    }

    /// Drops what an earlier attempt may have left of these tables.
    pub(in crate::jobs) async fn drop_tables(&self) -> Result<(), Error> {
        for table in &self.chosen.catalog.tables {
            let statement = format!("DROP TABLE IF EXISTS {}", quoted(&table.name));
            self.execute(&format!("drop table {}", table.name), &statement).await?;
        }
        Ok(())
    }

    pub(in crate::jobs) async fn create_tables(&self) -> Result<(), Error> {
        let catalog = &self.chosen.catalog;
        let create = catalog.tables.iter().map(async |table| {
            let create = definition::split(&table.ddl).create;
            let home = self.home.as_ref().map(|home| home.database.as_str());
            let ddl = definition::in_database(&create, &catalog.database, home);
            let ddl = self.with_plain_literals(&self.with_mapped_collations(&ddl));
            self.execute(&format!("create table {}", table.name), &ddl).await
        });
        let connections = self.request.connections.max(1);
        stream::iter(create).buffer_unordered(connections).try_collect::<()>().await
    }

    pub(in crate::jobs) async fn create_database(&self) -> Result<(), Error> {
        let catalog = &self.chosen.catalog;
        let collation = self.mapped(&catalog.collation);
        let charset =
            if collation == catalog.collation { &catalog.charset } else { charset_of(collation) };
        Ok(self.target.create_database(charset, collation).await?)
    }

    pub(in crate::jobs) async fn add_secondary_keys(&self) -> Result<(), Error> {
        let mut tables: Vec<_> =
            self.chosen.catalog.tables.iter().zip(&self.chosen.parts).collect();
        tables.sort_by_key(|(_, part)| std::cmp::Reverse(part.digest().bytes));
        let build = tables.into_iter().map(async |(table, _)| {
            let keys = definition::split(&table.ddl).keys;
            self.alter(table, "build the keys of", &keys).await
        });
        let connections = self.request.connections.max(1);
        stream::iter(build).buffer_unordered(connections).try_collect::<()>().await
    }

    /// Foreign keys, which may need keys of other tables. One to a table that is not restored is left out, or
    /// leads to the table that stays where this one will be moved.
    pub(in crate::jobs) async fn add_foreign_keys(
        &self,
        is_due: impl Fn(&str) -> bool,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        for table in self.chosen.catalog.tables.iter().filter(|table| is_due(&table.name)) {
            let mut foreign_keys = definition::split(&table.ddl).foreign_keys;
            for relation in self.relations_outwards(table) {
                let is_it = |clause: &String| definition::is_constraint(clause, &relation.name);
                let home = self.home.as_ref().filter(|home| home.stay.contains(&relation.parent));
                if let Some(home) = home {
                    foreign_keys.iter_mut().filter(|clause| is_it(clause)).for_each(|clause| {
                        *clause = definition::referring_into(clause, &home.database);
                    });
                    continue;
                }
                foreign_keys.retain(|clause| !is_it(clause));
                warnings.push(format!(
                    "foreign key {} of table {} was not restored: table {} was not asked for",
                    relation.name, table.name, relation.parent
                ));
            }
            self.alter(table, "add the foreign keys of", &foreign_keys).await?;
        }
        Ok(())
    }

    async fn alter(&self, table: &Table, what: &str, clauses: &[String]) -> Result<(), Error> {
        if clauses.is_empty() {
            return Ok(());
        }
        let added: Vec<_> = clauses.iter().map(|clause| format!("ADD {clause}")).collect();
        let statement = format!("ALTER TABLE {} {}", quoted(&table.name), added.join(", "));
        self.execute(&format!("{what} table {}", table.name), &statement).await
    }

    /// Foreign keys to tables of this database that are not being restored.
    pub(super) fn relations_outwards<'a>(
        &'a self,
        table: &'a Table,
    ) -> impl Iterator<Item = &'a Relation> {
        let known: BTreeSet<_> =
            self.chosen.catalog.tables.iter().map(|table| table.name.as_str()).collect();
        let whole = self.request.tables.is_empty() && self.home.is_none();
        let stays =
            |parent: &str| self.home.as_ref().is_some_and(|home| home.stay.contains(parent));
        table.relations.iter().filter(move |relation| {
            relation.parent_database.is_none()
                && (stays(&relation.parent) || !whole && !known.contains(relation.parent.as_str()))
        })
    }

    /// Drops what an earlier attempt left of these kinds of objects.
    pub(in crate::jobs) async fn drop_objects(
        &self,
        there: &[StoredObject],
        is_due: impl Fn(StoredObjectKind) -> bool,
    ) -> Result<(), Error> {
        for StoredObject { kind, name, .. } in there.iter().filter(|object| is_due(object.kind)) {
            let keyword = kind.keyword();
            let statement = format!("DROP {keyword} IF EXISTS {}", quoted(name));
            self.execute(&format!("drop {} {name}", keyword.to_lowercase()), &statement).await?;
        }
        Ok(())
    }

    pub(in crate::jobs) async fn create_objects(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        for kind in [StoredObjectKind::Function, StoredObjectKind::Procedure] {
            for routine in self.objects_of(kind) {
                self.create_object(routine).await?;
            }
        }
        self.create_views(warnings).await?;
        for kind in [StoredObjectKind::Trigger, StoredObjectKind::Event] {
            for object in self.objects_of(kind) {
                self.create_object(object).await?;
            }
        }
        Ok(())
    }

    /// Views may need each other: rounds, until a round makes none. What is left was invalid in the source.
    pub(in crate::jobs) async fn create_views(
        &self,
        warnings: &mut Vec<String>,
    ) -> Result<(), Error> {
        let mut waiting: Vec<_> = self.objects_of(StoredObjectKind::View).collect();
        while !waiting.is_empty() {
            let (before, mut failed) = (waiting.len(), Vec::new());
            for view in waiting {
                match self.create_object(view).await {
                    Ok(()) => {}
                    Err(error @ Error::Target(TargetError::Refused { .. })) => {
                        failed.push((view, error));
                    }
                    Err(error) => return Err(error),
                }
            }
            if failed.len() == before {
                warnings.extend(failed.iter().map(|(view, error)| {
                    let causes =
                        std::iter::successors(std::error::Error::source(error), |e| e.source());
                    let why = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
                    if self.is_of_one_kind() {
                        format!("view {} is invalid and was not restored: {why}", view.name)
                    } else {
                        format!(
                            "view {} is not what {} takes, and was not restored: {why}",
                            view.name,
                            compatibility::name_of(&self.info)
                        )
                    }
                }));
                return Ok(());
            }
            waiting = failed.into_iter().map(|(view, _)| view).collect();
        }
        Ok(())
    }

    pub(in crate::jobs) fn objects_of(
        &self,
        kind: StoredObjectKind,
    ) -> impl Iterator<Item = &StoredObject> {
        self.chosen.catalog.objects.iter().filter(move |object| object.kind == kind)
    }

    pub(in crate::jobs) async fn create_object(&self, object: &StoredObject) -> Result<(), Error> {
        let action = format!("create {} {}", object.kind.keyword().to_lowercase(), object.name);
        let ddl = self.request.definers.apply(&object.ddl, object.definer.as_deref());
        let ddl = self.with_mapped_collations(&ddl);
        let context = self.with_mapped_context(&object.context);
        self.target.execute(&action, &ddl, &context).await?;
        if let Some(after) = &object.after {
            self.target.execute(&action, after, &context).await?;
        }
        Ok(())
    }

    async fn execute(&self, action: &str, statement: &str) -> Result<(), Error> {
        Ok(self.target.execute(action, statement, &CharsetContext::default()).await?)
    }

    fn mapped<'a>(&'a self, collation: &'a str) -> &'a str {
        self.request.collations.get(collation).map_or(collation, String::as_str)
    }

    fn with_mapped_collations(&self, ddl: &str) -> String {
        let mapped = self.request.collations.iter();
        mapped.fold(ddl.to_owned(), |ddl, (from, to)| definition::replace_word(&ddl, from, to))
    }

    fn with_mapped_context(&self, context: &CharsetContext) -> CharsetContext {
        let mapped = |collation: &Option<String>| {
            collation.as_deref().map(|collation| self.mapped(collation).to_owned())
        };
        CharsetContext {
            collation_connection: mapped(&context.collation_connection),
            database_collation: mapped(&context.database_collation),
            ..context.clone()
        }
    }

    /// MySQL shows literals with their character set before them. Of such a one MariaDB keeps the bytes beyond ASCII,
    /// in a computed column, a default or a check, as text: `\xC2` would be four characters. Tables are made by a
    /// session of that character set, for which the literal alone is the same.
    fn with_plain_literals(&self, ddl: &str) -> String {
        match self.info.server.flavor {
            Flavor::MariaDb if !self.is_of_one_kind() => {
                definition::replace_word(ddl, "_utf8mb4", "")
            }
            _ => ddl.to_owned(),
        }
    }
}

/// The character set that a collation belongs to: the first part of its name.
fn charset_of(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}
