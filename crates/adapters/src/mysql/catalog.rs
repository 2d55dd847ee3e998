//! What a database holds, but for its rows.
//!
//! A few questions to `information_schema` about all tables at once, then one `SHOW CREATE` for each: two
//! thousand tables are two thousand and some questions, not ten thousand.

use gorgen_engine::{
    model::{Catalog, Table},
    ports::SourceError,
};

use super::{
    columns::{self, Columns},
    connect::Session,
    keys,
    names::{ident, qualified},
    objects, privileges,
    schema::{Listed, Schema},
};

/// Names of all tables that have rows.
pub(super) async fn table_names(session: &mut Session) -> Result<Vec<String>, SourceError> {
    let schema = Schema::find_existing(session).await?;
    let listed = Listed::read(session, &schema).await?;
    Ok(listed.tables.into_iter().map(|table| table.name).collect())
}

/// Is it there, and may this account see all of it?
pub(super) async fn check(session: &mut Session) -> Result<Schema, SourceError> {
    let schema = Schema::find_existing(session).await?;
    privileges::require_sight(session, &schema.name).await?;
    Ok(schema)
}

/// Reads everything.
pub(super) async fn read(session: &mut Session) -> Result<Catalog, SourceError> {
    let (schema, listed) = list(session).await?;
    let (tables, warnings) = read_tables(session, &schema, &listed).await?;
    assemble(session, schema, &listed, tables, warnings).await
}

/// Reads everything but the definitions of tables, which are known.
pub(super) async fn read_around(
    session: &mut Session,
    tables: &[Table],
) -> Result<Catalog, SourceError> {
    let (schema, listed) = list(session).await?;
    assemble(session, schema, &listed, tables.to_vec(), Vec::new()).await
}

async fn list(session: &mut Session) -> Result<(Schema, Listed), SourceError> {
    let schema = check(session).await?;
    // Views of the current database are shown without its name, so that they can be made in another one.
    session.run("use the database", &format!("USE {}", ident(&schema.name))).await?;
    let listed = Listed::read(session, &schema).await?;
    Ok((schema, listed))
}

async fn assemble(
    session: &mut Session,
    schema: Schema,
    listed: &Listed,
    tables: Vec<Table>,
    mut warnings: Vec<String>,
) -> Result<Catalog, SourceError> {
    let objects = objects::read(session, &schema, listed, &mut warnings).await?;
    Ok(Catalog {
        server: session.server.clone(),
        database: session.identity().database.clone(),
        charset: schema.charset,
        collation: schema.collation,
        tables,
        objects,
        warnings,
    })
}

async fn read_tables(
    session: &mut Session,
    schema: &Schema,
    listed: &Listed,
) -> Result<(Vec<Table>, Vec<String>), SourceError> {
    let mut warnings = listed.warnings.clone();
    warnings.extend(listed.unsteady(session).await?);
    let Columns { of: mut columns, warnings: doubts } = columns::read(session, schema).await?;
    warnings.extend(doubts);
    let unique = keys::read_unique(session, schema).await?;
    let mut relations = keys::read_relations(session, schema).await?;

    let mut tables = Vec::with_capacity(listed.tables.len());
    for table in &listed.tables {
        let ddl = definition(session, schema, &table.name).await?;
        let columns = columns.remove(&table.name).unwrap_or_default();
        if columns.is_empty() {
            return Err(without_columns(&table.name, &ddl));
        }
        let keys = unique.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        let key = keys::choose(keys, &columns, &ddl);
        tables.push(Table {
            name: table.name.clone(),
            key: key.map(|key| key.columns.clone()).unwrap_or_default(),
            key_index: key.map(|key| key.index.clone()),
            ddl,
            collation: table.collation.clone(),
            engine: table.engine.clone(),
            columns,
            relations: relations.remove(&table.name).unwrap_or_default(),
            estimated_bytes: table.bytes,
        });
    }
    Ok((tables, warnings))
}

/// A table that came or went since the columns were listed has none in the list.
fn without_columns(table: &str, ddl: &str) -> SourceError {
    if ddl.contains(" GENERATED ALWAYS AS ") {
        let what = format!("table {table} has no stored column: all are computed");
        SourceError::Unexpected { what }
    } else {
        SourceError::DefinitionChanged { what: format!("table {table}") }
    }
}

async fn definition(
    session: &mut Session,
    schema: &Schema,
    table: &str,
) -> Result<String, SourceError> {
    let what = format!("table {table}");
    let query = format!("SHOW CREATE TABLE {}", qualified(&schema.name, table));
    let rows = session.answers_about(&what, &query).await?;
    let ddl = rows.first().and_then(|row| row.get(1));
    ddl.map(str::to_owned)
        .ok_or_else(|| SourceError::Unexpected { what: format!("{what} has no definition") })
}
