//! Names of the databases that restore tests fill: each tells whose it is, and which test's.
//!
//! The name is the mark: what begins as the settings say, goes on with this vault's id and ends with the id of a run
//! was made by a test of this vault. Whatever is called otherwise is never touched.

use jiff::{SignedDuration, Timestamp};

use crate::model::{RunId, VaultId};

/// Hex digits of the vault's id: two vaults do not share them by chance.
const OF_VAULT: usize = 12;
/// What follows the name of the settings: the vault, the run, and what stands between them.
const SUFFIX: usize = 1 + OF_VAULT + 1 + 25;
/// MySQL's limit, in characters.
const LONGEST_NAME: usize = 64;
/// The longest name that settings may give, in characters.
pub const LONGEST_PREFIX: usize = LONGEST_NAME - SUFFIX;

/// No test takes so long: the one that made an older database is dead.
const DEAD_AFTER: SignedDuration = SignedDuration::from_hours(12);

/// The database of one test; `None` if the name that settings give is too long. All is in small letters, as some
/// servers write all names.
pub fn name(prefix: &str, vault: VaultId, run: &RunId) -> Option<String> {
    let fits = prefix.chars().count() <= LONGEST_PREFIX;
    fits.then(|| {
        let run = run.as_str().to_lowercase().replace('-', "_");
        format!("{}{run}", head(prefix, vault))
    })
}

fn head(prefix: &str, vault: VaultId) -> String {
    let vault = vault.to_string();
    format!("{prefix}_{}_", vault.get(..OF_VAULT).unwrap_or(&vault))
}

/// The test that made this database, if one of this vault did.
pub fn run_of(database: &str, prefix: &str, vault: VaultId) -> Option<RunId> {
    let run = database.strip_prefix(&head(prefix, vault))?;
    let (stamp, random) = run.split_once('_')?;
    let id: RunId = format!("{}-{random}", stamp.to_uppercase()).parse().ok()?;
    // One spelling only.
    (name(prefix, vault, &id).as_deref() == Some(database)).then_some(id)
}

/// Has the test that made a database certainly ended? It has if it left a record, or if it began too long ago.
pub fn is_dead(run: &RunId, has_ended: bool, now: Timestamp) -> bool {
    let is_old = |started: Timestamp| now.duration_since(started) > DEAD_AFTER;
    has_ended || run.started().is_some_and(is_old)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault() -> VaultId {
        "4f2a91c3d0b1e2f3a4b5c6d7e8f90a1b".parse().unwrap()
    }

    fn run() -> RunId {
        "20261123T060000Z-4f2a91c3".parse().unwrap()
    }

    #[test]
    fn a_name_tells_vault_and_run() {
        let name = name("gorgen_scratch", vault(), &run()).unwrap();
        assert_eq!(name, "gorgen_scratch_4f2a91c3d0b1_20261123t060000z_4f2a91c3");
        assert_eq!(run_of(&name, "gorgen_scratch", vault()), Some(run()));
    }

    #[test]
    fn a_name_is_never_too_long() {
        let longest = name(&"á".repeat(LONGEST_PREFIX), vault(), &run()).unwrap();
        assert_eq!(longest.chars().count(), LONGEST_NAME);
        assert_eq!(name(&"x".repeat(LONGEST_PREFIX + 1), vault(), &run()), None);
    }

    #[test]
    fn what_is_not_of_this_vault_is_nobodys() {
        let of_other = VaultId::new([7; 16]);
        let ours = name("scratch", vault(), &run()).unwrap();
        assert_eq!(run_of(&ours, "scratch", of_other), None);
        for other in [
            "scratch",
            "clinica",
            "scratch_4f2a91c3d0b1",
            "scratch_4f2a91c3d0b1_",
            "scratch_4f2a91c3d0b1_x",
            "scratch_4f2a91c3d0b1_20261123T060000Z-4f2a91c3",
            "scratch_4f2a91c3d0b1_20261123t060000z_4f2a91c3_copy",
            "scratch_4f2a91c3d0b1_20261123t060000z_4f2a91c",
            "my_scratch_4f2a91c3d0b1_20261123t060000z_4f2a91c3",
        ] {
            assert_eq!(run_of(other, "scratch", vault()), None, "{other}");
        }
    }

    #[test]
    fn a_test_that_may_be_at_work_is_not_dead() {
        let now = |text: &str| text.parse().unwrap();
        assert!(!is_dead(&run(), false, now("2026-11-23T18:00:00Z")));
        assert!(is_dead(&run(), false, now("2026-11-23T18:00:01Z")));
        assert!(is_dead(&run(), true, now("2026-11-23T06:00:01Z")));
        assert!(!is_dead(&run(), false, now("2026-11-22T06:00:00Z")), "a clock that is behind");
    }

    proptest! {
        #[test]
        fn any_other_name_is_nobodys(name in "\\PC{0,64}") {
            prop_assert_eq!(run_of(&name, "scratch", vault()), None);
        }
    }
}
