//! What a view's definition says about its columns.

use super::scan::{Place, Scan};

/// Names of the columns of a view, taken from `SHOW CREATE VIEW`, where every column has its name after
/// ` AS `. `None` if the definition is of another form.
pub fn columns(ddl: &str) -> Option<Vec<String>> {
    let after_view = &ddl[find_word(ddl, "VIEW", 0)? + "VIEW".len()..];
    let (_, head_end) = name_at(after_view)?;
    let rest = after_view[head_end..].trim_start();
    if rest.starts_with('(') {
        return listed(rest);
    }
    // A query before UNION may stand in parentheses of its own.
    let query = rest.strip_prefix("AS ")?.trim_start_matches(['(', ' ']);
    let select = find_word(query, "select", 0)?;
    selected(&query[select + "select".len()..])
}

/// The names in `` (`a`,`b`) ``.
fn listed(list: &str) -> Option<Vec<String>> {
    let (mut names, mut rest) = (Vec::new(), list.strip_prefix('(')?);
    loop {
        let (name, end) = name_at(rest)?;
        names.push(name);
        rest = rest[end..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.starts_with(')').then_some(names),
        }
    }
}

/// The names after ` AS ` of each item, up to the end of the list.
fn selected(list: &str) -> Option<Vec<String>> {
    let (mut names, mut start) = (Vec::new(), 0);
    loop {
        let alias = find_word(list, "AS", start)?;
        let item = &list[start..alias];
        if find_depth_zero(item, |rest| rest.starts_with(',')).is_some() {
            return None;
        }
        let (name, end) = name_at(&list[alias + "AS".len()..])?;
        names.push(name);
        let after = alias + "AS".len() + end;
        match list[after..].strip_prefix(',') {
            Some(_) => start = after + 1,
            None => return Some(names),
        }
    }
}

/// Where a word stands by itself, outside of quotes, comments and parentheses, from `start` on.
fn find_word(text: &str, word: &str, start: usize) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut before = None;
    let found = find_depth_zero(&text[start..], |rest| {
        let stands = !before.replace(rest.chars().next().unwrap_or(' ')).is_some_and(is_word);
        let tail = rest.strip_prefix(word);
        stands && tail.is_some_and(|tail| !tail.starts_with(is_word))
    });
    found.map(|at| start + at)
}

/// The first place outside of quotes, comments and parentheses that `matches`.
fn find_depth_zero(text: &str, mut matches: impl FnMut(&str) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c, place) in Scan::new(text, true) {
        if place != Place::Code {
            continue;
        }
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ if depth == 0 && matches(&text[at..]) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The quoted name that a text starts with, and where it ends.
fn name_at(text: &str) -> Option<(String, usize)> {
    let inner = text.trim_start().strip_prefix('`')?;
    let start = text.len() - inner.len();
    let mut name = String::new();
    let mut signs = inner.char_indices().peekable();
    while let Some((at, c)) = signs.next() {
        if c == '`' && signs.next_if(|&(_, next)| next == '`').is_none() {
            return Some((name, start + at + 1));
        }
        name.push(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "CREATE ALGORITHM=UNDEFINED DEFINER=`a VIEW`@`%` SQL SECURITY DEFINER VIEW `v`";

    fn of(tail: &str) -> Option<Vec<String>> {
        columns(&format!("{HEAD}{tail}"))
    }

    #[test]
    fn columns_are_found_in_every_form_of_query() {
        let cases: [(&str, &[&str]); 9] = [
            (" AS select `t`.`a` AS `a`,`t`.`b` AS `AS` from `t`", &["a", "AS"]),
            (" AS select 1 AS `1`", &["1"]),
            (
                " AS select distinct cast(`t`.`a` as char charset utf8mb4) AS `x`,'a, b AS `c` from' AS `y``z` from `t` where (`a` > 1)",
                &["x", "y`z"],
            ),
            (
                " AS select case when `a` = 1 then 'x' else (select `b` AS `b` from `u`) end AS `c`,count(0) AS `n` from `t` group by `a`",
                &["c", "n"],
            ),
            (" AS select 1 AS `a` union select 2 AS `b`", &["a"]),
            (" AS (select 1 AS `a`,2 AS `b`) union all (select 3 AS `a`,4 AS `b`)", &["a", "b"]),
            (" AS with `c` as (select 7 AS `x`) select `c`.`x` AS `y` from `c`", &["y"]),
            (" (`um`,`do``is`) AS select 1 AS `1`,2 AS `2`", &["um", "do`is"]),
            (" AS select `d`.`t`.`a` AS `a` from `d`.`t` limit 1", &["a"]),
        ];
        for (tail, expected) in cases {
            assert_eq!(of(tail).as_deref(), Some(expected.map_owned().as_slice()), "{tail}");
        }
    }

    #[test]
    fn other_forms_are_not_guessed_at() {
        assert_eq!(of(" AS values (1,2)"), None);
        assert_eq!(of(" AS select 1,2 AS `b`"), None);
        assert_eq!(columns("CREATE TABLE `t` (a int)"), None);
        assert_eq!(columns(""), None);
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|&name| name.to_owned()).collect()
        }
    }
}
