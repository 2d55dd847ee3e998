//! The server: who it is, its clock, how a snapshot is begun, and what it takes when rows are loaded.

use jiff::{SignedDuration, Timestamp};

use super::{
    Finding, listed,
    privileges::{as_administrator, grant},
};
use crate::model::{Channel, ClockReading, Flavor, Privilege, RowSize, Survey};

/// Clocks that differ by more make ages and times of backups misleading.
const LARGEST_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A packet that takes most rows with long text: the default of `MySQL` 8.
const COMFORTABLE_PACKET: u64 = 64 << 20;

/// Who answers, and who can read along.
pub fn answers(survey: &Survey) -> Finding {
    let channel = match &survey.channel {
        Channel::Tls(cipher) => format!("over {cipher}"),
        Channel::Local => "within this machine".to_owned(),
        Channel::Exposed => "without TLS".to_owned(),
    };
    let server = &survey.server;
    let fact = format!(
        "{} {} answers {}, {channel}",
        server.flavor, server.version, survey.privileges.account
    );
    if server.flavor == Flavor::TiDb {
        let remedy = "nobody tested this program with TiDB: restore a backup and compare, before you rely on one";
        return Finding::warning("database", fact, remedy);
    }
    Finding::ok("database", fact)
}

/// Do the clocks of the server and of this machine agree?
pub fn clock(reading: ClockReading) -> Finding {
    let remedy = "set both by a time server (chrony, systemd-timesyncd or the like)";
    clocks(reading, "the database server", remedy)
}

/// Do the clocks of AWS and of this machine agree?
pub fn clock_of_aws(reading: ClockReading) -> Finding {
    let remedy = "set this machine's by a time server (chrony, systemd-timesyncd or the like)";
    clocks(reading, "AWS", remedy)
}

fn clocks(reading: ClockReading, whose: &str, remedy: &str) -> Finding {
    let ahead = reading.server.duration_since(reading.after).max(SignedDuration::ZERO);
    let behind = reading.before.duration_since(reading.server).max(SignedDuration::ZERO);
    let (skew, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if skew <= LARGEST_SKEW {
        return Finding::ok("clock", format!("{whose} and this machine agree on the time"));
    }
    let fact = format!(
        "{whose}'s clock is {} {direction} this machine's (it shows {})",
        spelled(skew),
        to_the_second(reading.server)
    );
    Finding::warning("clock", fact, remedy)
}

/// How a snapshot can be begun with more than one connection.
pub fn snapshot(survey: &Survey, database: &str, readers: usize) -> Finding {
    let (check, always) = ("snapshot", "one connection in one transaction");
    if readers < 2 {
        return Finding::ok(check, format!("{always}, as GORGEN_READERS is 1"));
    }
    let may_lock = survey.privileges.on_database.contains(&Privilege::LockTables);
    let way = match survey.server.flavor {
        Flavor::TiDb => "at the same timestamp",
        _ if may_lock => "begun under a short read lock",
        _ => {
            let fact = format!(
                "{always}: right, but slower than several; {} lacks LOCK TABLES, with which several can begin at one \
                 moment",
                survey.privileges.account
            );
            let scope = format!("`{}`.*", database.replace('`', "``"));
            let grants = [grant(&[Privilege::LockTables], &scope, &survey.privileges.account)];
            return Finding::warning(check, fact, as_administrator(survey, &grants));
        }
    };
    Finding::ok(check, format!("up to {readers} connections {way}, else {always}"))
}

/// Does the server take the largest row back?
pub fn packet(survey: &Survey) -> Finding {
    let (check, allowed) = ("max-allowed-packet", survey.max_allowed_packet);
    let shown = mebibytes(allowed);
    let names = |larger: &dyn Fn(&RowSize) -> bool| -> Vec<&str> {
        survey.rows.iter().filter(|row| larger(row)).map(|row| row.table.as_str()).collect()
    };
    let remedy = |least: &str| {
        format!(
            "set max_allowed_packet = {least} on every server that is to hold the data (on RDS in the parameter group)"
        )
    };
    let mean = names(&|row| row.average > allowed);
    if !mean.is_empty() {
        let fact = format!(
            "{shown}, and by the server's estimates most rows are larger in {}",
            listed(&mean)
        );
        return Finding::warning(check, fact, remedy("1G"));
    }
    let some = names(&|row| row.bound > allowed);
    if some.is_empty() {
        return Finding::ok(
            check,
            format!("{shown}, and by the server's estimates no row is larger"),
        );
    }
    let fact = format!("{shown}; a row could be larger in {}", listed(&some));
    if allowed < COMFORTABLE_PACKET {
        return Finding::warning(check, fact, remedy("64M or more"));
    }
    Finding::ok(check, fact)
}

/// Does the server take rows the quick way?
pub fn local_infile(survey: &Survey) -> Finding {
    let check = "local-infile";
    if survey.local_infile {
        return Finding::ok(check, "LOAD DATA LOCAL is on: restores load rows the quick way");
    }
    Finding::warning(
        check,
        "local_infile is off on the server: restores load rows by INSERT, which is slower",
        "for restores, run as an administrator: SET GLOBAL local_infile = ON; (on RDS set it in the parameter group)",
    )
}

fn mebibytes(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

/// `95 s`, `12 min`, `3 h`, `4 days`: in the largest unit of which there are two or more.
pub(super) fn spelled(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

pub(super) fn to_the_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
