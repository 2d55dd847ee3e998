//! Which tables are loaded together: by one process, within the time that it has.

use std::ops::RangeInclusive;

/// The least and the most raw bytes that fill a group.
const FULL: RangeInclusive<u64> = 1 << 20..=256 << 20;
/// Groups that there are if their size allows it, so that some of them can be loaded at the same time.
const WANTED: u64 = 8;

/// Tables, each with its raw bytes, in groups: the largest first, and always the same for the same tables.
pub fn groups<'a>(tables: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<Vec<&'a str>> {
    let mut tables: Vec<_> = tables.into_iter().collect();
    let all: u64 = tables.iter().map(|(_, bytes)| bytes).sum();
    let full = (all / WANTED).clamp(*FULL.start(), *FULL.end());
    tables.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
    let (mut groups, mut size) = (Vec::<Vec<&str>>::new(), full);
    for (table, bytes) in tables {
        if size >= full {
            groups.push(Vec::new());
            size = 0;
        }
        if let Some(group) = groups.last_mut() {
            group.push(table);
        }
        size += bytes;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_large_table_is_loaded_by_itself_and_small_ones_together() {
        let tables = [("a", 10), ("b", 9 * MIB), ("c", 0), ("d", 2 * MIB), ("e", 12)];
        assert_eq!(groups(tables), [vec!["b"], vec!["d"], vec!["e", "a", "c"]]);
    }

    #[test]
    fn small_databases_are_one_group_and_large_ones_many() {
        let of = |count: usize, bytes: u64| groups(std::iter::repeat_n(("t", bytes), count)).len();
        assert_eq!(of(0, 0), 0);
        assert_eq!(of(13, 0), 1);
        assert_eq!(of(40, 10_000), 1);
        assert_eq!(of(1000, MIB), 8);
        assert_eq!(of(1000, 256 * MIB), 1000);
    }
}
