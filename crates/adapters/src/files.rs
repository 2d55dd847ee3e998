//! Exports into a folder of this machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use gorgen_engine::ports::{FileWriter, Files, FilesError};

use crate::disk;

/// What a file that is not finished has after its name.
const UNFINISHED: &str = ".unfinished";

/// What the system is handed at once.
const BUFFER: usize = 1 << 20;

/// A folder, new or empty, that files are written into. They are readable by their owner only.
#[derive(Debug, Clone)]
pub struct FolderFiles {
    folder: PathBuf,
}

impl FolderFiles {
    /// Nothing is touched before an export opens it.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn failed(&self, source: io::Error) -> FilesError {
        FilesError::Write { file: self.folder.display().to_string(), source }
    }
}

impl Files for FolderFiles {
    fn open(&self) -> Result<(), FilesError> {
        let failed = |source| self.failed(source);
        // The folder's own parents are found from where the program stands.
        let folder = std::path::absolute(&self.folder).map_err(failed)?;
        disk::make_folder(&folder).map_err(failed)?;
        if fs::read_dir(&folder).map_err(failed)?.next().is_some() {
            return Err(FilesError::NotEmpty { folder: self.folder.display().to_string() });
        }
        Ok(())
    }

    fn create(&self, name: &str) -> Result<Box<dyn FileWriter>, FilesError> {
        if !is_plain(name) {
            return Err(FilesError::Name { name: name.to_owned() });
        }
        let path = self.folder.join(name);
        let unfinished = self.folder.join(format!("{name}{UNFINISHED}"));
        let create = || {
            if fs::exists(&path)? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(disk::MODE_PRIVATE)
                .open(&unfinished)
        };
        match create() {
            Ok(file) => Ok(Box::new(Writer {
                file: BufWriter::with_capacity(BUFFER, file),
                unfinished,
                path,
            })),
            Err(source) => Err(FilesError::Write { file: path.display().to_string(), source }),
        }
    }
}

/// Can the name mean nothing but a file in its folder, on any file system?
fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.%-".contains(&byte);
    let longest = 255 - UNFINISHED.len();
    !name.is_empty() && !name.starts_with('.') && name.len() <= longest && name.bytes().all(allowed)
}

struct Writer {
    file: BufWriter<File>,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Writer {
    fn put_in_place(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.unfinished, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    fn failed(&self, source: io::Error) -> FilesError {
        FilesError::Write { file: self.path.display().to_string(), source }
    }
}

impl FileWriter for Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| self.failed(source))
    }

    fn finish(mut self: Box<Self>) -> Result<(), FilesError> {
        let finished = self.put_in_place();
        finished.map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/deep");
        let files = FolderFiles::new(&path);
        files.open().unwrap();
        let mut file = files.create("a%2Fb.00000.sql").unwrap();
        file.write(b"one").unwrap();
        assert_eq!(names(&path), ["a%2Fb.00000.sql.unfinished"]);
        file.write(b" two").unwrap();
        file.finish().unwrap();
        assert_eq!(names(&path), ["a%2Fb.00000.sql"]);
        let written = path.join("a%2Fb.00000.sql");
        assert_eq!(fs::read(&written).unwrap(), b"one two");
        assert_eq!(fs::metadata(&written).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(
            matches!(files.create("a%2Fb.00000.sql"), Err(FilesError::Write { .. })),
            "it is taken"
        );
    }

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let files = FolderFiles::new(folder.path());
        files.open().unwrap();
        drop(files.create("a").unwrap());
        let error = files.open().unwrap_err();
        assert_eq!(error.to_string(), format!("folder {} is not empty", folder.path().display()));
        let file = FolderFiles::new(folder.path().join("a.unfinished"));
        assert!(matches!(file.open(), Err(FilesError::Write { .. })), "no folder");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let files = FolderFiles::new(folder.path());
        for name in
            ["", ".", "..", "../a", "a/b", "/a", ".a", "a b", "ç", "a\\b", "a\0", &"a".repeat(250)]
        {
            let error = files.create(name).err().unwrap();
            assert!(matches!(error, FilesError::Name { .. }), "{name}");
        }
    }
}
