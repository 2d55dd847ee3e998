//! An offline package on this machine: a folder with a vault in it, and beside it what tells how to check and restore it.
//!
//! ```text
//! vault/                 the vault, sealed, as `--vault file:///FOLDER/vault` reads it
//! SHA256SUMS             of each object of the vault that belongs to a backup of this package; written last
//! <other files>          for whoever has nothing but this folder
//! ```

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{disk, vault::FolderVault};

const SUMS: &str = "SHA256SUMS";
const VAULT: &str = "vault";

/// A folder that holds packages.
#[derive(Debug, Clone)]
pub struct PackageFolder {
    folder: PathBuf,
}

impl PackageFolder {
    /// The folder, which is made when something is written.
    ///
    /// # Errors
    /// If it is not known where this program stands, for a path that is not absolute.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { folder: std::path::absolute(folder)? })
    }

    /// The vault in it.
    pub fn vault(&self) -> FolderVault {
        FolderVault::new(self.folder.join(VAULT))
    }

    /// Where the vault is.
    pub fn vault_path(&self) -> PathBuf {
        self.folder.join(VAULT)
    }

    /// Writes these files, then the sums of objects (by name, in hex), beside those of other backups that are there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(
        &self,
        files: &[(&str, &str)],
        sha256: &BTreeMap<String, String>,
    ) -> io::Result<()> {
        disk::make_folder(&self.folder)?;
        for (name, content) in files {
            disk::replace(&self.folder.join(name), content.as_bytes(), disk::MODE_SHARED)?;
        }
        let path = self.folder.join(SUMS);
        let mut sums = match fs::read_to_string(&path) {
            Ok(text) => read_sums(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        for (name, sum) in sha256 {
            sums.insert(format!("{VAULT}/{name}"), sum.clone());
        }
        let lines: Vec<_> = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        disk::replace(&path, lines.concat().as_bytes(), disk::MODE_SHARED)
    }
}

/// Lines as `sha256sum` writes and checks them.
fn read_sums(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once("  "));
    lines.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_other_backups_stay() {
        let place = tempfile::tempdir().unwrap();
        let package = PackageFolder::new(&place.path().join("usb")).unwrap();
        let sums = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, sum)| ((*name).to_owned(), (*sum).to_owned())).collect()
        };
        package
            .finish(&[("a.txt", "one")], &sums(&[("packs/1", "aa"), ("vault.json", "bb")]))
            .unwrap();
        package
            .finish(&[("a.txt", "two")], &sums(&[("packs/2", "cc"), ("vault.json", "dd")]))
            .unwrap();
        let text = |name: &str| fs::read_to_string(place.path().join("usb").join(name)).unwrap();
        assert_eq!(text("a.txt"), "two");
        assert_eq!(
            text("SHA256SUMS"),
            "aa  vault/packs/1\ncc  vault/packs/2\ndd  vault/vault.json\n"
        );
    }
}
