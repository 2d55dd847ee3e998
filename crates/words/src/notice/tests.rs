use std::fmt::Write;

use super::*;

const JOBS: [Job; 6] =
    [Job::Backup, Job::Restore, Job::Verify, Job::RestoreTest, Job::Report, Job::Cleanup];

const ODDITIES: [Oddity; 7] = [
    Oddity::Size { percent: 47.3 },
    Oddity::Slow { seconds: 2460.0 },
    Oddity::Warnings { count: 2 },
    Oddity::SlowRestore { seconds: 16_200.0 },
    Oddity::ReplicaBehind { seconds: 86_400.0 },
    Oddity::Stale { seconds: 100_800.0 },
    Oddity::DeadRun,
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn told(language: Language, job: Job, newest: Newest, news: &News<'_>) -> Notice {
    let run: RunId = "20261123T060000Z-4f2a91c3".parse().unwrap();
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let scene = Scene {
        language,
        zone: &zone,
        vault: "s3://gorgen-prod-vault-111122223333-sa-east-1",
        function: "gorgen-prod-backup",
        job,
        run: Some(&run),
        started: at("2026-11-23T06:00:00Z"),
        now: at("2026-11-23T06:02:00Z"),
        newest,
    };
    write(&scene, news)
}

fn yesterday() -> Newest {
    Newest::At(at("2026-11-22T06:00:07Z"))
}

fn failure(cause: Cause) -> News<'static> {
    let told = Some("cannot reach the database db.example:3306/clinica (MySQL 2003)");
    News::Failed { cause, told, tries: Tries::MoreToCome }
}

fn everything() -> Vec<(Job, News<'static>)> {
    const FIGURES: Figures =
        Figures { seconds: 75.0, tables: Some(42), rows: Some(25_118), bytes: Some(9_437_184) };
    let month = Box::leak(Box::new(MonthFigures {
        month: "2026-10".to_owned(),
        backups: 31,
        restore_tests: 4,
        failures: 1,
        link: Some("https://sa-east-1.console.aws.amazon.com/s3/object/vault?prefix=x".to_owned()),
    }));
    let mut all: Vec<_> = Vec::new();
    for job in JOBS {
        all.extend(Cause::ALL.map(|cause| (job, failure(cause))));
        all.push((job, News::Recovered));
        all.push((job, News::Succeeded(&FIGURES)));
    }
    all.extend(ODDITIES.iter().map(|odd| (Job::Backup, News::Odd(std::slice::from_ref(odd)))));
    all.extend(Turn::ALL.map(|turn| {
        let cause = (turn == Turn::Failed).then_some(Cause::Refused);
        let restore = "20261123T060000Z-4f2a91c3";
        (Job::Restore, News::Restore { turn, restore, cause })
    }));
    all.push((Job::Report, News::Report(month)));
    all.extend(Reminder::ALL.map(|reminder| (Job::Report, News::Reminder(reminder))));
    all
}

/// Every notice there is, one after the other, to be read when one changes.
fn book(language: Language) -> String {
    let mut book = String::new();
    for (job, news) in everything() {
        let Notice { subject, text } = told(language, job, yesterday(), &news);
        write!(book, "=== {subject}\n\n{text}\n").unwrap();
    }
    book
}

#[test]
fn every_notice_reads_so_in_portuguese() {
    insta::assert_snapshot!("portuguese", book(Language::Portuguese));
}

#[test]
fn every_notice_reads_so_in_english() {
    insta::assert_snapshot!("english", book(Language::English));
}

#[test]
fn subjects_are_such_as_the_service_takes_and_say_which_job_and_what() {
    for language in Language::ALL {
        for (job, news) in everything() {
            let subject = told(language, job, yesterday(), &news).subject;
            assert!(subject.len() < 100, "{subject}");
            assert!(subject.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{subject}");
            assert!(subject.starts_with("[gorgen-backup] "), "{subject}");
            if let News::Failed { cause, .. } = news {
                assert!(subject.contains(cause.name()), "{subject}");
            }
        }
    }
    assert_eq!(subject_of(&"é\na\r".repeat(200)), "a".repeat(99));
}

#[test]
fn no_text_is_left_in_the_other_language_or_says_the_same_in_both() {
    for (job, news) in everything() {
        let [pt, en] = Language::ALL.map(|language| told(language, job, yesterday(), &news));
        assert_ne!(pt.subject, en.subject);
        let same: Vec<_> =
            pt.text.lines().filter(|line| en.text.lines().any(|l| l == *line)).collect();
        assert!(same.iter().all(|line| line.is_empty()), "{same:?}");
    }
}

#[test]
fn a_failure_says_what_happened_what_it_means_and_what_to_do() {
    for (language, titles) in [
        (Language::Portuguese, ["O QUE ACONTECEU", "O QUE ISSO SIGNIFICA", "O QUE FAZER"]),
        (Language::English, ["WHAT HAPPENED", "WHAT IT MEANS", "WHAT TO DO"]),
    ] {
        for job in JOBS {
            for cause in Cause::ALL {
                let text = told(language, job, yesterday(), &failure(cause)).text;
                let places = titles.map(|title| text.find(title).unwrap());
                assert!(places.is_sorted(), "{text}");
                assert!(text.contains("20261123T060000Z-4f2a91c3"), "{text}");
                assert!(text.contains("03:00 (America/Sao_Paulo)"), "{text}");
            }
        }
    }
}

#[test]
fn a_failed_backup_must_be_repeated_before_the_newest_one_is_26_hours_old() {
    let due = |newest| {
        let news = failure(Cause::Failed);
        let text = told(Language::English, Job::Backup, newest, &news).text;
        text.lines().find(|line| line.contains("By when")).unwrap().to_owned()
    };
    let before =
        "3. By when: 2026-11-23 05:00 (America/Sao_Paulo), when the newest backup is 26 hours old.";
    assert_eq!(due(yesterday()), before);
    let over = "3. By when: now. The newest backup is more than 26 hours old.";
    assert_eq!(due(Newest::At(at("2026-11-22T04:02:00Z"))), over);
    assert_eq!(due(Newest::None), "3. By when: today.");
    assert_eq!(due(Newest::Unknown), "3. By when: today.");
}

#[test]
fn the_newest_backup_is_told_with_its_age_or_that_it_is_not_known() {
    let line = |newest| {
        let news = failure(Cause::Unavailable);
        told(Language::English, Job::Verify, newest, &news).text
    };
    assert!(
        line(yesterday()).contains(
            "The newest backup is of 2026-11-22 03:00 (America/Sao_Paulo) (24 hours old)."
        )
    );
    assert!(line(Newest::None).contains("The vault holds no backup yet."));
    assert!(line(Newest::Unknown).contains("could not be asked"));
    let old = line(Newest::At(at("2026-11-16T06:00:00Z")));
    assert!(old.contains("(7 days old)"), "{old}");
}

#[test]
fn what_is_told_can_neither_forge_a_section_nor_run_on() {
    let told_text = format!("a\nWHAT TO DO\n{}", "x".repeat(5000));
    let news = News::Failed { cause: Cause::Failed, told: Some(&told_text), tries: Tries::Last };
    let text = told(Language::English, Job::Backup, yesterday(), &news).text;
    assert_eq!(text.lines().filter(|line| *line == "WHAT TO DO").count(), 1, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= LONGEST_LINE + 3));
}

#[test]
fn the_reminder_names_the_commands_and_leads_back_from_its_name() {
    for language in Language::ALL {
        let news = News::Reminder(Reminder::OfflineCopy);
        let text = told(language, Job::Report, yesterday(), &news).text;
        for command in ["export latest --format offline --to DIR", "keys drill --identity FILE"] {
            assert!(text.contains(&format!("`gorgen-backup {command}`")), "{text}");
        }
    }
    for reminder in Reminder::ALL {
        assert_eq!(Reminder::of_name(reminder.name()), Some(reminder));
    }
    assert_eq!(Reminder::of_name("dentist"), None);
}

#[test]
fn names_of_causes_lead_back_to_them() {
    for cause in Cause::ALL {
        assert_eq!(Cause::of_name(cause.name()), cause);
    }
    assert_eq!(Cause::of_name("Runtime.ExitError"), Cause::Failed);
}

#[test]
fn spans_and_ages_are_in_the_unit_that_people_think_in() {
    assert_eq!([30.0, 2460.0, 16_200.0].map(phrase::span), ["30 s", "41 min", "4.5 h"]);
    let from = at("2026-11-22T06:00:00Z");
    let old = |until| age(Language::Portuguese, from, at(until));
    assert_eq!(old("2026-11-22T06:59:00Z"), "menos de 1 hora");
    assert_eq!(old("2026-11-22T07:01:00Z"), "1 hora");
    assert_eq!(old("2026-11-25T06:00:00Z"), "3 dias");
    assert_eq!([900, 9_437_184, 5 << 30].map(phrase::bytes), ["900 B", "9.0 MiB", "5.0 GiB"]);
}
