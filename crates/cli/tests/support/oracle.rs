//! Whether two databases are equal, by programs and statements of the server itself.

use super::server::{Server, ident};

/// How rows are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// In the order in which the server gives them.
    Ordered,
    /// In any order, for keyless tables whose rows are grouped by tenant.
    Unordered,
}

/// Databases hold the same: definitions, rows, programs and counters, by the server's own dump program, and
/// rows once more by `CHECKSUM TABLE`, which sees what text does not show.
#[track_caller]
pub fn assert_equal(server: &Server, source: &str, target: &str, rows: Rows) {
    let [expected, found] = [source, target].map(|name| dump(server, name, rows));
    assert!(!expected.is_empty(), "an oracle that compares nothing");
    if expected != found {
        let differs = expected.iter().zip(&found).position(|(one, other)| one != other);
        let at = differs.unwrap_or(expected.len().min(found.len()));
        panic!(
            "{source} and {target} differ in line {at} of {} and {}:\n{}\n{}",
            expected.len(),
            found.len(),
            excerpt(expected.get(at), found.get(at)),
            excerpt(found.get(at), expected.get(at))
        );
    }
    let [expected, found] = [source, target].map(|name| checksums(server, name));
    assert_eq!(expected, found, "checksums of {source} and {target}");
    let [expected, found] = [source, target].map(|name| defaults(server, name));
    assert_eq!(expected, found, "defaults of {source} and {target}");
}

/// The lines of a database's dump, without its name in them.
pub fn dump(server: &Server, database: &str, rows: Rows) -> Vec<String> {
    let mut options = vec![
        "--skip-dump-date",
        "--skip-comments",
        "--order-by-primary",
        "--routines",
        "--triggers",
        "--events",
        "--single-transaction",
        "--skip-lock-tables",
        "--hex-blob",
        "--max-allowed-packet=256M",
    ];
    if !server.is_mariadb() {
        options.extend(["--set-gtid-purged=OFF", "--no-tablespaces"]);
    }
    if rows == Rows::Unordered {
        options.push("--skip-extended-insert");
    }
    let text = server.dump(database, &options);
    let text = String::from_utf8_lossy(&text).replace(&ident(database), "`DATABASE`");
    let mut lines: Vec<_> = text.lines().map(without_implied_charset).collect();
    if rows == Rows::Unordered {
        lines.sort();
    }
    lines
}

/// MySQL shows a column's character set beside its collation if the definition it was made from named one of the
/// two; made from what it shows, a table therefore shows more. The collation says it all.
fn without_implied_charset(line: &str) -> String {
    let mut parts = line.split(" CHARACTER SET ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(' ') {
            Some((charset, rest)) if rest.starts_with(&format!("COLLATE {charset}_")) => {
                kept.extend([" ", rest]);
            }
            _ => kept.extend([" CHARACTER SET ", part]),
        }
    }
    kept
}

/// `CHECKSUM TABLE` of every table, which depends on all stored values and on no order. Indexes of expressions have
/// hidden columns that it adds up as well, in an order of their own: tables with them are left out.
fn checksums(server: &Server, database: &str) -> Vec<String> {
    let names = "SELECT QUOTE(TABLE_NAME) FROM information_schema.TABLES \
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME NOT IN (
          SELECT TABLE_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME IS NULL)
        ORDER BY BINARY TABLE_NAME";
    let names = server.sql(database, names);
    let quoted: Vec<_> = names.lines().map(|name| ident(&unescape(name))).collect();
    if quoted.is_empty() {
        return Vec::new();
    }
    // Without NO_BACKSLASH_ESCAPES: MySQL keeps the text of defaults with backslashes, and can't open such a table in
    // that mode.
    let checksum = format!("SET sql_mode = ''; CHECKSUM TABLE {}", quoted.join(", "));
    let found = server.sql(database, checksum);
    assert!(!found.contains("\tNULL"), "a table that can't be opened: {found}");
    found.lines().map(|line| line.replacen(&format!("{database}."), "", 1)).collect()
}

/// Character set and collation of the database.
fn defaults(server: &Server, database: &str) -> String {
    let query = "SELECT @@character_set_database, @@collation_database";
    server.value(database, query)
}

/// What `QUOTE` and the client's batch mode did to a name.
fn unescape(text: &str) -> String {
    let batch = text.replace("\\n", "\n").replace("\\\\", "\\");
    let inner = batch.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(&batch);
    inner.replace("\\'", "'").replace("\\\\", "\\")
}

/// Some characters of a line around the first one that differs from another's.
fn excerpt(line: Option<&String>, other: Option<&String>) -> String {
    let (Some(line), empty) = (line, String::new()) else { return "(no such line)".to_owned() };
    let other = other.unwrap_or(&empty);
    let same = line.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    line.chars().skip(same.saturating_sub(120)).take(300).collect()
}
