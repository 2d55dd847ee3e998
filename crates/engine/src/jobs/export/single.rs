//! One SQL file, for `mysql` or `mariadb` with an empty database.
//!
//! Definitions are whole and stand before the rows; what belongs to rows, like triggers, comes after them.
//! Views come last, each first as a stand-in with its columns, so that they can be made in any order; one
//! that was invalid in the source stops a client there, when all else is done.

use super::{
    Content, Error, Rows,
    output::{OpenFile, Output, file_part},
};
use crate::{
    model::{CharsetContext, StoredObject, StoredObjectKind},
    stages::sql::{InContext, SQL_MODE, ident, settings, string, view},
};

/// What a session has before and must have again after, as `mysqldump` keeps it.
const KEPT: [&str; 8] = [
    "character_set_client",
    "character_set_results",
    "collation_connection",
    "time_zone",
    "sql_mode",
    "sql_notes",
    "unique_checks",
    "foreign_key_checks",
];

pub(super) fn write(content: &Content, rows: &mut Rows, output: &mut Output) -> Result<(), Error> {
    let name = format!("{}.sql", file_part(&content.catalog().database, 0));
    let mut script = Script { content, file: output.create(name.clone())? };
    script.head(&name)?;
    script.objects(|kind| kind == StoredObjectKind::Sequence, output)?;
    script.tables(rows, output)?;
    let elsewhere = [StoredObjectKind::Sequence, StoredObjectKind::View];
    script.objects(|kind| !elsewhere.contains(&kind), output)?;
    script.views(output)?;
    script.end()?;
    output.finish(script.file)
}

struct Script<'a> {
    content: &'a Content,
    file: OpenFile,
}

impl Script<'_> {
    fn head(&mut self, name: &str) -> Result<(), Error> {
        let keep: Vec<_> = KEPT.iter().map(|name| format!("@gorgen_{name} = @@{name}")).collect();
        let catalog = self.content.catalog();
        for line in self.content.about() {
            self.line(&format!("-- {line}"))?;
        }
        self.line(
            "-- Load it into a new, empty database, with the client of MySQL or of MariaDB:",
        )?;
        self.line(&format!("--     mariadb --binary-mode --comments DATABASE < {name}"))?;
        self.line("-- Its last line says that it is whole. A view that was invalid stops the client: see --force.\n")?;
        self.statement(&format!("SET {}", keep.join(", ")))?;
        self.statement("SET NAMES utf8mb4")?;
        self.statement(&format!(
            "SET time_zone = '+00:00', sql_mode = {}, sql_notes = 0, unique_checks = 0, foreign_key_checks = 0 \
             /*M!100200 , @gorgen_check_constraint_checks = @@check_constraint_checks, check_constraint_checks = 0 */",
            string(SQL_MODE)
        ))?;
        self.statement(&format!(
            "ALTER DATABASE CHARACTER SET = {} COLLATE = {}",
            string(&catalog.charset),
            string(&catalog.collation)
        ))
    }

    fn tables(&mut self, rows: &mut Rows, output: &mut Output) -> Result<(), Error> {
        let tables = &self.content.catalog().tables;
        for table in tables {
            self.line("")?;
            self.statement(&self.content.definition(table))?;
        }
        for place in 0..tables.len() {
            self.line("")?;
            rows.insert(place, output, |_, statement| self.file.write(statement))?;
        }
        Ok(())
    }

    /// Objects of some kinds, in the order in which they can be made.
    fn objects(
        &mut self,
        wanted: impl Fn(StoredObjectKind) -> bool,
        output: &mut Output,
    ) -> Result<(), Error> {
        let objects = self.content.catalog().objects.iter();
        for object in objects.filter(|object| wanted(object.kind)) {
            self.line("")?;
            self.object(object, output)?;
        }
        self.reset()
    }

    fn object(&mut self, object: &StoredObject, output: &mut Output) -> Result<(), Error> {
        let made = InContext::new(object, &object.ddl, &self.content.catalog().collation);
        output.warnings.extend(made.warning);
        for statement in &made.before {
            self.statement(statement)?;
        }
        if object.ddl.contains(';') {
            self.line("DELIMITER ;;")?;
            self.file.write(&made.create)?;
            // On a line of its own: the body may end with a comment.
            self.line("\n;;\nDELIMITER ;")?;
        } else {
            self.file.write(&made.create)?;
            self.line("\n;")?;
        }
        for statement in &made.after {
            self.statement(statement)?;
        }
        if object.ddl.contains('\r') {
            output.warnings.push(format!(
                "{} {} has line ends with carriage returns, which a client keeps only with --binary-mode",
                object.kind.keyword().to_lowercase(),
                object.name
            ));
        }
        Ok(())
    }

    fn views(&mut self, output: &mut Output) -> Result<(), Error> {
        let views: Vec<_> = self.content.objects(StoredObjectKind::View).collect();
        for view in &views {
            if let Some(columns) = view::columns(&view.ddl) {
                let columns: Vec<_> =
                    columns.iter().map(|name| format!("1 AS {}", ident(name))).collect();
                self.line("")?;
                self.statement(&format!(
                    "CREATE VIEW {} AS SELECT {}",
                    ident(&view.name),
                    columns.join(", ")
                ))?;
            }
        }
        for view in views {
            self.line("")?;
            self.statement(&format!("DROP VIEW IF EXISTS {}", ident(&view.name)))?;
            self.object(view, output)?;
        }
        self.reset()
    }

    fn end(&mut self) -> Result<(), Error> {
        let restore: Vec<_> = KEPT.iter().map(|name| format!("{name} = @gorgen_{name}")).collect();
        self.line("")?;
        self.statement(&format!(
            "SET {} /*M!100200 , check_constraint_checks = @gorgen_check_constraint_checks */",
            restore.join(", ")
        ))?;
        let totals = self.content.manifest.totals(0);
        self.line(&format!("-- Complete: {} tables, {} rows", totals.tables, totals.rows))
    }

    /// Sets the session to what tables and rows need.
    fn reset(&mut self) -> Result<(), Error> {
        self.line("")?;
        self.statement(&settings(&CharsetContext::default()))
    }

    fn statement(&mut self, statement: &str) -> Result<(), Error> {
        self.line(&format!("{statement};"))
    }

    fn line(&mut self, line: &str) -> Result<(), Error> {
        self.file.write(line.as_bytes())?;
        self.file.write(b"\n")
    }
}
