//! The tool on a bucket and a KMS key, as it is on a folder and a key file. The AWS is an emulated one.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    Database, PASSWORD, Rows, Server, Tool, Workspace, assert_equal, aws::Aws, middle::numbers,
    wait_until,
};

on_each_server!(
    a_bucket_keeps_backups,
    two_vaults_in_one_bucket,
    what_is_lost_or_damaged_is_named,
    a_bucket_that_is_not_there,
    a_kms_key_that_is_disabled,
    the_second_of_two_backups_is_refused,
    a_secret_holds_the_account,
);

/// A clinic, and a bucket and a key that nobody else uses.
struct Cloud<'a> {
    aws: Aws,
    bucket: String,
    key: String,
    /// For the tool's home; its vault and key file are not used.
    _workspace: Workspace,
    source: Database<'a>,
    tool: Tool,
}

impl<'a> Cloud<'a> {
    fn new(server: &'a Server) -> Self {
        let (aws, workspace) = (Aws::of_the_laboratory(), Workspace::new());
        let name = format!("{}-{}", server.flavor.name(), std::process::id());
        let (bucket, alias) = (format!("vaults-{name}"), format!("alias/gorgen-{name}"));
        aws.create_bucket(&bucket);
        let key = aws.create_key(&alias);
        let source = clinic(server, 1000);
        let tool = aws
            .reached_by(workspace.tool(server, &source))
            .with("GORGEN_VAULT", format!("s3://{bucket}/clinic"))
            .with("GORGEN_KEYRING", format!("kms:{alias}"));
        Self { aws, bucket, key, _workspace: workspace, source, tool }
    }

    /// Keys of a vault's objects in the bucket.
    fn objects(&self, prefix: &str) -> Vec<String> {
        self.aws.objects(&self.bucket, prefix)
    }
}

/// So many rows, of a kilobyte each that does not compress.
fn clinic(server: &Server, rows: u32) -> Database<'_> {
    let source = server.database("s3");
    let make =
        "CREATE TABLE exams (id INT NOT NULL PRIMARY KEY, image VARBINARY(1000)) ENGINE=InnoDB;
        CREATE VIEW sizes AS SELECT id, LENGTH(image) FROM exams;
        INSERT INTO exams SELECT i, RANDOM_BYTES(1000) FROM";
    server.sql(&source.name, format!("{make} ({}) n", numbers(rows)));
    source
}

fn a_bucket_keeps_backups(server: &Server) {
    let cloud = Cloud::new(server);
    let first = cloud.tool.json(&["backup"]);
    assert_eq!(first["totals"]["rows"], 1000);
    let packs = cloud.objects("clinic/packs/");
    assert!(!packs.is_empty());

    let second = cloud.tool.json(&["backup"]);
    assert_eq!(second["totals"]["new_bytes"], 0, "nothing changed");
    assert_eq!(cloud.objects("clinic/packs/"), packs);

    let ids = [&first["backup"], &second["backup"]];
    let listed = cloud.tool.json(&["list"]);
    let listed = listed["backups"].as_array().expect("a list");
    assert_eq!(listed.iter().map(|backup| &backup["backup"]).collect::<Vec<_>>(), ids);
    let shown = cloud.tool.json(&["show", "latest"]);
    assert_eq!((&shown["backup"], &shown["tables"][0]["rows"]), (ids[1], &1000.into()));

    cloud.tool.verify_clean();
    let target = server.absent("s3 restored");
    cloud.tool.restore("latest", &target);
    assert_equal(server, &cloud.source.name, &target.name, Rows::Ordered);
}

fn two_vaults_in_one_bucket(server: &Server) {
    let (cloud, other_source) = (Cloud::new(server), clinic(server, 10));
    // A prefix that begins like the other one.
    let other = (cloud.tool.clone())
        .with("GORGEN_VAULT", format!("s3://{}/clinic2", cloud.bucket))
        .with("GORGEN_DATABASE_URL", server.url(&other_source.name));
    cloud.tool.backup();
    let before = cloud.objects("clinic/");
    let id = other.backup();
    assert_eq!(cloud.objects("clinic/"), before, "the other vault's objects");
    for (tool, rows) in [(&cloud.tool, 1000), (&other, 10)] {
        let listed = tool.json(&["list"]);
        let [backup] = listed["backups"].as_array().expect("a list").as_slice() else {
            panic!("one backup each: {listed:#}")
        };
        assert_eq!(backup["totals"]["rows"], rows);
        assert_eq!(tool.verify_clean()["backups"].as_array().expect("a list").len(), 1);
    }
    cloud.tool.run(&["show", &id]).failed(1).says(&["there is no backup", &id]);
}

fn what_is_lost_or_damaged_is_named(server: &Server) {
    let cloud = Cloud::new(server);
    let id = cloud.tool.backup();
    let hurt = BTreeSet::from([id]);
    let one = |prefix: &str| cloud.objects(&format!("clinic/{prefix}")).swap_remove(0);
    for key in [one("packs/"), one("manifests/"), one("keys/manifest.")] {
        let name = key.strip_prefix("clinic/").expect("the prefix");
        let whole = cloud.aws.object(&cloud.bucket, &key);
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        cloud.aws.put_object(&cloud.bucket, &key, &damaged);
        let found = cloud.tool.verify_hurt(&["--read-data"]);
        assert_eq!(found.get(name), Some(&hurt), "{found:?}");
        assert_not_restored(server, &cloud.tool, 3);

        cloud.aws.delete_object(&cloud.bucket, &key);
        let found = cloud.tool.verify_hurt(&[]);
        assert_eq!(found.get(name), Some(&hurt), "{found:?}");
        assert_not_restored(
            server,
            &cloud.tool,
            if name.starts_with("manifests/") { 1 } else { 3 },
        );

        cloud.aws.put_object(&cloud.bucket, &key, &whole);
        cloud.tool.verify_clean();
    }
}

#[track_caller]
fn assert_not_restored(server: &Server, tool: &Tool, code: i32) {
    let target = server.absent("s3 restored");
    tool.run(&["restore", "latest", "--into", &target.name]).failed(code);
    assert!(!target.exists());
}

fn a_bucket_that_is_not_there(server: &Server) {
    let cloud = Cloud::new(server);
    let tool = cloud.tool.clone().with("GORGEN_VAULT", "s3://no-such-bucket/clinic");
    for args in [&["backup"][..], &["list"], &["verify"]] {
        tool.run(args).failed(1).says(&["in s3://no-such-bucket/clinic", "NoSuchBucket"]);
    }
}

fn a_kms_key_that_is_disabled(server: &Server) {
    let cloud = Cloud::new(server);
    cloud.tool.backup();
    let target = server.absent("s3 restored");
    let key = serde_json::json!({ "KeyId": cloud.key });
    cloud.aws.kms("DisableKey", &key);
    for args in [&["backup"][..], &["restore", "latest", "--into", &target.name], &["verify"]] {
        cloud
            .tool
            .run(args)
            .failed(1)
            .says(&["cannot use kms:alias/gorgen-", "is disabled; enable it"]);
    }
    assert!(!target.exists());
    cloud.aws.kms("EnableKey", &key);
    cloud.tool.verify_clean();
    cloud.tool.restore("latest", &target);
}

fn the_second_of_two_backups_is_refused(server: &Server) {
    let cloud = Cloud::new(server);
    let source = clinic(server, 16_000);
    let tool = cloud.tool.clone().with("GORGEN_DATABASE_URL", server.url(&source.name));
    let first = tool.start(&["backup", "--json"]);
    wait_until("a pack is stored", || !cloud.objects("clinic/packs/").is_empty());
    first.signal("STOP");
    assert_eq!(cloud.objects("clinic/manifests/"), [""; 0], "it was caught too late");
    let lock = cloud.aws.object(&cloud.bucket, "clinic/locks/backup.json");
    let lock: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&lock).expect("a record");
    let holder = lock["record"]["run"].as_str().expect("an id");
    tool.run(&["backup"]).failed(4).says(&[&format!("locked by run {holder}")]);
    first.signal("CONT");
    assert_eq!(first.outcome().succeeded(&["backup"]).document()["backup"], holder);
    tool.verify_clean();
}

fn a_secret_holds_the_account(server: &Server) {
    let cloud = Cloud::new(server);
    let (user, secret) = (format!("s_{}", std::process::id()), fresh_secret(server));
    server.account(&user, PASSWORD, &["ALL ON *.*"]);
    let whole = server.url(&cloud.source.name);
    let (_, place) = whole.split_once('@').expect("a user");
    let account = serde_json::json!({ "username": user, "password": PASSWORD }).to_string();
    let arn = cloud.aws.create_secret(&secret, &account);
    let tool = (cloud.tool.clone())
        .with("GORGEN_DATABASE_URL", format!("mysql://{place}"))
        .with("GORGEN_DATABASE_SECRET", arn);
    assert_eq!(tool.json(&["backup"])["totals"]["rows"], 1000);
    let target = server.absent("s3 restored");
    tool.restore("latest", &target);
    assert_equal(server, &cloud.source.name, &target.name, Rows::Ordered);
    assert!(tool.json(&["doctor"])["findings"].to_string().contains("the rest as the secret arn:"));

    let malformed = cloud.aws.create_secret(&format!("{secret}-x"), PASSWORD);
    for (name, told) in
        [(malformed.as_str(), "got a text that is neither"), ("no/such", "no such secret")]
    {
        let tool = tool.clone().with("GORGEN_DATABASE_SECRET", name);
        tool.run(&["backup"]).failed(1).says(&[name, told]);
        let checked = tool.run(&["doctor"]).failed(1).stdout;
        assert!(checked.contains(name) && checked.contains(told), "{checked}");
    }
}

fn fresh_secret(server: &Server) -> String {
    format!("gorgen/{}-{}", server.flavor.name(), std::process::id())
}
