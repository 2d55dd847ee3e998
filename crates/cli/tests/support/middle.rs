//! Catching a backup in the middle of a table.

use super::{Database, Server, server::ident};

/// The server's ids of the sessions that read a table of a source right now; it is given between backticks.
pub fn readers(server: &Server, source: &Database<'_>, table: &str) -> Vec<String> {
    let reading = format!(
        "SELECT ID FROM information_schema.PROCESSLIST
         WHERE INFO LIKE 'SELECT %FROM {}.{table} %' AND INFO NOT LIKE 'SELECT 1 %' AND ID <> CONNECTION_ID()",
        ident(&source.name)
    );
    server.sql("", reading).lines().map(str::to_owned).collect()
}

/// A query whose rows are the numbers from 0 up to, not including, `end`, which is at most 100,000.
pub fn numbers(end: u32) -> String {
    let digits = "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    format!(
        "SELECT i FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS i
         FROM {digits} a, {digits} b, {digits} c, {digits} e, {digits} f) numbers WHERE i < {end}"
    )
}
