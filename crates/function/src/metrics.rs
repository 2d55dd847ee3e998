//! Metrics in `CloudWatch`'s embedded metric format: one line of JSON in the log, which needs no call.
//!
//! Names and units are a contract with the alarms (docs/metrics.md).

use gorgen_engine::records::run::Job;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Where the metrics are found.
pub const NAMESPACE: &str = "GorgenBackup";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// 1 for a run that did what it should, 0 for one that did not.
    Succeeded,
    /// 1 for a run that failed, 0 for one that did not.
    Failed,
    /// How long the run took.
    DurationSeconds,
    /// The largest memory that the process has had.
    PeakMemoryBytes,
    /// Rows of a backup.
    RowsRead,
    /// Bytes of a backup's rows.
    BytesRead,
    /// Bytes that make up a backup in the vault.
    BytesStored,
    /// Bytes of these that were not there before.
    BytesNew,
    /// By how many percent a backup's bytes differ from the mean of the last seven days.
    SizeDeviationPercent,
    /// How old the newest backup is.
    LastGoodBackupAgeSeconds,
    /// How long a restore took until it was verified.
    RestoreSeconds,
    /// Objects of the vault that are missing or damaged.
    ProblemsFound,
    /// Objects of the replica that are missing or damaged.
    ReplicaProblems,
    /// By how much the newest backup that is wholly in the replica is older than the newest one.
    ReplicaBehindSeconds,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 14] = [
        Self::Succeeded,
        Self::Failed,
        Self::DurationSeconds,
        Self::PeakMemoryBytes,
        Self::RowsRead,
        Self::BytesRead,
        Self::BytesStored,
        Self::BytesNew,
        Self::SizeDeviationPercent,
        Self::LastGoodBackupAgeSeconds,
        Self::RestoreSeconds,
        Self::ProblemsFound,
        Self::ReplicaProblems,
        Self::ReplicaBehindSeconds,
    ];

    /// Its name in `CloudWatch`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::DurationSeconds => "DurationSeconds",
            Self::PeakMemoryBytes => "PeakMemoryBytes",
            Self::RowsRead => "RowsRead",
            Self::BytesRead => "BytesRead",
            Self::BytesStored => "BytesStored",
            Self::BytesNew => "BytesNew",
            Self::SizeDeviationPercent => "SizeDeviationPercent",
            Self::LastGoodBackupAgeSeconds => "LastGoodBackupAgeSeconds",
            Self::RestoreSeconds => "RestoreSeconds",
            Self::ProblemsFound => "ProblemsFound",
            Self::ReplicaProblems => "ReplicaProblems",
            Self::ReplicaBehindSeconds => "ReplicaBehindSeconds",
        }
    }

    /// Its unit, in `CloudWatch`'s words.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Succeeded
            | Self::Failed
            | Self::RowsRead
            | Self::ProblemsFound
            | Self::ReplicaProblems => "Count",
            Self::DurationSeconds
            | Self::LastGoodBackupAgeSeconds
            | Self::RestoreSeconds
            | Self::ReplicaBehindSeconds => "Seconds",
            Self::PeakMemoryBytes | Self::BytesRead | Self::BytesStored | Self::BytesNew => "Bytes",
            Self::SizeDeviationPercent => "Percent",
        }
    }
}

/// One metric with its value.
pub type Measure = (Metric, f64);

/// The line that tells `CloudWatch` these measures of one run.
pub(crate) fn line(vault: &str, job: Job, now: Timestamp, measures: &[Measure]) -> String {
    let metrics: Vec<_> = measures
        .iter()
        .map(|(metric, _)| json!({ "Name": metric.name(), "Unit": metric.unit() }))
        .collect();
    let mut line = Map::new();
    let directive =
        json!({ "Namespace": NAMESPACE, "Dimensions": [["Vault", "Job"]], "Metrics": metrics });
    let head = json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] });
    line.insert("_aws".to_owned(), head);
    line.insert("Vault".to_owned(), Value::from(vault));
    line.insert("Job".to_owned(), Value::from(job.as_str()));
    line.extend(measures.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let now = "2026-11-23T06:00:00Z".parse().unwrap();
        let measures = [(Metric::Succeeded, 1.0), (Metric::BytesRead, 1_000_000.0)];
        let line: Value =
            serde_json::from_str(&line("s3://vault", Job::RestoreTest, now, &measures)).unwrap();
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_413_600_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "GorgenBackup",
                    "Dimensions": [["Vault", "Job"]],
                    "Metrics": [
                        { "Name": "Succeeded", "Unit": "Count" },
                        { "Name": "BytesRead", "Unit": "Bytes" },
                    ],
                }],
            },
            "Vault": "s3://vault", "Job": "restore-test", "Succeeded": 1.0, "BytesRead": 1_000_000.0,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn every_metric_is_documented_with_its_unit() {
        let documented = include_str!("../../../docs/metrics.md");
        for metric in Metric::ALL {
            let row = format!("| `{}` | {} |", metric.name(), metric.unit());
            assert!(documented.contains(&row), "docs/metrics.md lacks {row}");
        }
        let rows = documented.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, Metric::ALL.len(), "docs/metrics.md has rows of no metric");
    }
}
