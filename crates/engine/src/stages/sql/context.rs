//! Making an object under the settings it was made under.

use super::{SQL_MODE, string};
use crate::model::{CharsetContext, StoredObject};

/// The statements that make one object, without their ends.
#[derive(Debug, PartialEq, Eq)]
pub struct InContext {
    /// What sets the session up, and the database's collation if it was another one.
    pub before: Vec<String>,
    /// The definition, in the character set that `before` sets.
    pub create: Vec<u8>,
    /// What completes the object and sets the database's collation back; the session stays as it is.
    pub after: Vec<String>,
    /// What will not be as it was.
    pub warning: Option<String>,
}

impl InContext {
    /// For an object of a database with this default collation; `ddl` is its definition.
    pub fn new(object: &StoredObject, ddl: &str, database_collation: &str) -> Self {
        let mut context = object.context.clone();
        let charset = context.character_set_client.clone();
        let spelled = spell(ddl, charset.as_deref().unwrap_or(UTF8));
        let warning = spelled.is_none().then(|| {
            format!(
                "{} {} was made by a client of the character set {}, and will be made by one of {UTF8}",
                object.kind.keyword().to_lowercase(),
                object.name,
                charset.as_deref().unwrap_or(UTF8)
            )
        });
        if spelled.is_none() {
            context.character_set_client = None;
        }
        let other = context
            .database_collation
            .as_deref()
            .filter(|collation| *collation != database_collation);
        let alter = |collation: &str| format!("ALTER DATABASE COLLATE = {}", string(collation));
        Self {
            before: other.map(alter).into_iter().chain([settings(&context)]).collect(),
            create: spelled.unwrap_or_else(|| ddl.as_bytes().to_vec()),
            after: object
                .after
                .clone()
                .into_iter()
                .chain(other.map(|_| alter(database_collation)))
                .collect(),
            warning,
        }
    }
}

const UTF8: &str = "utf8mb4";

/// The statement that sets a session up for what was made under `context`; the default context is that of
/// tables and rows.
pub fn settings(context: &CharsetContext) -> String {
    let text = |value: &Option<String>, default: &str| string(value.as_deref().unwrap_or(default));
    let client = text(&context.character_set_client, UTF8);
    let connection = match &context.collation_connection {
        Some(collation) => format!("collation_connection = {}", string(collation)),
        None => format!("character_set_connection = {}", string(UTF8)),
    };
    format!(
        "SET sql_mode = {}, time_zone = {}, character_set_client = {client}, {connection}",
        text(&context.sql_mode, SQL_MODE),
        text(&context.time_zone, "+00:00"),
    )
}

/// The text in a character set, as far as this program knows it.
fn spell(text: &str, charset: &str) -> Option<Vec<u8>> {
    match charset {
        // Every character set that a client can have spells ASCII as ASCII.
        _ if text.is_ascii() => Some(text.as_bytes().to_vec()),
        "utf8mb4" | "utf8mb3" | "utf8" | "binary" => Some(text.as_bytes().to_vec()),
        "latin1" => text.chars().map(latin1).collect(),
        _ => None,
    }
}

/// What servers call latin1 is Windows-1252, with control characters in its five gaps.
fn latin1(c: char) -> Option<u8> {
    const FROM_0X80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match c {
        '\0'..='\u{7f}' | '\u{a0}'..='\u{ff}' => u8::try_from(c).ok(),
        _ => {
            let place = FROM_0X80.iter().position(|&known| known == c)?;
            u8::try_from(0x80 + place).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StoredObjectKind;

    fn object(client: &str, ddl: &str) -> StoredObject {
        StoredObject {
            kind: StoredObjectKind::Procedure,
            name: "p".to_owned(),
            table: None,
            ddl: ddl.to_owned(),
            definer: None,
            context: CharsetContext {
                sql_mode: Some("ANSI_QUOTES".to_owned()),
                character_set_client: Some(client.to_owned()),
                collation_connection: Some("latin1_swedish_ci".to_owned()),
                database_collation: Some("latin1_bin".to_owned()),
                time_zone: None,
            },
            after: None,
        }
    }

    #[test]
    fn settings_stand_before_and_collations_around() {
        let object = object("latin1", "CREATE PROCEDURE p() SELECT '€ é'");
        let made = InContext::new(&object, &object.ddl, "utf8mb4_bin");
        assert_eq!(
            made.before,
            [
                "ALTER DATABASE COLLATE = 'latin1_bin'",
                "SET sql_mode = 'ANSI_QUOTES', time_zone = '+00:00', character_set_client = 'latin1', \
                 collation_connection = 'latin1_swedish_ci'",
            ]
        );
        assert_eq!(made.create, b"CREATE PROCEDURE p() SELECT '\x80 \xe9'");
        assert_eq!(made.after, ["ALTER DATABASE COLLATE = 'utf8mb4_bin'"]);
        assert_eq!(made.warning, None);
        let alike = InContext::new(&object, &object.ddl, "latin1_bin");
        assert_eq!((alike.before.len(), alike.after.len()), (1, 0));
    }

    #[test]
    fn a_text_outside_of_the_known_character_sets_is_said_so() {
        let foreign = object("cp850", "SELECT 'é'");
        let made = InContext::new(&foreign, &foreign.ddl, "latin1_bin");
        assert!(made.before[0].contains("character_set_client = 'utf8mb4'"));
        assert_eq!(made.create, "SELECT 'é'".as_bytes());
        assert!(
            made.warning
                .unwrap()
                .starts_with("procedure p was made by a client of the character set cp850")
        );
        let ascii = object("cp850", "SELECT 'e'");
        let made = InContext::new(&ascii, &ascii.ddl, "latin1_bin");
        assert!(
            made.before[0].contains("character_set_client = 'cp850'") && made.warning.is_none()
        );
        let beyond = object("latin1", "SELECT '😀'");
        assert!(InContext::new(&beyond, &beyond.ddl, "latin1_bin").warning.is_some());
    }

    #[test]
    fn tables_and_rows_have_settings_of_their_own() {
        assert_eq!(
            settings(&CharsetContext::default()),
            "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', \
             character_set_client = 'utf8mb4', character_set_connection = 'utf8mb4'"
        );
    }
}
