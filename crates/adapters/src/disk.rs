//! Durable files: written whole or not at all, and on the disk once a call returns.
//!
//! A file is written under a temporary name in its own folder, flushed, and then given its name; a crash
//! leaves at most a temporary file. Names that begin with a dot are ours and are no content.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

const TEMPORARY: &str = ".tmp-";
const GUARD: &str = ".guard-";

/// No write takes this long: a temporary file this old is what a crash left.
const LEFT_OVER: Duration = Duration::from_hours(1);

/// Access for whom the process's mask lets have it.
pub(crate) const MODE_SHARED: u32 = 0o666;
/// Access for the owner alone.
pub(crate) const MODE_PRIVATE: u32 = 0o600;

/// Writes a new file.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] if the name is taken; the file there is untouched.
pub(crate) fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path)?;
    let mut temporary = Temporary::create(folder, mode)?;
    temporary.write(content)?;
    match fs::hard_link(&temporary.path, path) {
        Err(error) if lacks_links(&error) => rename_to_new(&mut temporary, path)?,
        linked => linked?,
    }
    sync_folder(folder)
}

/// Writes a file in the place of whatever has its name.
pub(crate) fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = folder_of(path)?;
    let mut temporary = Temporary::create(folder, mode)?;
    temporary.write(content)?;
    temporary.rename(path)?;
    sync_folder(folder)
}

/// Removes a file, for good once this returns.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_folder(folder_of(path)?)
}

/// Waits until nobody else holds the guard of this name; it is held until the file is dropped, or the process ends.
pub(crate) fn guard(path: &Path) -> io::Result<File> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let path = folder_of(path)?.join(format!("{GUARD}{name}"));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Makes a folder and those it lies in, as far as they are missing.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path)?;
    make_folder(parent)?;
    match DirBuilder::new().create(path) {
        // Somebody else was faster, and may not have flushed it yet.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !path.is_dir() {
                return Err(ErrorKind::NotADirectory.into());
            }
        }
        made => made?,
    }
    sync_folder(parent)
}

/// Removes the temporary files of a folder that are an hour older than `fresh`, a file just written there.
pub(crate) fn remove_left_overs(fresh: &Path) -> io::Result<()> {
    let now = fs::metadata(fresh)?.modified()?;
    for entry in fs::read_dir(folder_of(fresh)?)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        let age = now.duration_since(entry.metadata()?.modified()?);
        if age.is_ok_and(|age| age > LEFT_OVER) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Is this a name of ours, not of content?
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    let is_relative = |folder: &&Path| !folder.as_os_str().is_empty();
    path.parent().filter(is_relative).ok_or_else(|| {
        io::Error::new(ErrorKind::InvalidInput, format!("{} lies in no folder", path.display()))
    })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Some file systems have no hard links: exFAT, many network shares.
fn lacks_links(error: &io::Error) -> bool {
    // EPERM is how Linux says it for most of them.
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported)
}

/// The way without links: a rename would replace, so look first, and let nobody in between.
fn rename_to_new(temporary: &mut Temporary, path: &Path) -> io::Result<()> {
    let _guard = guard(path)?;
    if fs::exists(path)? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    temporary.rename(path)
}

/// A file under a temporary name; it is removed when dropped, unless it got another name.
struct Temporary {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Temporary {
    fn create(folder: &Path, mode: u32) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Relaxed);
            let path = folder.join(format!("{TEMPORARY}{}-{number}", process::id()));
            match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
                // Left by a process that had our number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                opened => {
                    return Ok(Self { path, file: opened?, renamed: false });
                }
            }
        }
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.write_all(content)?;
        self.file.sync_all()
    }

    fn rename(&mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // It is never listed, and a later write removes it: nothing depends on this.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::FileTimes, os::unix::fs::PermissionsExt};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_takes_no_name_from_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one", MODE_PRIVATE).unwrap();
        let error = create(&path, b"two", MODE_PRIVATE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"three", MODE_SHARED).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn without_links_a_new_file_takes_no_name_from_another_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (content, expected) in [(b"one", true), (b"two", false)] {
            let mut temporary = Temporary::create(folder.path(), MODE_SHARED).unwrap();
            temporary.write(content).unwrap();
            assert_eq!(rename_to_new(&mut temporary, &path).is_ok(), expected);
        }
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), [".guard-a", "a"]);
    }

    #[test]
    fn folders_are_made_with_those_they_lie_in() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        make_folder(&deep).unwrap();
        make_folder(&deep).unwrap();
        assert!(deep.is_dir());
        let file = deep.join("file");
        create(&file, b"", MODE_SHARED).unwrap();
        assert!(make_folder(&file).is_err(), "a file has the name");
    }

    #[test]
    fn only_old_temporary_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        create(&path("fresh"), b"", MODE_SHARED).unwrap();
        let fresh = fs::metadata(path("fresh")).unwrap().modified().unwrap();
        for (name, minutes) in
            [(".tmp-1-old", 61), (".tmp-1-young", 59), ("old", 61), (".guard-old", 61)]
        {
            let times = FileTimes::new().set_modified(fresh - Duration::from_secs(minutes * 60));
            File::create(path(name)).unwrap().set_times(times).unwrap();
        }
        remove_left_overs(&path("fresh")).unwrap();
        assert_eq!(names(folder.path()), [".guard-old", ".tmp-1-young", "fresh", "old"]);
    }
}
