use std::{fs::FileTimes, io::Write, process::Command, time::Duration};

use gorgen_engine::testing::{remover_contract, vault_contract};
use tempfile::TempDir;

use super::*;

fn vault() -> (TempDir, FolderVault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = FolderVault::new(folder.path().join("not/yet/there"));
    (folder, vault)
}

fn name(text: &str) -> ObjectName {
    ObjectName::from_listing(text).unwrap()
}

async fn listed(vault: &FolderVault, prefix: &str) -> Vec<String> {
    let list = vault.list(prefix).await.unwrap();
    list.into_iter().map(|info| info.name.to_string()).collect()
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let (_folder, vault) = vault();
    vault_contract(&vault).await;
}

#[tokio::test]
async fn objects_of_a_folder_are_removed() {
    let (_folder, vault) = vault();
    remover_contract(&vault, &vault).await;
    assert!(!vault.are_kept().await.unwrap());
    vault.put(&name("packs/a.pack"), Bytes::new()).await.unwrap();
    vault.lock_until(&name("packs/a.pack"), Timestamp::MAX).await.unwrap();
    assert_eq!(vault.locked_until(&name("packs/a.pack")).await.unwrap(), None);
}

#[tokio::test]
async fn reading_makes_no_folder() {
    let (folder, vault) = vault();
    assert!(listed(&vault, "").await.is_empty());
    assert!(vault.read(&ObjectName::lock()).await.unwrap().is_none());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn objects_are_plain_files_and_what_is_hidden_is_none() {
    let (_folder, vault) = vault();
    vault.put(&name("packs/a.pack"), Bytes::from_static(b"content")).await.unwrap();
    vault.swap(&ObjectName::lock(), None, Bytes::new()).await.unwrap();
    fs::write(vault.root.join("packs/.tmp-1-1"), "half a pack").unwrap();
    fs::write(vault.root.join("packs/ação"), "no name of a vault").unwrap();
    fs::create_dir(vault.root.join(".git")).unwrap();
    fs::write(vault.root.join(".git/config"), "").unwrap();
    assert_eq!(fs::read(vault.root.join("packs/a.pack")).unwrap(), b"content");
    assert_eq!(listed(&vault, "").await, ["locks/backup.json", "packs/a.pack"]);
    assert_eq!(listed(&vault, "packs/.").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_crash_left_is_removed_by_a_later_write() {
    let (_folder, vault) = vault();
    vault.put(&name("packs/a.pack"), Bytes::new()).await.unwrap();
    let left = vault.root.join("packs/.tmp-1-1");
    let written = fs::metadata(vault.root.join("packs/a.pack")).unwrap().modified().unwrap();
    let times = FileTimes::new().set_modified(written - Duration::from_hours(2));
    File::create(&left).unwrap().set_times(times).unwrap();

    let later_run = FolderVault::new(vault.root.clone());
    later_run.put(&name("manifests/a.manifest"), Bytes::new()).await.unwrap();
    assert!(left.exists(), "another folder was written to");
    later_run.put(&name("packs/b.pack"), Bytes::new()).await.unwrap();
    assert!(!left.exists());
}

#[tokio::test]
async fn a_lock_is_one_whoever_opened_the_vault() {
    let (_folder, vault) = vault();
    let other = FolderVault::new(vault.root.clone());
    let first = vault.swap(&ObjectName::lock(), None, Bytes::from_static(b"1")).await.unwrap();
    let (content, found) = other.read(&ObjectName::lock()).await.unwrap().unwrap();
    assert_eq!((content.as_ref(), &found), (b"1".as_slice(), &first));
    other.swap(&ObjectName::lock(), Some(&found), Bytes::from_static(b"2")).await.unwrap();
    let late = vault.swap(&ObjectName::lock(), Some(&first), Bytes::from_static(b"3")).await;
    assert_eq!(
        late.unwrap_err().to_string(),
        format!(
            "locks/backup.json in file://{} was changed by somebody else",
            vault.root.display()
        )
    );
}

#[tokio::test]
async fn what_is_in_the_way_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("file");
    fs::write(&root, "no folder").unwrap();
    let vault = FolderVault::new(root.clone());
    let error = vault.put(&name("packs/a.pack"), Bytes::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot write packs/a.pack in file://{}", root.display())
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "not a directory");
    assert!(!error.is_retryable());

    fs::remove_file(&root).unwrap();
    fs::create_dir_all(root.join("packs/a.pack")).unwrap();
    let error = vault.get(&name("packs/a.pack")).await.unwrap_err();
    assert!(matches!(error, VaultError::Failed { .. }), "{error:?}");
}

/// Where [`inside_a_full_disk`] finds its disk.
const DISK: &str = "TEST_FULL_DISK";
const DISK_SIZE: usize = 256 << 10;

/// A shell in a mount namespace of its own.
fn namespace(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]);
    command
}

/// Runs [`inside_a_full_disk`] on a small file system, which ends with its namespace.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn on_a_full_disk_a_write_fails_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    if !namespace("mount -t tmpfs tmpfs /tmp").status().is_ok_and(|status| status.success()) {
        eprintln!(
            "SKIPPED: no small disk can be had here to be filled: unshare or mount is refused"
        );
        return;
    }
    let script = format!(
        "mount -t tmpfs -o size={DISK_SIZE} tmpfs \"${DISK}\" && \
         exec \"$0\" --exact --ignored vault::folder::tests::inside_a_full_disk"
    );
    let output = namespace(&script)
        .arg(std::env::current_exe().unwrap())
        .env(DISK, folder.path())
        .output()
        .unwrap();
    let (report, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && report.contains("1 passed"), "{report}\n{errors}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the disk was another's");
}

#[tokio::test]
#[ignore = "run by on_a_full_disk_a_write_fails_and_leaves_nothing"]
#[expect(clippy::disallowed_methods, reason = "the test is its own edge")]
async fn inside_a_full_disk() {
    let disk = PathBuf::from(std::env::var_os(DISK).expect("a small disk"));
    let vault = FolderVault::new(disk.join("vault"));
    vault.put(&name("packs/a.pack"), Bytes::from(vec![1; DISK_SIZE / 2])).await.unwrap();
    for _ in 0..2 {
        let error =
            vault.put(&name("packs/b.pack"), Bytes::from(vec![2; DISK_SIZE])).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write packs/b.pack in {}", vault.describe()));
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with("No space left on device"), "{cause}");
        let left = fs::read_dir(vault.root.join("packs")).unwrap().count();
        assert_eq!(left, 1, "only the object that was there before");
    }
    let mut filler = File::create(disk.join("filler")).unwrap();
    while filler.write_all(&[0; 1024]).is_ok() {}
    let swap = vault.swap(&ObjectName::lock(), None, Bytes::from(vec![3; 8 << 10])).await;
    assert!(matches!(swap, Err(VaultError::Failed { .. })), "{swap:?}");
    assert_eq!(listed(&vault, "").await, ["packs/a.pack"]);
    assert_eq!(vault.get(&name("packs/a.pack")).await.unwrap().len(), DISK_SIZE / 2);
}
