//! The keys of backups by the binary: looked at, replaced, put under another key file or KMS key, and opened out of the safe.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::support::{
    Database, Rows, Server, Tool, Workspace, assert_equal, aws::Aws, shown::Shown,
};

on_each_server!(
    another_key_file_takes_the_place_of_the_first,
    another_kms_key_takes_the_place_of_one_that_is_given_up,
    the_identity_in_the_safe_opens_everything_alone,
    a_package_on_a_drive_is_checked_and_restored_without_anything_else,
);

/// A clinic of two tenants.
fn clinic<'a>(server: &'a Server, workspace: &Workspace) -> (Database<'a>, Tool) {
    let live = server.database("keys");
    server.sql(
        &live.name,
        "CREATE TABLE pacientes (id INT PRIMARY KEY, tenant_id INT NOT NULL, nome VARCHAR(40)) ENGINE=InnoDB;
        INSERT INTO pacientes VALUES (1, 7, 'Ana'), (2, 8, 'Beto');",
    );
    let tool = workspace.tool(server, &live).with("GORGEN_TENANT_COLUMN", "tenant_id");
    (live, tool)
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// The kinds of keyring that wrap the data keys, each kind once.
fn wrapped_by(status: &Value) -> Vec<&str> {
    let keys = status["wrapping_keys"].as_array().expect("a list");
    keys.iter().map(|key| key["by"].as_str().expect("a text")).collect()
}

fn assert_restored(server: &Server, tool: &Tool, live: &Database<'_>) {
    let target = server.absent("keys restored");
    tool.restore("latest", &target);
    assert_equal(server, &live.name, &target.name, Rows::Ordered);
}

fn another_key_file_takes_the_place_of_the_first(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    let first = tool.backup();
    let packs = workspace.objects("packs/");
    let rotated = tool.json(&["keys", "rotate"]);
    assert_eq!(rotated["keys"].as_array().expect("a list").len(), 3, "manifest, and two tenants");
    server.sql(&live.name, "INSERT INTO pacientes VALUES (3, 7, 'Caê')");
    tool.backup();

    let shown = Shown::new(&workspace);
    let old_id = key_id(&workspace.key_file());
    let shown = shown.hiding(old_id, "[OLD]");
    let status = tool.ok(&["keys", "status"]);
    insta::assert_snapshot!(shown.text(&status.stdout), @r"
    keyring  file://[FOLDER]/key
      8 data keys wrapped by file:[OLD]
      manifest shared       2 keys, 0 to 0 days old, 1 in use, last needed by backup [ID]
      rows     2 tenants    4 keys, 0 to 0 days old, 2 in use, last needed by backup [ID]
      naming   2 tenants    2 keys, 0 to 0 days old, 2 in use
    ");

    let new = workspace.path().join("new.key");
    workspace.bare().ok(&["keys", "create", new.to_str().expect("UTF-8")]);
    let rewrapped = tool.ok(&["keys", "rewrap", "--to", &url(&new)]);
    insta::assert_snapshot!(shown.text(&rewrapped.stdout), @r"
    8 of 8 data keys open with file://[FOLDER]/new.key
      wrapped  8 anew, 0 before
      old      wrappings taken from 8 of them
      next     set GORGEN_KEYRING=file://[FOLDER]/new.key, here and for the functions
    ");
    for pack in packs {
        assert!(workspace.object(&pack).exists(), "{pack}: no data was touched");
    }
    let lost = tool.run(&["keys", "status"]).failed(3);
    assert!(lost.stdout.contains(&format!("LOST backup {first} cannot be opened")), "{lost:?}");
    assert!(lost.stdout.contains("which this keyring does not open"), "{lost:?}");

    fs::remove_file(workspace.key_file()).expect("the old key file");
    let moved = tool.with("GORGEN_KEYRING", url(&new));
    assert_restored(server, &moved, &live);
    moved.verify_clean();
    let again = moved.json(&["keys", "rewrap", "--to", &url(&new)]);
    assert_eq!((&again["rewrapped"], &again["released"]), (&json!(0), &json!(0)));
    moved.backup();
}

/// The id that a key file says, which is no secret.
fn key_id(path: &Path) -> String {
    let file: Value = serde_json::from_slice(&fs::read(path).expect("a key file")).expect("JSON");
    file["id"].as_str().expect("a text").to_owned()
}

fn another_kms_key_takes_the_place_of_one_that_is_given_up(server: &Server) {
    let (aws, workspace) = (Aws::of_the_laboratory(), Workspace::new());
    let name = format!("keys-{}-{}", server.flavor.name(), std::process::id());
    let aliases = ["old", "new"].map(|age| format!("alias/gorgen-{age}-{name}"));
    let [old, _] = [0, 1].map(|one: usize| aws.create_key(&aliases[one]));
    aws.create_bucket(&name);
    let (live, tool) = clinic(server, &workspace);
    let tool = aws
        .reached_by(tool)
        .with("GORGEN_VAULT", format!("s3://{name}/clinic"))
        .with("GORGEN_KEYRING", format!("kms:{}", aliases[0]));
    tool.backup();
    let chunks = aws.objects(&name, "clinic/packs/");

    let to = format!("kms:{}", aliases[1]);
    let rewrapped = tool.json(&["keys", "rewrap", "--to", &to]);
    assert_eq!((&rewrapped["rewrapped"], &rewrapped["released"]), (&json!(5), &json!(5)));
    assert_eq!(aws.objects(&name, "clinic/packs/"), chunks);

    aws.kms("DisableKey", &json!({ "KeyId": old }));
    let moved = tool.with("GORGEN_KEYRING", to);
    assert_restored(server, &moved, &live);
    moved.verify_clean();
    moved.backup();
    let status = moved.json(&["keys", "status"]);
    let [wrapping] = status["wrapping_keys"].as_array().expect("a list").as_slice() else {
        panic!("one KMS key wraps all: {status:#}")
    };
    assert_eq!((&wrapping["by"], &wrapping["ours"]), (&json!("kms"), &json!(true)));
    assert!(!wrapping["wrapping_key"].as_str().expect("an ARN").contains(&old));
}

/// An identity of age that the official tool made, and its recipient.
fn identity(workspace: &Workspace, name: &str) -> (PathBuf, String) {
    let path = workspace.path().join(name);
    let made = Command::new("age-keygen").arg("-o").arg(&path).output().expect("age-keygen");
    assert!(made.status.success());
    let told = Command::new("age-keygen").arg("-y").arg(&path).output().expect("age-keygen");
    (path, String::from_utf8(told.stdout).expect("text").trim().to_owned())
}

fn the_identity_in_the_safe_opens_everything_alone(server: &Server) {
    let workspace = Workspace::new();
    let (live, tool) = clinic(server, &workspace);
    // Keys that were there before anybody thought of the safe.
    let id = tool.backup();
    let (safe, recipient) = identity(&workspace, "identity.txt");
    let drill = |path: &Path| {
        ["keys", "drill", "--identity", path.to_str().expect("UTF-8")].map(str::to_owned)
    };
    let run = |tool: &Tool, path: &Path| {
        let args = drill(path);
        tool.run(&args.each_ref().map(String::as_str))
    };
    let lost = run(&tool, &safe).failed(3);
    assert!(lost.stdout.contains(&format!("LOST backup {id} cannot be opened")), "{lost:?}");
    assert!(lost.stdout.ends_with("this identity opens 0 of 5 data keys, and 0 of 1 backups\n"));

    let tool = tool.with("GORGEN_OFFLINE_RECIPIENT", &recipient);
    let added = tool.json(&["keys", "rewrap"]);
    assert_eq!((&added["rewrapped"], &added["released"]), (&json!(5), &json!(0)));
    tool.ok(&["keys", "rotate"]);
    server.sql(&live.name, "INSERT INTO pacientes VALUES (3, 7, 'Caê')");
    tool.backup();
    assert_eq!(wrapped_by(&tool.json(&["keys", "status"])), ["age", "file"]);

    let proved = run(&tool.clone().without("GORGEN_KEYRING").without("GORGEN_DATABASE_URL"), &safe);
    assert_eq!(proved.code(), 0, "{proved:?}");
    assert!(proved.stdout.ends_with("this identity opens 8 of 8 data keys, and 2 of 2 backups\n"));
    let (other, _) = identity(&workspace, "other.txt");
    run(&tool, &other).failed(3);

    // The day: no key file, no AWS, the identity alone.
    fs::remove_file(workspace.key_file()).expect("the key file");
    let alone = tool
        .without("GORGEN_OFFLINE_RECIPIENT")
        .with("GORGEN_KEYRING", format!("age://{}", safe.display()));
    assert_restored(server, &alone, &live);
    alone.verify_clean();
    let missing = alone.clone().with("GORGEN_KEYRING", "age:///nowhere/identity.txt");
    let shown = Shown::new(&workspace);
    insta::assert_snapshot!(shown.failure(&missing.run(&["verify"]).failed(1)), @r"
    exit status 1
    error: cannot use age:///nowhere/identity.txt: it cannot be read
      because: No such file or directory (os error 2)
      what to do: name the file that age-keygen made for the safe, decrypted, and that this account may read
    ");
}

fn a_package_on_a_drive_is_checked_and_restored_without_anything_else(server: &Server) {
    let workspace = Workspace::new();
    let (aws, name) =
        (Aws::of_the_laboratory(), format!("pack-{}-{}", server.flavor.name(), std::process::id()));
    let alias = format!("alias/gorgen-{name}");
    aws.create_key(&alias);
    aws.create_bucket(&name);
    let (live, tool) = clinic(server, &workspace);
    let cloud = aws
        .reached_by(tool)
        .with("GORGEN_VAULT", format!("s3://{name}/clinic"))
        .with("GORGEN_KEYRING", format!("kms:{alias}"));
    let id = cloud.backup();
    let drive = workspace.path().join("drive");
    let to = drive.to_str().expect("UTF-8");
    let pack = ["export", "latest", "--format", "offline", "--to", to];
    let shown = Shown::new(&workspace);
    insta::assert_snapshot!(shown.failure(&cloud.run(&pack).failed(4)), @r"
    exit status 4
    error: backup [ID] opens with AWS KMS alone: a package of it would be of no use without AWS
      what to do: set GORGEN_OFFLINE_RECIPIENT to the recipient of an identity that lies in a safe, and run `gorgen-backup keys rewrap` once
    ");
    assert!(!drive.exists());

    let (safe, recipient) = identity(&workspace, "identity.txt");
    let cloud = cloud.with("GORGEN_OFFLINE_RECIPIENT", &recipient);
    cloud.ok(&["keys", "rewrap"]);
    let packed = cloud.json(&pack);
    assert_eq!(packed["opened_by"], json!([format!("age:{recipient}")]));
    let again = cloud.json(&pack);
    assert_eq!((&again["copied_objects"], &again["bytes"]), (&json!(0), &packed["bytes"]));
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&drive)
        .output()
        .expect("sha256sum");
    assert!(checked.status.success(), "{checked:?}");
    let portuguese =
        fs::read_to_string(drive.join("RESTORE_INSTRUCTIONS.pt-BR.txt")).expect("a text");
    assert!(portuguese.contains(&id) && portuguese.contains(&recipient));
    for file in ["RESTORE_INSTRUCTIONS.en.txt", "recover.py", "format.md"] {
        assert!(drive.join(file).exists(), "{file}");
    }

    // Without AWS: no endpoint, no credentials.
    let alone = workspace
        .tool(server, &live)
        .with("GORGEN_VAULT", url(&drive.join("vault")))
        .with("GORGEN_KEYRING", format!("age://{}", safe.display()));
    alone.verify_clean();
    assert_restored(server, &alone, &live);
    let drill = alone.ok(&["keys", "drill", "--identity", safe.to_str().expect("UTF-8")]);
    assert!(drill.stdout.ends_with("this identity opens 5 of 5 data keys, and 1 of 1 backups\n"));
}
