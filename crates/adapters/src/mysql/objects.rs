//! Views, triggers, routines, events and sequences, each with the settings it was made under.
//!
//! None is ever left out: what the account may not read is an error that names the object and the
//! privilege; what this program does not cover is a warning.

use std::collections::HashMap;

use gorgen_engine::{
    model::{CharsetContext, Flavor, StoredObject, StoredObjectKind},
    ports::SourceError,
    stages::trigger,
};

use super::{
    connect::{Answer, Session},
    error::MySqlError,
    names::{ident, qualified},
    schema::{Listed, Schema},
};

/// Reads all objects, in the order in which they can be made.
pub(super) async fn read(
    session: &mut Session,
    schema: &Schema,
    listed: &Listed,
    warnings: &mut Vec<String>,
) -> Result<Vec<StoredObject>, SourceError> {
    let mut objects = Vec::new();
    for name in &listed.sequences {
        objects.push(sequence(session, schema, name).await?);
    }
    objects.extend(routines(session, schema, warnings).await?);
    let views = views(session, schema, listed).await?;
    warnings.extend(views.iter().filter_map(|view| names_its_database(view, schema)));
    objects.extend(in_order_of_need(views));
    objects.extend(triggers(session, schema).await?);
    objects.extend(events(session, schema).await?);
    warnings.extend(libraries(session, schema).await?);
    Ok(objects)
}

/// Places of what `SHOW CREATE` gives, which differ from kind to kind.
struct Places {
    sql_mode: Option<usize>,
    time_zone: Option<usize>,
    ddl: usize,
    /// `character_set_client`, and after it `collation_connection`.
    charset: Option<usize>,
    database_collation: Option<usize>,
}

const VIEW: Places =
    Places { sql_mode: None, time_zone: None, ddl: 1, charset: Some(2), database_collation: None };
const ROUTINE: Places = Places {
    sql_mode: Some(1),
    time_zone: None,
    ddl: 2,
    charset: Some(3),
    database_collation: Some(5),
};
const EVENT: Places = Places {
    sql_mode: Some(1),
    time_zone: Some(2),
    ddl: 3,
    charset: Some(4),
    database_collation: Some(6),
};
const SEQUENCE: Places =
    Places { sql_mode: None, time_zone: None, ddl: 1, charset: None, database_collation: None };

async fn show_create(
    session: &mut Session,
    schema: &Schema,
    kind: StoredObjectKind,
    name: &str,
    definer: Option<&str>,
) -> Result<StoredObject, SourceError> {
    let places = match kind {
        StoredObjectKind::Sequence => SEQUENCE,
        StoredObjectKind::View => VIEW,
        StoredObjectKind::Function | StoredObjectKind::Procedure | StoredObjectKind::Trigger => {
            ROUTINE
        }
        StoredObjectKind::Event => EVENT,
    };
    let what = format!("{} {name}", kind.keyword().to_lowercase());
    let query = format!("SHOW CREATE {} {}", kind.keyword(), qualified(&schema.name, name));
    let rows = session.answers_about(&what, &query).await?;
    let Some(shown) = rows.first().filter(|row| row.get(places.ddl).is_some()) else {
        return Err(hidden(kind, session, &what));
    };
    let text = |place: Option<usize>| place.map(|place| shown.text(place));
    Ok(StoredObject {
        kind,
        name: name.to_owned(),
        table: None,
        ddl: shown.text(places.ddl),
        definer: definer.map(str::to_owned),
        context: CharsetContext {
            sql_mode: text(places.sql_mode),
            character_set_client: text(places.charset),
            collation_connection: text(places.charset.map(|place| place + 1)),
            database_collation: text(places.database_collation),
            time_zone: text(places.time_zone),
        },
        after: None,
    })
}

/// The server shows that the object is there, but not what it is.
fn hidden(kind: StoredObjectKind, session: &Session, what: &str) -> SourceError {
    let (privilege, grant) = match (kind, session.flavor()) {
        (StoredObjectKind::View, _) => ("SHOW VIEW", "run GRANT SHOW VIEW on the database"),
        (StoredObjectKind::Trigger, _) => ("TRIGGER", "run GRANT TRIGGER on the database"),
        (StoredObjectKind::Event, _) => ("EVENT", "run GRANT EVENT on the database"),
        (StoredObjectKind::Sequence, _) => ("SELECT", "run GRANT SELECT on the database"),
        (_, Flavor::MariaDb) => ("SELECT", "run GRANT SELECT ON mysql.proc"),
        (_, _) => ("SHOW_ROUTINE", "run GRANT SHOW_ROUTINE ON *.*"),
    };
    MySqlError::Privilege { privilege, grant: grant.to_owned() }
        .refused(session.identity(), &format!("show the definition of {what}"))
}

async fn sequence(
    session: &mut Session,
    schema: &Schema,
    name: &str,
) -> Result<StoredObject, SourceError> {
    let mut sequence = show_create(session, schema, StoredObjectKind::Sequence, name, None).await?;
    let query =
        format!("SELECT next_not_cached_value, cycle_count FROM {}", qualified(&schema.name, name));
    let state = session.answers_about(&format!("sequence {name}"), &query).await?;
    sequence.after = state
        .first()
        .map(|row| format!("DO SETVAL({}, {}, 0, {})", ident(name), row.text(0), row.number(1)));
    Ok(sequence)
}

async fn routines(
    session: &mut Session,
    schema: &Schema,
    warnings: &mut Vec<String>,
) -> Result<Vec<StoredObject>, SourceError> {
    let columns = "ROUTINE_NAME, ROUTINE_TYPE, DEFINER";
    let listed =
        schema.ask(session, "ROUTINES", columns, "ORDER BY ROUTINE_TYPE, ROUTINE_NAME").await?;
    let mut routines = Vec::new();
    for row in &listed {
        let kind = match row.get(1) {
            Some("FUNCTION") => StoredObjectKind::Function,
            Some("PROCEDURE") => StoredObjectKind::Procedure,
            other => {
                let kind = other.unwrap_or("ROUTINE").to_lowercase();
                warnings.push(format!("{kind} {} is not backed up", row.text(0)));
                continue;
            }
        };
        routines.push(show_create(session, schema, kind, &row.text(0), row.get(2)).await?);
    }
    Ok(routines)
}

async fn views(
    session: &mut Session,
    schema: &Schema,
    listed: &Listed,
) -> Result<Vec<StoredObject>, SourceError> {
    let rows = schema.ask(session, "VIEWS", "TABLE_NAME, DEFINER", "").await?;
    let definers: HashMap<_, _> = rows.iter().map(|row| (row.text(0), row.text(1))).collect();
    let mut views = Vec::with_capacity(listed.views.len());
    for name in &listed.views {
        let definer = definers.get(name).map(String::as_str);
        views.push(show_create(session, schema, StoredObjectKind::View, name, definer).await?);
    }
    Ok(views)
}

/// Views after the views that they name; those in a circle, which can't be valid, last.
fn in_order_of_need(mut waiting: Vec<StoredObject>) -> Vec<StoredObject> {
    let mut ordered = Vec::with_capacity(waiting.len());
    loop {
        let names: Vec<_> =
            waiting.iter().map(|view| (view.name.clone(), ident(&view.name))).collect();
        let needs_other = |view: &StoredObject| {
            names.iter().any(|(name, quoted)| *name != view.name && view.ddl.contains(quoted))
        };
        let (blocked, free): (Vec<_>, Vec<_>) = waiting.into_iter().partition(needs_other);
        if free.is_empty() {
            ordered.extend(blocked);
            return ordered;
        }
        ordered.extend(free);
        waiting = blocked;
    }
}

/// A view that reaches into another database is shown with all names whole.
fn names_its_database(view: &StoredObject, schema: &Schema) -> Option<String> {
    view.ddl.contains(&format!("{}.`", ident(&schema.name))).then(|| {
        format!(
            "view {} names its database: restored into another one, it still reads from {}",
            view.name, schema.name
        )
    })
}

async fn triggers(
    session: &mut Session,
    schema: &Schema,
) -> Result<Vec<StoredObject>, SourceError> {
    let columns = "TRIGGER_NAME, EVENT_OBJECT_TABLE, DEFINER";
    let order = "ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, TRIGGER_NAME";
    let listed = schema.ask(session, "TRIGGERS", columns, order).await?;
    let mut triggers = Vec::with_capacity(listed.len());
    for row in &listed {
        let trigger =
            show_create(session, schema, StoredObjectKind::Trigger, &row.text(0), row.get(2))
                .await?;
        triggers.push(StoredObject {
            table: Some(row.text(1)),
            ddl: trigger::without_database(&trigger.ddl),
            ..trigger
        });
    }
    Ok(triggers)
}

async fn events(session: &mut Session, schema: &Schema) -> Result<Vec<StoredObject>, SourceError> {
    let listed =
        schema.ask(session, "EVENTS", "EVENT_NAME, DEFINER", "ORDER BY EVENT_NAME").await?;
    let mut events = Vec::with_capacity(listed.len());
    for row in &listed {
        events.push(
            show_create(session, schema, StoredObjectKind::Event, &row.text(0), row.get(1)).await?,
        );
    }
    Ok(events)
}

/// Libraries of `JavaScript`, since MySQL 9.2.
async fn libraries(session: &mut Session, schema: &Schema) -> Result<Vec<String>, SourceError> {
    let query = "SELECT 1 FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'LIBRARIES'";
    if session.answers("list libraries", query).await?.is_empty() {
        return Ok(Vec::new());
    }
    let listed: Vec<Answer> = schema.ask(session, "LIBRARIES", "LIBRARY_NAME", "").await?;
    Ok(listed.iter().map(|row| format!("library {} is not backed up", row.text(0))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, reads: &str) -> StoredObject {
        StoredObject {
            kind: StoredObjectKind::View,
            name: name.to_owned(),
            table: None,
            ddl: format!("CREATE VIEW `{name}` AS select 1 from `{reads}`"),
            definer: None,
            context: CharsetContext::default(),
            after: None,
        }
    }

    #[test]
    fn views_come_after_what_they_read() {
        let names =
            |views| in_order_of_need(views).into_iter().map(|view| view.name).collect::<Vec<_>>();
        assert_eq!(names(vec![view("a", "b"), view("b", "c"), view("c", "t")]), ["c", "b", "a"]);
        assert_eq!(names(vec![view("x", "y"), view("y", "x"), view("z", "t")]), ["z", "x", "y"]);
    }
}
