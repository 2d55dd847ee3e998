//! What an export has written so far.

use std::sync::Arc;

use crate::{
    jobs::Error,
    ports::{FileWriter, Files},
};

/// The files of an export, counted.
pub(super) struct Output {
    to: Arc<dyn Files>,
    pub(super) files: Vec<String>,
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

impl Output {
    pub(super) fn open(to: Arc<dyn Files>) -> Result<Self, Error> {
        to.open()?;
        Ok(Self { to, files: Vec::new(), bytes: 0, warnings: Vec::new() })
    }

    pub(super) fn create(&self, name: String) -> Result<OpenFile, Error> {
        Ok(OpenFile { writer: self.to.create(&name)?, name, bytes: 0 })
    }

    /// Writes a file in one go.
    pub(super) fn write(&mut self, name: String, content: &[u8]) -> Result<(), Error> {
        let mut file = self.create(name)?;
        file.write(content)?;
        self.finish(file)
    }

    pub(super) fn finish(&mut self, file: OpenFile) -> Result<(), Error> {
        file.writer.finish()?;
        self.bytes += file.bytes;
        self.files.push(file.name);
        Ok(())
    }
}

/// A file that is being written.
pub(super) struct OpenFile {
    writer: Box<dyn FileWriter>,
    name: String,
    pub(super) bytes: u64,
}

impl OpenFile {
    pub(super) fn write(&mut self, content: &[u8]) -> Result<(), Error> {
        self.bytes += content.len() as u64;
        Ok(self.writer.write(content)?)
    }
}

/// The part of a file's name that stands for a database, a table or a view: as it is if it is made of
/// ASCII letters, digits and `_`, else percent-encoded. A name for which that is too long, or which has
/// mydumper's own form, becomes mydumper's `mydumper_` and a number.
pub(super) fn file_part(name: &str, number: usize) -> String {
    /// Two parts, an ending and what file systems add stay below 255 bytes.
    const LONGEST: usize = 100;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    if encoded.len() <= LONGEST && !encoded.starts_with("mydumper_") {
        encoded
    } else {
        format!("mydumper_{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_can_not_leave_the_folder_or_meet() {
        assert_eq!(file_part("pacientes_2", 3), "pacientes_2");
        assert_eq!(file_part("../a.b-schema `ç`", 3), "%2E%2E%2Fa%2Eb%2Dschema%20%60%C3%A7%60");
        assert_eq!(file_part("a%2Fb", 3), "a%252Fb");
        assert_eq!(file_part(&"ã".repeat(64), 3), "mydumper_3");
        assert_eq!(file_part("mydumper_3", 7), "mydumper_7");
    }
}
