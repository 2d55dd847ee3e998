//! Which rows of which tables are a tenant's: by the tenant column, or by a foreign key that leads to a table
//! that has it. Where that is not certain the table is not covered, and it is said why.

use std::collections::BTreeMap;

use super::coverage::is_transactional;
use crate::{
    model::{Catalog, Table},
    stages::definition::quoted,
};

/// A way from a table to the table by which its rows are a tenant's, as an operator declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPath {
    /// The table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// The table that it leads to.
    pub parent: String,
    /// The column there.
    pub parent_column: String,
}

/// How a table's rows are known to be a tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By its own column.
    Column(String),
    /// By rows of another table.
    Parent {
        /// Its columns.
        columns: Vec<String>,
        /// The other table.
        parent: String,
        /// The columns there.
        parent_columns: Vec<String>,
    },
}

/// Which tables a restore of one tenant covers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenancy {
    ways: BTreeMap<String, Way>,
    /// Tables that are not covered, each with the reason.
    pub not_covered: BTreeMap<String, String>,
}

impl Tenancy {
    /// Finds a way for each table that has one and only one.
    pub fn of(catalog: &Catalog, tenant_column: &str, declared: &[DeclaredPath]) -> Self {
        let mut tenancy = Self::default();
        for table in catalog.tables.iter().filter(|table| is_transactional(table)) {
            if let Some(place) = table.place_of(tenant_column) {
                let column = table.columns[place].name.clone();
                tenancy.ways.insert(table.name.clone(), Way::Column(column));
            }
        }
        let candidates = tenancy.candidates(catalog, declared);
        let mut open: Vec<_> =
            catalog.tables.iter().filter(|t| !tenancy.ways.contains_key(&t.name)).collect();
        // A way is known once the table that it leads to has one.
        loop {
            let before = open.len();
            open.retain(|table| match candidates.get(table.name.as_str()).map(Vec::as_slice) {
                Some([way @ Way::Parent { parent, .. }])
                    if tenancy.covers(parent) && is_transactional(table) =>
                {
                    tenancy.ways.insert(table.name.clone(), way.clone());
                    false
                }
                _ => true,
            });
            if open.len() == before {
                break;
            }
        }
        for table in open {
            let ways = candidates.get(table.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            let reason = if is_transactional(table) {
                reason(tenant_column, ways)
            } else {
                "its engine knows no transactions".to_owned()
            };
            tenancy.not_covered.insert(table.name.clone(), reason);
        }
        tenancy
    }

    /// Ways out of each table that may lead to a tenant; a declared one leaves no doubt.
    fn candidates<'a>(
        &self,
        catalog: &'a Catalog,
        declared: &[DeclaredPath],
    ) -> BTreeMap<&'a str, Vec<Way>> {
        let reaching = self.reaching(catalog);
        let ways = |table: &'a Table| {
            if let Some(path) = declared.iter().find(|path| path.table == table.name) {
                return vec![Way::Parent {
                    columns: vec![path.column.clone()],
                    parent: path.parent.clone(),
                    parent_columns: vec![path.parent_column.clone()],
                }];
            }
            let leads = table.relations.iter().filter(|relation| {
                relation.parent_database.is_none()
                    && relation.parent != table.name
                    && reaching.contains(&relation.parent.as_str())
            });
            let way = leads.map(|relation| Way::Parent {
                columns: relation.columns.clone(),
                parent: relation.parent.clone(),
                parent_columns: relation.parent_columns.clone(),
            });
            way.collect()
        };
        catalog.tables.iter().map(|table| (table.name.as_str(), ways(table))).collect()
    }

    /// Tables from which some way leads to a tenant.
    fn reaching<'a>(&self, catalog: &'a Catalog) -> Vec<&'a str> {
        let mut reaching: Vec<&str> = Vec::new();
        loop {
            let before = reaching.len();
            for table in &catalog.tables {
                let leads = table.relations.iter().any(|relation| {
                    relation.parent_database.is_none()
                        && reaching.contains(&relation.parent.as_str())
                });
                if !reaching.contains(&table.name.as_str()) && (self.covers(&table.name) || leads) {
                    reaching.push(&table.name);
                }
            }
            if reaching.len() == before {
                return reaching;
            }
        }
    }

    /// Are the table's rows known to be this or that tenant's?
    pub fn covers(&self, table: &str) -> bool {
        self.ways.contains_key(table)
    }

    /// How the table's rows are known to be a tenant's.
    pub fn way(&self, table: &str) -> Option<&Way> {
        self.ways.get(table)
    }

    /// The table, and those by which its rows are a tenant's.
    pub fn line<'a>(&'a self, table: &'a str) -> Vec<&'a str> {
        let mut line = vec![table];
        let mut last = table;
        while let Some(Way::Parent { parent, .. }) = self.ways.get(last) {
            line.push(parent);
            last = parent;
        }
        line
    }

    /// How many tables lie between the table and the tenant column.
    pub fn distance(&self, table: &str) -> usize {
        self.line(table).len() - 1
    }

    /// The condition, in SQL, under which a row of `table` in `database` is the tenant's. `row` is how the
    /// statement calls the table.
    pub fn condition(&self, database: &str, table: &str, row: &str, tenant: &str) -> String {
        match self.ways.get(table) {
            None => "FALSE".to_owned(),
            Some(Way::Column(column)) => {
                let (column, value) = (format!("{row}.{}", quoted(column)), literal(tenant));
                // The first finds rows by an index; the second does not take '07' or 'A' for '7' or 'a'.
                format!(
                    "({column} = {value} AND CAST({column} AS CHAR) COLLATE utf8mb4_bin = {value})"
                )
            }
            Some(Way::Parent { columns, parent, parent_columns }) => {
                let list = |names: &[String], of: &str| {
                    let names: Vec<_> =
                        names.iter().map(|name| format!("{of}.{}", quoted(name))).collect();
                    names.join(", ")
                };
                let place = format!("{}.{}", quoted(database), quoted(parent));
                let condition = self.condition(database, parent, &place, tenant);
                let (own, others) = (list(columns, row), list(parent_columns, &place));
                format!("({own}) IN (SELECT {others} FROM {place} WHERE {condition})")
            }
        }
    }
}

fn reason(tenant_column: &str, ways: &[Way]) -> String {
    let parents: Vec<_> = ways
        .iter()
        .filter_map(|way| match way {
            Way::Parent { columns, parent, .. } => {
                Some(format!("{} -> {parent}", columns.join("+")))
            }
            Way::Column(_) => None,
        })
        .collect();
    match parents.as_slice() {
        [] => format!(
            "it has no column {tenant_column}, and no foreign key leads to a table that has"
        ),
        [_] => "the table that its foreign key leads to is not covered".to_owned(),
        several => {
            format!("several foreign keys may tell whose rows these are: {}", several.join(", "))
        }
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Flavor, Relation, ServerInfo, ValueKind},
        testing::table,
    };

    fn catalog(tables: Vec<Table>) -> Catalog {
        Catalog {
            server: ServerInfo { flavor: Flavor::MariaDb, version: String::new() },
            database: "c".to_owned(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            tables,
            objects: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn child(name: &str, columns: &[&str], parents: &[(&str, &str)]) -> Table {
        let columns: Vec<_> = columns.iter().map(|name| (*name, ValueKind::Number)).collect();
        let relations = parents.iter().map(|(column, parent)| Relation {
            name: format!("fk_{name}_{column}"),
            columns: vec![(*column).to_owned()],
            parent_database: None,
            parent: (*parent).to_owned(),
            parent_columns: vec!["id".to_owned()],
        });
        Table { relations: relations.collect(), ..table(name, &columns, &["id"]) }
    }

    fn clinic() -> Catalog {
        catalog(vec![
            child("tenants", &["id"], &[]),
            child("users", &["id", "tenant_id"], &[("tenant_id", "tenants")]),
            child("consultas", &["id", "TENANT_ID", "user_id"], &[("user_id", "users")]),
            child("itens", &["id", "consulta_id"], &[("consulta_id", "consultas")]),
            child("notas", &["id", "item_id"], &[("item_id", "itens")]),
            child("trocas", &["id", "de", "para"], &[("de", "users"), ("para", "users")]),
            child("anexos", &["id", "troca_id"], &[("troca_id", "trocas")]),
            child("ceps", &["id"], &[]),
        ])
    }

    #[test]
    fn a_table_is_covered_by_its_column_or_by_the_only_way_there_is() {
        let tenancy = Tenancy::of(&clinic(), "tenant_id", &[]);
        for (table, distance) in [("users", 0), ("consultas", 0), ("itens", 1), ("notas", 2)] {
            assert!(tenancy.covers(table), "{table}");
            assert_eq!(tenancy.distance(table), distance, "{table}");
        }
        let reasons: Vec<_> =
            tenancy.not_covered.iter().map(|(table, why)| format!("{table}: {why}")).collect();
        let lost = "it has no column tenant_id, and no foreign key leads to a table that has";
        let expected = [
            "anexos: the table that its foreign key leads to is not covered".to_owned(),
            format!("ceps: {lost}"),
            format!("tenants: {lost}"),
            "trocas: several foreign keys may tell whose rows these are: de -> users, para -> users"
                .to_owned(),
        ];
        assert_eq!(reasons, expected);
    }

    #[test]
    fn a_declared_way_ends_the_doubt() {
        let path = DeclaredPath {
            table: "trocas".to_owned(),
            column: "de".to_owned(),
            parent: "users".to_owned(),
            parent_column: "id".to_owned(),
        };
        let tenancy = Tenancy::of(&clinic(), "tenant_id", &[path]);
        assert!(tenancy.covers("trocas") && tenancy.covers("anexos"));
        let expected = "(`c`.`trocas`.`de`) IN (SELECT `c`.`users`.`id` FROM `c`.`users` WHERE \
            (`c`.`users`.`tenant_id` = 'it''s' AND CAST(`c`.`users`.`tenant_id` AS CHAR) COLLATE utf8mb4_bin = 'it''s'))";
        assert_eq!(tenancy.condition("c", "trocas", "`c`.`trocas`", "it's"), expected);
    }

    #[test]
    fn what_no_transaction_protects_is_not_covered() {
        let mut catalog = clinic();
        catalog.tables[2].engine = Some("MyISAM".to_owned());
        let tenancy = Tenancy::of(&catalog, "tenant_id", &[]);
        assert!(!tenancy.covers("consultas"));
        assert_eq!(tenancy.not_covered["consultas"], "its engine knows no transactions");
    }
}
