//! A folder that an export is written into.

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The folder holds something: nothing is written over or beside it.
    #[error("folder {folder} is not empty")]
    NotEmpty {
        /// The folder.
        folder: String,
    },
    /// A name that could mean a place outside of the folder, or that file systems do not take.
    #[error("{name:?} is no name for a file")]
    Name {
        /// The name.
        name: String,
    },
    /// The file system's answer.
    #[error("cannot write {file}")]
    Write {
        /// The file or folder.
        file: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// A folder, new or empty. Calls may block: they are made where that holds up nobody.
pub trait Files: Send + Sync {
    /// Makes the folder ready, and refuses one that holds something. Comes before all else.
    ///
    /// # Errors
    /// [`FilesError::NotEmpty`], or what the file system says.
    fn open(&self) -> Result<(), FilesError>;

    /// Begins a file. Names are of ASCII letters, digits and `_ . % -`, do not begin with a dot, and
    /// come once each.
    ///
    /// # Errors
    /// [`FilesError::Name`], or what the file system says.
    fn create(&self, name: &str) -> Result<Box<dyn FileWriter>, FilesError>;
}

/// A file that is being written. It has its name only once it is finished: what is cut off has another.
pub trait FileWriter: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`FilesError::Write`] if they can't be written.
    fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError>;

    /// Gives the file its name; once this returns it is on the disk.
    ///
    /// # Errors
    /// [`FilesError::Write`] if that is not so.
    fn finish(self: Box<Self>) -> Result<(), FilesError>;
}
