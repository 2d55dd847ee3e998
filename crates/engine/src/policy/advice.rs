//! What is not as it should be with a vault, and what to do: sentences for the person who looks after it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    model::RunId,
    records::{
        restore::{RestoreRecord, Stage},
        run::{Job, Outcome, RunRecord},
    },
};

/// A daily backup, and two hours for it to be late and long. The alarms say the same.
pub const OLDEST_BACKUP: SignedDuration = SignedDuration::from_hours(26);
/// A weekly restore test, and a day.
pub const OLDEST_TEST: SignedDuration = SignedDuration::from_hours(8 * 24);
/// More than that, up or down, is as odd as a backup of another database.
pub const ODD_PERCENT: f64 = 30.0;
/// A store copies most objects within a quarter of an hour. The alarms say the same.
pub const LATEST_COPY: SignedDuration = SignedDuration::from_hours(1);
/// A step of a restore takes a quarter of an hour at most, and is tried a few times.
const AT_REST: SignedDuration = SignedDuration::from_hours(1);

/// What there is to say of the newest backup.
pub fn of_backup(newest: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let Some(newest) = newest else {
        return Some("There is no backup: start one.".to_owned());
    };
    let age = now.duration_since(newest);
    (age > OLDEST_BACKUP).then(|| {
        let hours = age.as_hours();
        format!(
            "The newest backup is {hours} hours old: start one, and see why the last run made none."
        )
    })
}

/// What there is to say of its size.
pub fn of_size(deviation_percent: Option<f64>) -> Option<String> {
    let percent = deviation_percent.filter(|percent| *percent > ODD_PERCENT)?;
    Some(format!(
        "The newest backup differs by {percent:.0} % from the mean of the week before it: see whether rows were \
         lost or gained in bulk."
    ))
}

/// What there is to say of the last run of a job.
pub fn of_run(last: &RunRecord) -> Option<String> {
    let how = match last.outcome {
        Outcome::Succeeded => return None,
        Outcome::Died => "was cut off",
        Outcome::Failed | Outcome::Other => "failed",
    };
    Some(format!("The last {} {how}: run {} tells why.", last.job.as_str(), last.run))
}

/// What there is to say of proofs that backups can be restored. `passed` is when the last one did.
pub fn of_tests(
    passed: Option<Timestamp>,
    oldest_backup: Option<Timestamp>,
    now: Timestamp,
) -> Option<String> {
    let is_old = |at: Timestamp| now.duration_since(at) > OLDEST_TEST;
    match passed {
        Some(passed) if is_old(passed) => {
            let days = now.duration_since(passed).as_hours() / 24;
            Some(format!("No restore test has passed for {days} days: start one."))
        }
        None if oldest_backup.is_some_and(is_old) => {
            Some("No restore test has passed yet that is on record: start one.".to_owned())
        }
        _ => None,
    }
}

/// What there is to say of the store's own copy of the vault: the first backup whose copy it gave up, and how far it is behind.
pub fn of_replica(given_up: Option<&RunId>, behind: SignedDuration) -> Option<String> {
    if let Some(backup) = given_up {
        return Some(format!(
            "The copy in the second region lacks backup {backup}, and nobody is copying it any more: look at the \
             replication rule, its role and its keys, then have it copied again."
        ));
    }
    (behind > LATEST_COPY).then(|| {
        format!(
            "The copy in the second region is {} minutes behind: see whether the store has trouble copying.",
            behind.as_mins()
        )
    })
}

/// Was nothing heard of a restore for longer than any step of it takes?
pub fn is_stuck(record: &RestoreRecord, now: Timestamp) -> bool {
    now.duration_since(record.updated) > AT_REST
}

/// What to do about a restore that is not at its end; `None` if it is.
pub fn of_restore(record: &RestoreRecord, now: Timestamp) -> Option<String> {
    let is_stuck = is_stuck(record, now);
    let cut_off =
        |otherwise: &str, stuck: &str| Some(if is_stuck { stuck } else { otherwise }.to_owned());
    match record.stage {
        Stage::Requested => cut_off(
            "It is about to begin. The live tables are as they were.",
            "It did not begin: cancel it, and ask again. The live tables are as they were.",
        ),
        Stage::Loading => cut_off(
            "It is loading. The live tables are as they were.",
            "It was cut off while it loaded: cancel it, and ask again. The live tables are as they were.",
        ),
        Stage::Staged => Some(
            "It is loaded and verified beside the live tables, which are as they were: promote it, or cancel it.".to_owned(),
        ),
        Stage::Promoting => cut_off(
            "It is being put in the place of the live tables, which are wholly old or wholly restored.",
            "It was cut off while it was put in the place of the live tables, which are wholly old or wholly \
             restored: promote it again, which completes it.",
        ),
        Stage::Undoing => cut_off(
            "It is being taken back. The live tables are wholly old or wholly restored.",
            "It was cut off while it was taken back; the live tables are wholly old or wholly restored: undo it \
             again, which completes it.",
        ),
        Stage::Other => Some("It is at a stage that a later version of this program knows.".to_owned()),
        Stage::Planned | Stage::Restored | Stage::Undone | Stage::Cancelled | Stage::Failed => None,
    }
}

/// The jobs whose last runs are looked at.
pub const JOBS: [Job; 6] =
    [Job::Backup, Job::Verify, Job::RestoreTest, Job::Restore, Job::Report, Job::Cleanup];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::restore::{Destination, Wish};

    fn now() -> Timestamp {
        "2026-11-23T06:00:00Z".parse().unwrap()
    }

    fn ago(hours: i64) -> Timestamp {
        now() - SignedDuration::from_hours(hours)
    }

    #[test]
    fn a_night_without_a_backup_is_noticed() {
        assert_eq!(of_backup(Some(ago(26)), now()), None);
        let late = of_backup(Some(ago(27)), now()).unwrap();
        assert!(late.starts_with("The newest backup is 27 hours old"), "{late}");
        assert!(of_backup(None, now()).unwrap().starts_with("There is no backup"));
    }

    #[test]
    fn a_size_is_odd_beyond_the_limit() {
        assert_eq!(of_size(Some(30.0)), None);
        assert_eq!(of_size(None), None);
        assert!(of_size(Some(42.4)).unwrap().contains("differs by 42 %"));
    }

    #[test]
    fn a_week_without_a_passed_test_is_noticed() {
        let week = 8 * 24;
        assert_eq!(of_tests(Some(ago(week)), None, now()), None);
        assert!(of_tests(Some(ago(week + 24)), None, now()).unwrap().contains("for 9 days"));
        assert_eq!(
            of_tests(None, Some(ago(week)), now()),
            None,
            "there was nothing to test before"
        );
        assert!(of_tests(None, Some(ago(week + 1)), now()).is_some());
        assert_eq!(of_tests(None, None, now()), None);
    }

    #[test]
    fn a_copy_that_is_late_or_given_up_is_noticed() {
        let minutes = SignedDuration::from_mins;
        assert_eq!(of_replica(None, minutes(60)), None);
        assert!(of_replica(None, minutes(61)).unwrap().contains("is 61 minutes behind"));
        let given_up = of_replica(Some(&RunId::new(now(), [0; 4])), minutes(1)).unwrap();
        assert!(given_up.contains("lacks backup 20261123T060000Z-00000000"), "{given_up}");
    }

    #[test]
    fn only_what_ended_well_is_not_worth_a_word() {
        let run = |outcome| {
            let id = RunId::new(now(), [0; 4]);
            of_run(&RunRecord::new(id, Job::Verify, outcome, now(), now()))
        };
        assert_eq!(run(Outcome::Succeeded), None);
        let failed = "The last verify failed: run 20261123T060000Z-00000000 tells why.";
        assert_eq!(run(Outcome::Failed).as_deref(), Some(failed));
        assert!(run(Outcome::Died).unwrap().contains("was cut off"));
        assert!(run(Outcome::Other).is_some());
    }

    #[test]
    fn a_restore_says_what_to_do_until_it_is_at_its_end() {
        let wish = Wish {
            backup: "latest".to_owned(),
            destination: Destination::InPlace { stage_only: false },
            tables: Vec::new(),
            tenant: None,
            no_safety_backup: false,
            accept_orphans: false,
            dry_run: false,
        };
        let advice = |stage, hours| {
            let mut record =
                RestoreRecord::new(RunId::new(now(), [0; 4]), wish.clone(), None, ago(hours));
            record.stage = stage;
            of_restore(&record, now())
        };
        for (stage, action) in [
            (Stage::Requested, "cancel it"),
            (Stage::Loading, "cancel it"),
            (Stage::Promoting, "promote it again"),
            (Stage::Undoing, "undo it again"),
        ] {
            assert!(!advice(stage, 1).unwrap().contains(action), "{stage:?} is at work");
            assert!(advice(stage, 2).unwrap().contains(action), "{stage:?} was cut off");
        }
        assert!(advice(Stage::Staged, 0).unwrap().contains("promote it, or cancel it"));
        for stage in
            [Stage::Planned, Stage::Restored, Stage::Undone, Stage::Cancelled, Stage::Failed]
        {
            assert!(stage.is_settled());
            assert_eq!(advice(stage, 2), None);
        }
    }
}
