//! What a column's definition says besides its type: may it be NULL, and what has it where nothing is given?

use std::collections::BTreeMap;

use gorgen_engine::{model::Table, stages::definition::column_clauses};

/// What a column holds in rows that don't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// NULL.
    Null,
    /// This text.
    Text(String),
    /// What only the server could compute, or nothing at all.
    Unknown,
}

/// A column of a live table, one that is computed included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) nullable: bool,
    pub(crate) otherwise: Otherwise,
    /// Does the server check that it holds a JSON document? So MariaDB defines a column of type JSON.
    pub(crate) is_document: bool,
}

/// The columns of a table by name, in small letters.
pub(crate) fn definitions(table: &Table) -> BTreeMap<String, Definition> {
    let clauses = column_clauses(&table.ddl).into_iter();
    clauses.map(|(name, text, bare)| (name.to_lowercase(), definition(&text, &bare))).collect()
}

fn definition(text: &str, bare: &str) -> Definition {
    let nullable = !bare.contains(" NOT NULL");
    let given = bare.find(" DEFAULT ").map(|at| at + " DEFAULT ".len());
    // A quoted name or text in it is masked byte for byte; only what is beyond ASCII and not quoted could move places.
    let given = given.filter(|_| bare.len() == text.len()).and_then(|at| text.get(at..));
    let otherwise = match given {
        Some(given) => literal(given),
        None if nullable => Otherwise::Null,
        None => Otherwise::Unknown,
    };
    Definition { nullable, otherwise, is_document: bare.contains(" CHECK (json_valid(") }
}

/// What a default says, if it is NULL, a number or a text.
fn literal(given: &str) -> Otherwise {
    if let Some(quoted) = given.strip_prefix('\'') {
        return unquoted(quoted).map_or(Otherwise::Unknown, Otherwise::Text);
    }
    let word = given.split([' ', ',']).next().unwrap_or_default();
    let is_number =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    match word {
        "NULL" => Otherwise::Null,
        number if is_number => Otherwise::Text(number.to_owned()),
        _ => Otherwise::Unknown,
    }
}

/// The text up to the closing quote, with doubled quotes and escapes taken back.
fn unquoted(quoted: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), quoted.chars().peekable());
    while let Some(letter) = rest.next() {
        match letter {
            '\'' if rest.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            '\\' => text.push(match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                other => other,
            }),
            _ => text.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use gorgen_engine::{model::ValueKind, testing::table};

    use super::*;

    fn of(clause: &str) -> Definition {
        let ddl =
            format!("CREATE TABLE `t` (\n  `c` {clause},\n  `d` int(11) NOT NULL\n) ENGINE=InnoDB");
        let table = Table { ddl, ..table("t", &[("c", ValueKind::Text)], &[]) };
        definitions(&table)["c"].clone()
    }

    #[test]
    fn a_definition_tells_what_a_column_has_where_nothing_is_given() {
        let cases = [
            ("int(11) DEFAULT NULL", true, Otherwise::Null),
            ("text", true, Otherwise::Null),
            ("int(11) NOT NULL", false, Otherwise::Unknown),
            ("int(11) NOT NULL AUTO_INCREMENT", false, Otherwise::Unknown),
            ("int(11) NOT NULL DEFAULT 0", false, Otherwise::Text("0".to_owned())),
            (
                "decimal(5,2) NOT NULL DEFAULT -1.50 COMMENT 'DEFAULT 7'",
                false,
                Otherwise::Text("-1.50".to_owned()),
            ),
            (
                r"varchar(9) DEFAULT 'it''s \\ NOT NULL, DEFAULT 1'",
                true,
                Otherwise::Text(r"it's \ NOT NULL, DEFAULT 1".to_owned()),
            ),
            (
                "timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp()",
                false,
                Otherwise::Unknown,
            ),
            ("timestamp NULL DEFAULT CURRENT_TIMESTAMP", true, Otherwise::Unknown),
            ("bit(1) NOT NULL DEFAULT b'0'", false, Otherwise::Unknown),
        ];
        for (clause, nullable, otherwise) in cases {
            assert_eq!(
                of(clause),
                Definition { nullable, otherwise, is_document: false },
                "{clause}"
            );
        }
    }

    #[test]
    fn a_document_of_mariadb_is_known_by_its_check() {
        let clause = "longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))";
        assert!(of(clause).is_document);
        assert!(!of("longtext DEFAULT 'CHECK (json_valid('").is_document);
    }
}
