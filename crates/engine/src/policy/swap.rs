//! How tables change places: which move where, and under which names on the way.
//!
//! A table without triggers goes from one database to the other in one step. One with triggers can't: servers
//! refuse to move it out of its database, and a table without its triggers must never meet a writer. It is
//! brought into the live database under a hidden name, gets its triggers there, and then takes the name of the
//! old one, which goes under a hidden name itself. All tables take their names in one statement.
//!
//! Names of foreign keys and triggers are unique within a database. What comes in while the old ones are still
//! there has hidden names as well, until these are gone.

use std::collections::BTreeSet;

use crate::{
    model::{Catalog, RunId, StoredObject, StoredObjectKind, Table},
    records::journal::{Incoming, NewKey, NewTrigger, Outgoing, Swap},
    stages::definition::{self, quoted},
};

/// The longest name of a database or a table, in characters.
pub const LONGEST_NAME: usize = 64;

/// The databases and hidden names of one restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The database that is loaded.
    pub staging: String,
    /// The database that keeps the old tables.
    pub before: String,
    /// What hidden names begin with.
    pub tag: String,
}

impl Names {
    /// The names for a restore over the live database `live`.
    pub fn of(live: &str, restore: &RunId) -> Self {
        let tag = restore.as_str().rsplit('-').next().unwrap_or_default();
        Self {
            staging: format!("{live}__restore_{tag}"),
            before: format!("{live}__before_{tag}"),
            tag: tag.to_owned(),
        }
    }

    /// Are they short enough for a server?
    pub fn fit(&self) -> bool {
        self.staging.chars().count() <= LONGEST_NAME
    }
}

/// What comes in and what it brings along.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The database it is in.
    pub database: &'a str,
    /// Tables.
    pub tables: &'a [&'a Table],
    /// Sequences, which are moved as tables are.
    pub sequences: &'a [&'a str],
    /// Triggers of these tables.
    pub triggers: &'a [&'a StoredObject],
}

/// What goes out, and to where.
#[derive(Debug, Clone, Copy)]
pub struct Departure<'a> {
    /// The database it goes to.
    pub database: &'a str,
    /// Names of tables and sequences; some may not be there.
    pub tables: &'a BTreeSet<String>,
}

impl Swap {
    /// Plans a change of places in the database that `live` describes; `tag` makes hidden names unique.
    pub fn plan(live: &Catalog, tag: &str, arrival: Arrival, departure: Departure) -> Self {
        let is_trigger = |object: &&StoredObject| object.kind == StoredObjectKind::Trigger;
        let old_triggers: Vec<_> = live.objects.iter().filter(is_trigger).collect();
        let of = |table: &str, object: &&&StoredObject| object.table.as_deref() == Some(table);
        let has_triggers = |table: &str| {
            arrival.triggers.iter().any(|object| of(table, &object))
                || old_triggers.iter().any(|object| of(table, &object))
        };
        let mut numbers = 0..;
        let mut hidden =
            |kind: &str| format!("__{kind}_{tag}_{}", numbers.next().unwrap_or_default());

        let names = live.tables.iter().map(|table| &table.name).chain(sequences(live));
        let outgoing: Vec<_> = names
            .filter(|name| departure.tables.contains(*name))
            .map(|table| Outgoing {
                table: table.clone(),
                hidden: has_triggers(table).then(|| hidden("before")),
                triggers: old_triggers
                    .iter()
                    .filter(|object| of(table, object))
                    .map(|object| object.name.clone())
                    .collect(),
            })
            .collect();
        let lingers =
            |table: &str| outgoing.iter().any(|old| old.table == table && old.hidden.is_some());
        let lingering: BTreeSet<_> = live
            .tables
            .iter()
            .filter(|table| lingers(&table.name))
            .flat_map(|table| table.relations.iter().map(|relation| relation.name.as_str()))
            .collect();

        let comes = |table: &str| arrival.tables.iter().any(|new| new.name == table);
        let mut incoming: Vec<_> = arrival
            .sequences
            .iter()
            .map(|name| Incoming {
                table: (*name).to_owned(),
                hidden: None,
                triggers: Vec::new(),
                keys: Vec::new(),
            })
            .collect();
        for table in arrival.tables {
            let is_hidden = has_triggers(&table.name);
            let triggers = arrival.triggers.iter().filter(|object| of(&table.name, object));
            let triggers = triggers
                .map(|object| NewTrigger { hidden: hidden("trigger"), object: (*object).clone() })
                .collect();
            let keys = keys(table, &live.database, &comes, &mut |name| {
                (is_hidden || lingering.contains(name)).then(|| hidden("key"))
            });
            let hidden = is_hidden.then(|| hidden("restore"));
            incoming.push(Incoming { table: table.name.clone(), hidden, triggers, keys });
        }

        let goes = |table: &str| departure.tables.contains(table);
        let stays = live.tables.iter().filter(|table| !goes(&table.name));
        let children = stays
            .flat_map(|table| {
                let led_astray: BTreeSet<_> = table
                    .relations
                    .iter()
                    .filter(|relation| relation.parent_database.is_none() && goes(&relation.parent))
                    .map(|relation| relation.name.as_str())
                    .collect();
                keys(table, &live.database, &comes, &mut |name| {
                    led_astray.contains(name).then(|| hidden("child"))
                })
            })
            .collect();
        Self {
            live: live.database.clone(),
            from: arrival.database.to_owned(),
            to: departure.database.to_owned(),
            incoming,
            outgoing,
            children,
        }
    }

    /// Have all changed places? They do at once. What comes in is in the live database, under its name, and what went
    /// out is not; that something is no longer where it came from proves nothing, as others may have dropped it.
    pub fn is_done(
        &self,
        live: &BTreeSet<String>,
        from: &BTreeSet<String>,
        to: &BTreeSet<String>,
    ) -> bool {
        let is_hidden =
            |hidden: &Option<String>| hidden.as_ref().is_some_and(|name| live.contains(name));
        let came = |new: &Incoming| {
            live.contains(&new.table) && !from.contains(&new.table) && !is_hidden(&new.hidden)
        };
        let went = |old: &Outgoing| to.contains(&old.table) || is_hidden(&old.hidden);
        self.incoming.iter().all(came) && self.outgoing.iter().all(went)
    }

    /// The moment at which all change places.
    pub fn statement(&self) -> String {
        let out = self.outgoing.iter().map(|old| {
            let (live, table) = (&self.live, &old.table);
            match &old.hidden {
                Some(hidden) => ((live, table), (live, hidden)),
                None => ((live, table), (&self.to, table)),
            }
        });
        let come = self.incoming.iter().map(|new| match &new.hidden {
            Some(hidden) => ((&self.live, hidden), (&self.live, &new.table)),
            None => ((&self.from, &new.table), (&self.live, &new.table)),
        });
        rename(out.chain(come))
    }
}

type Place<'a> = (&'a String, &'a String);

/// One statement that gives tables other places, all at once or none.
pub fn rename<'a>(moves: impl IntoIterator<Item = (Place<'a>, Place<'a>)>) -> String {
    let place = |(database, table): Place| format!("{}.{}", quoted(database), quoted(table));
    let moves = moves.into_iter().map(|(from, to)| format!("{} TO {}", place(from), place(to)));
    format!("RENAME TABLE {}", moves.collect::<Vec<_>>().join(", "))
}

/// Names of the sequences of a database.
pub fn sequences(catalog: &Catalog) -> impl Iterator<Item = &String> {
    let is_sequence = |object: &&StoredObject| object.kind == StoredObjectKind::Sequence;
    catalog.objects.iter().filter(is_sequence).map(|object| &object.name)
}

/// The foreign keys of a table that `hidden` gives another name for a while.
fn keys(
    table: &Table,
    live: &str,
    comes: &impl Fn(&str) -> bool,
    hidden: &mut impl FnMut(&str) -> Option<String>,
) -> Vec<NewKey> {
    let clauses = definition::split(&table.ddl).foreign_keys;
    let relations = table.relations.iter().filter_map(|relation| {
        let clause = clauses.iter().find(|c| definition::is_constraint(c, &relation.name))?;
        let is_outside = relation.parent_database.is_none() && !comes(&relation.parent);
        let clause_outside =
            if is_outside { definition::referring_into(clause, live) } else { clause.clone() };
        Some(NewKey {
            hidden: hidden(&relation.name)?,
            table: table.name.clone(),
            name: relation.name.clone(),
            clause: clause.clone(),
            clause_outside,
        })
    });
    relations.collect()
}
