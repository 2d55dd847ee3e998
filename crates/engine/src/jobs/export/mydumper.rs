//! A folder as mydumper writes it, for myloader 0.10 and later, TiDB Lightning, and clients.
//!
//! ```text
//! db-schema-create.sql           the database
//! db.seq-schema-sequence.sql     a sequence
//! db.table-schema.sql            a table
//! db.table.00000.sql             rows of it, up to some 64 MiB a file
//! db.view-schema.sql             a table in the place of a view, for views that need it
//! db.view-schema-view.sql        the view
//! db.table-schema-triggers.sql   triggers of a table
//! db-schema-post.sql             routines and events
//! metadata                       what there is; last, and without it myloader refuses the folder
//! ```
//! myloader ends statements at `;` before a line end and knows no `DELIMITER`. So files with bodies end
//! each statement with `;;` on a line of its own: servers take the second `;` for nothing, and a client
//! loads such a file with `--delimiter=';;'`. Later versions run a file's `/*!` statements again on other
//! connections and fail where others stand before them: these come first, and come alone.

use std::fmt::Write;

use super::{
    Content, Error, Rows,
    output::{OpenFile, Output, file_part},
};
use crate::{
    model::{CharsetContext, StoredObject, StoredObjectKind, Table},
    stages::sql::{InContext, SQL_MODE, ident, settings, statement::uncut, string, view},
};

/// A file is full with so many bytes: large enough to be quick, small enough for many loaders at once.
const FILE: u64 = 64 << 20;

pub(super) fn write(content: &Content, rows: &mut Rows, output: &mut Output) -> Result<(), Error> {
    let mut folder = Folder::new(content, output);
    folder.database()?;
    folder.sequences()?;
    for place in 0..content.catalog().tables.len() {
        folder.table(place, rows)?;
    }
    folder.views()?;
    folder.triggers()?;
    folder.routines_and_events()?;
    folder.warn();
    folder.metadata()
}

struct Folder<'a> {
    content: &'a Content,
    output: &'a mut Output,
    database: String,
    /// The groups of `metadata`.
    groups: String,
    numbers: usize,
    /// Objects whose bodies were changed for myloader.
    spaced: Vec<String>,
}

impl<'a> Folder<'a> {
    fn new(content: &'a Content, output: &'a mut Output) -> Self {
        let name = &content.catalog().database;
        // Loaders take the database's name from the file's, unless it is one of mydumper's own.
        let plain = file_part(name, 0) == *name;
        Self {
            database: if plain { name.clone() } else { "mydumper_0".to_owned() },
            content,
            output,
            groups: String::new(),
            numbers: 0,
            spaced: Vec::new(),
        }
    }

    fn database(&mut self) -> Result<(), Error> {
        let catalog = self.content.catalog();
        let create = format!(
            "CREATE DATABASE IF NOT EXISTS {} DEFAULT CHARACTER SET {} COLLATE {}",
            ident(&catalog.database),
            string(&catalog.charset),
            string(&catalog.collation)
        );
        let file = format!("{}-schema-create.sql", self.database);
        self.output.write(file, schema(&[create]).as_bytes())
    }

    fn sequences(&mut self) -> Result<(), Error> {
        for sequence in self.content.objects(StoredObjectKind::Sequence) {
            let part = self.enter(&sequence.name, &["is_sequence = 1".to_owned()]);
            let statements: Vec<_> =
                [sequence.ddl.clone()].into_iter().chain(sequence.after.clone()).collect();
            let file = format!("{}.{part}-schema-sequence.sql", self.database);
            self.output.write(file, schema(&statements).as_bytes())?;
        }
        Ok(())
    }

    fn table(&mut self, place: usize, rows: &mut Rows) -> Result<(), Error> {
        let table = &self.content.catalog().tables[place];
        let digest = self.content.manifest.tables[place].digest();
        let part = self.enter(&table.name, &[format!("rows = {}", digest.rows)]);
        let ddl = self.content.definition(table);
        let ddl = uncut(&ddl, SQL_MODE).unwrap_or(ddl);
        let file = format!("{}.{part}-schema.sql", self.database);
        self.output.write(file, schema(&[ddl]).as_bytes())?;
        let mut data =
            DataFiles { name: format!("{}.{part}", self.database), number: 0, open: None };
        rows.insert(place, self.output, |output, statement| data.write(output, statement))?;
        data.finish(self.output)
    }

    fn views(&mut self) -> Result<(), Error> {
        for object in self.content.objects(StoredObjectKind::View) {
            let part = self.enter(&object.name, &["is_view = 1".to_owned()]);
            let name = ident(&object.name);
            if let Some(columns) = view::columns(&object.ddl) {
                let columns: Vec<_> =
                    columns.iter().map(|name| format!("{} int", ident(name))).collect();
                let stand_in = format!(
                    "CREATE TABLE IF NOT EXISTS {name} (\n{}\n) ENGINE=MEMORY",
                    columns.join(",\n")
                );
                let file = format!("{}.{part}-schema.sql", self.database);
                self.output.write(file, schema(&[stand_in]).as_bytes())?;
            }
            let mut file = schema(&[
                format!("DROP TABLE IF EXISTS {name}"),
                format!("DROP VIEW IF EXISTS {name}"),
            ])
            .into_bytes();
            self.append(object, ";", &mut file);
            file.extend_from_slice(ended(&settings(&CharsetContext::default()), ";").as_bytes());
            let name = format!("{}.{part}-schema-view.sql", self.database);
            self.output.write(name, &file)?;
        }
        Ok(())
    }

    fn triggers(&mut self) -> Result<(), Error> {
        let catalog = self.content.catalog();
        for (place, table) in catalog.tables.iter().enumerate() {
            let triggers: Vec<_> = self
                .content
                .objects(StoredObjectKind::Trigger)
                .filter(|trigger| trigger.table.as_ref() == Some(&table.name))
                .collect();
            let file =
                format!("{}.{}-schema-triggers.sql", self.database, self.table_part(place, table));
            self.bodies(file, &triggers)?;
        }
        Ok(())
    }

    fn routines_and_events(&mut self) -> Result<(), Error> {
        let elsewhere =
            [StoredObjectKind::Sequence, StoredObjectKind::View, StoredObjectKind::Trigger];
        let objects = self.content.catalog().objects.iter();
        let objects: Vec<_> = objects.filter(|object| !elsewhere.contains(&object.kind)).collect();
        self.bodies(format!("{}-schema-post.sql", self.database), &objects)
    }

    /// A file of objects that have bodies; none if there is no object.
    fn bodies(&mut self, name: String, objects: &[&StoredObject]) -> Result<(), Error> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut file = head(";;").into_bytes();
        for object in objects {
            self.append(object, ";;", &mut file);
        }
        file.extend_from_slice(ended(&settings(&CharsetContext::default()), ";;").as_bytes());
        self.output.write(name, &file)
    }

    fn append(&mut self, object: &StoredObject, end: &str, file: &mut Vec<u8>) {
        let catalog = self.content.catalog();
        let sql_mode = object.context.sql_mode.as_deref().unwrap_or(SQL_MODE);
        let spaced = uncut(&object.ddl, sql_mode);
        if spaced.is_some() {
            self.spaced.push(format!("{} {}", object.kind.keyword().to_lowercase(), object.name));
        }
        let made =
            InContext::new(object, spaced.as_ref().unwrap_or(&object.ddl), &catalog.collation);
        self.output.warnings.extend(made.warning);
        for statement in &made.before {
            file.extend_from_slice(ended(statement, end).as_bytes());
        }
        file.extend_from_slice(&made.create);
        file.extend_from_slice(ended("", end).as_bytes());
        for statement in &made.after {
            file.extend_from_slice(ended(statement, end).as_bytes());
        }
    }

    fn warn(&mut self) {
        if self.database != self.content.catalog().database {
            self.output.warnings.push(
                "the database's name can't be a file's: name the database to load into, myloader -B NAME"
                    .to_owned(),
            );
        }
        if !self.spaced.is_empty() {
            self.output.warnings.push(format!(
                "myloader ends a statement at each `;` that ends a line, so a space was put behind such a `;` in {}",
                self.spaced.join(", ")
            ));
        }
        for sequence in self.content.objects(StoredObjectKind::Sequence) {
            let name = ident(&sequence.name);
            let tables = self.content.catalog().tables.iter();
            for table in tables.filter(|table| table.ddl.contains(&name)) {
                self.output.warnings.push(format!(
                    "table {} takes values from sequence {}, which myloader before 0.15 makes too late",
                    table.name, sequence.name
                ));
            }
        }
    }

    fn metadata(&mut self) -> Result<(), Error> {
        let mut text = String::new();
        for line in self.content.about() {
            text.extend(["# ", &line, "\n"]);
        }
        let snapshot = self.content.header.snapshot.strftime("%Y-%m-%d %H:%M:%S");
        // The one line that mydumper's own files have had in every version.
        let _ = writeln!(text, "# Started dump at: {snapshot}");
        let position = &self.content.manifest.position;
        let positions = [("GTID", &position.gtid), ("Binary log", &position.binlog)];
        for (what, value) in positions {
            if let Some(value) = value {
                text.extend(["# ", what, ": ", &value.replace('\n', ""), "\n"]);
            }
        }
        text.push_str(
            "# Load it with `myloader -d FOLDER`. A client loads it too: -schema-create, -schema, data, -schema-post,\n\
             # -schema-view, -schema-triggers; the post and trigger files with --delimiter=';;'.\n\
             [config]\nquote-character = BACKTICK\n\n",
        );
        text.extend(["[myloader_session_variables]\nSQL_MODE='", SQL_MODE, "' /*!40101\n"]);
        text.push_str(&self.groups);
        self.output.write("metadata".to_owned(), text.as_bytes())
    }

    /// Enters a table, view or sequence into `metadata` and gives its part of a file's name.
    fn enter(&mut self, name: &str, facts: &[String]) -> String {
        let part = file_part(name, self.numbers);
        self.numbers += 1;
        // Writing to a string can't fail.
        let _ = writeln!(self.groups, "\n[`{}`.`{part}`]", self.database);
        // What the format can't write is taken from the definition.
        if name.trim() == name && !name.contains(char::is_control) {
            let _ = writeln!(self.groups, "real_table_name={name}");
        }
        for fact in facts {
            let _ = writeln!(self.groups, "{fact}");
        }
        part
    }

    /// The part that was entered for a table: sequences come before tables.
    fn table_part(&self, place: usize, table: &Table) -> String {
        let before = self.content.objects(StoredObjectKind::Sequence).count();
        file_part(&table.name, before + place)
    }
}

/// The files of one table's rows, of which one is open.
struct DataFiles {
    name: String,
    number: u32,
    open: Option<OpenFile>,
}

impl DataFiles {
    fn write(&mut self, output: &mut Output, statement: &[u8]) -> Result<(), Error> {
        if self.open.as_ref().is_some_and(|file| file.bytes + statement.len() as u64 > FILE) {
            self.finish(output)?;
        }
        let mut file = match self.open.take() {
            Some(file) => file,
            None => self.next(output)?,
        };
        file.write(statement)?;
        self.open = Some(file);
        Ok(())
    }

    fn next(&mut self, output: &Output) -> Result<OpenFile, Error> {
        let mut file = output.create(format!("{}.{:05}.sql", self.name, self.number))?;
        self.number += 1;
        file.write(head(";").as_bytes())?;
        Ok(file)
    }

    fn finish(&mut self, output: &mut Output) -> Result<(), Error> {
        self.open.take().map_or(Ok(()), |file| output.finish(file))
    }
}

/// What every file begins with, in the form that myloader looks for.
fn head(end: &str) -> String {
    [
        "/*!40101 SET NAMES utf8mb4*/".to_owned(),
        "/*!40014 SET FOREIGN_KEY_CHECKS=0*/ /*M!100200 , CHECK_CONSTRAINT_CHECKS=0*/".to_owned(),
        format!("/*!40101 SET SQL_MODE='{SQL_MODE}'*/"),
        "/*!40103 SET TIME_ZONE='+00:00' */".to_owned(),
    ]
    .map(|statement| format!("{statement}{end}\n"))
    .concat()
}

/// A file of plain statements.
fn schema(statements: &[String]) -> String {
    let statements = statements.iter().map(|statement| ended(statement, ";"));
    head(";") + &statements.collect::<String>()
}

/// A statement with its end; a doubled one has a line of its own, as the statement may end with a comment.
fn ended(statement: &str, end: &str) -> String {
    let between = if end == ";" { "" } else { "\n" };
    format!("{statement}{between}{end}\n")
}
