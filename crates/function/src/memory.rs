//! How much memory the process has used at most.

use std::fs;

/// The largest resident set of this process so far, in bytes; `None` where the system does not tell.
pub(crate) fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_process_uses_some_memory() {
        assert!(super::peak().is_some_and(|bytes| bytes > 100_000));
    }
}
