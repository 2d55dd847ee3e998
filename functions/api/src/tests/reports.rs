//! The reports that are kept: their list, and their pages.

use gorgen_engine::{
    jobs::report::{self, Proof, Report, Told},
    model::{Language, ObjectName},
    policy::month::Month,
    records::{
        report::ReportRecord,
        run::{Job, Outcome, RunRecord},
    },
};
use gorgen_words::report::{CONTENT_SECURITY_POLICY, page};
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};

use super::house::{ADMIN, House, MASTER, NOBODY, event};

/// Has a month told, as the function `report` would, and lets a minute pass.
async fn tell(house: &House, month: &str) -> Told {
    let month: Month = month.parse().unwrap();
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let write = |report: &Report, proof: &Proof| page(report, proof, Language::Portuguese);
    let told = report::run(&house.world(), Some(month), &zone, None, &write).await.unwrap();
    house.clock.advance(SignedDuration::from_mins(1));
    told
}

fn object(name: &str) -> ObjectName {
    ObjectName::from_listing(name).unwrap()
}

fn text(house: &House, name: &str) -> String {
    String::from_utf8(house.vault.objects()[&object(name)].to_vec()).unwrap()
}

/// Puts other bytes in the place of an object.
fn replace(house: &House, name: &str, with: &[u8]) {
    house.vault.corrupt(&object(name), |bytes| *bytes = with.to_vec());
}

#[tokio::test]
async fn kept_reports_are_listed_each_month_by_its_newest_the_last_told_first() {
    let house = House::with_backups(2).await;
    assert_eq!(house.get("/v1/reports").await.body, json!({ "reports": [], "next": null }));
    tell(&house, "2026-10").await;
    let november = tell(&house, "2026-11").await;
    let september = tell(&house, "2026-09").await;
    let october = tell(&house, "2026-10").await;
    let all = house.get("/v1/reports").await.body;
    assert_eq!(all["next"], Value::Null);
    let runs = |body: &Value| -> Vec<String> {
        let items = body["reports"].as_array().unwrap();
        items.iter().map(|item| item["run"].as_str().unwrap().to_owned()).collect()
    };
    let expected = [&october, &september, &november].map(|told| told.run.to_string());
    assert_eq!(runs(&all), expected);
    let record = ReportRecord::read(text(&house, &november.report).as_bytes()).unwrap().0;
    assert_eq!(
        all["reports"][2],
        json!({
            "month": "2026-11", "run": november.run, "told": record.at, "sha256": november.sha256,
            "conformity": november.conformity, "data": november.report, "page": november.page,
        })
    );
    assert!(!november.conformity.not_met.is_empty(), "there is something to tell");
    let first = house.get("/v1/reports?limit=2").await.body;
    assert_eq!(runs(&first), expected[..2]);
    let next = first["next"].as_str().unwrap();
    let rest = house.get(&format!("/v1/reports?limit=2&before={next}")).await.body;
    assert_eq!((runs(&rest), &rest["next"]), (expected[2..].to_vec(), &Value::Null));
}

#[tokio::test]
async fn the_newest_page_of_a_month_is_served_as_it_was_kept_and_loads_nothing() {
    let house = House::with_backups(2).await;
    let first = tell(&house, "2026-11").await;
    let objects = house.vault.objects().len();
    let served = house.get("/v1/reports/2026-11/page").await;
    assert_eq!((served.status, served.body.as_str()), (200, Some(&*text(&house, &first.page))));
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(served.headers[name], value, "{name}");
    }
    assert_eq!(house.vault.objects().len(), objects, "whoever looks leaves no trace in the vault");
    let second = tell(&house, "2026-11").await;
    let served = house.get("/v1/reports/2026-11/page").await;
    assert_eq!(served.body.as_str(), Some(&*text(&house, &second.page)));
}

#[tokio::test]
async fn a_page_is_for_those_who_may_see_the_report() {
    let house = House::with_backups(1).await;
    tell(&house, "2026-11").await;
    for path in ["/v1/reports", "/v1/reports/2026-11", "/v1/reports/2026-11/page"] {
        for (roles, status) in [(NOBODY, 403), (ADMIN, 200), (MASTER, 200)] {
            assert_eq!(house.send(roles, "GET", path, &[], None).await.status, status, "{path}");
        }
        let mut stranger = event(ADMIN, "GET", path);
        stranger["requestContext"]["authorizer"] = Value::Null;
        assert_eq!(house.send_event(stranger).await.unwrap().status, 401, "{path}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_is_not_found() {
    let house = House::with_backups(1).await;
    let told = tell(&house, "2026-10").await;
    let missing = house.get("/v1/reports/2026-11/page").await;
    assert_eq!((missing.status, missing.detail()), (404, "no report of 2026-11 is kept"));
    assert_eq!(missing.headers["content-type"], "application/problem+json");
    assert_eq!(house.get("/v1/reports/2026-13/page").await.status, 400);
    assert_eq!(house.get("/v1/reports/2026-10/page?lang=en").await.status, 400);
    house.vault.lose(&object(&told.page));
    assert_eq!(house.get("/v1/reports/2026-10/page").await.status, 404, "data without a page");
    assert_eq!(house.get("/v1/reports").await.body["reports"], json!([]));
    assert_eq!(House::new().get("/v1/reports/2026-10/page").await.status, 404, "no vault yet");
    let empty = House::new().get("/v1/reports").await;
    assert_eq!((empty.status, &empty.body["reports"]), (200, &json!([])), "as other lists");
}

#[tokio::test]
async fn a_page_that_is_not_the_one_that_was_kept_is_not_shown() {
    let house = House::with_backups(1).await;
    let refused = async |why: &str| {
        let reply = house.get("/v1/reports/2026-11/page").await;
        assert_eq!(reply.status, 500, "{why}");
        let said = "the page of 2026-11 is not what was kept, and is not shown: ";
        assert!(reply.detail().starts_with(said) && reply.detail().ends_with(why), "{reply:?}");
        assert!(!reply.headers.contains_key("content-security-policy"));
    };
    let other = tell(&house, "2026-11").await;
    let told = tell(&house, "2026-11").await;
    let (page, data) = (text(&house, &told.page), text(&house, &told.report));

    assert!(page.contains("Não conforme"));
    replace(&house, &told.page, page.replace("Não conforme", "Conforme").as_bytes());
    refused("it was altered").await;
    replace(&house, &told.page, page.replace(&told.sha256, &other.sha256).as_bytes());
    refused("it does not name its data and their digest").await;
    replace(&house, &told.page, text(&house, &other.page).as_bytes());
    refused("it does not name its data and their digest").await;
    replace(&house, &told.page, &[0xff; 100]);
    refused("it does not name its data and their digest").await;
    replace(&house, &told.page, page.as_bytes());
    assert_eq!(house.get("/v1/reports/2026-11/page").await.status, 200);

    // Without the data nothing proves the page.
    let altered = data.replace("\"backups_kept\":1", "\"backups_kept\":2");
    assert_ne!(altered, data);
    replace(&house, &told.report, altered.as_bytes());
    refused(&format!("{} is damaged", told.report)).await;
    let listed = house.get("/v1/reports").await.body;
    let problem = format!("{} is damaged", told.report);
    let expected = json!([{ "month": "2026-11", "run": told.run, "problem": problem }]);
    assert_eq!(listed["reports"], expected);
    replace(&house, &told.report, text(&house, &other.report).as_bytes());
    refused("the data are another report's").await;
    house.vault.lose(&object(&told.report));
    assert_eq!(house.get("/v1/reports/2026-11/page").await.status, 500);
    assert_eq!(house.get("/v1/reports").await.body["reports"][0]["month"], "2026-11");
}

#[tokio::test]
async fn a_page_whose_run_was_cut_off_is_proved_by_its_data_alone() {
    let house = House::with_backups(1).await;
    let told = tell(&house, "2026-11").await;
    let name = ObjectName::run(&told.run);
    house.vault.corrupt(&name, |bytes| bytes[90] ^= 1);
    assert_eq!(house.get("/v1/reports/2026-11/page").await.status, 200, "the record is damaged");
    house.vault.lose(&name);
    assert_eq!(house.get("/v1/reports/2026-11/page").await.status, 200, "there is none");
    // As a run's record is that was written before it told the page's digest.
    let now = house.world().clock.now();
    let mut record = RunRecord::new(told.run, Job::Report, Outcome::Succeeded, now, now);
    record.summary = Some(json!({ "month": "2026-11" }));
    house.world().vault.put(&name, record.write().unwrap()).await.unwrap();
    assert_eq!(house.get("/v1/reports/2026-11/page").await.status, 200);
}
