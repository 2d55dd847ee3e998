//! The settings that accounts are used with, as lines that a shell reads.

use std::{
    fmt::{self, Write},
    fs::{File, OpenOptions},
    io::{Seek, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use gorgen_adapters::settings::{DatabaseUrl, Setting};
use gorgen_engine::{
    jobs::prepare::{Access, Planned},
    policy::prepare::{Login, Role, Wanted, Wish},
};
use serde::Serialize;

use crate::failure::Failure;

/// Access for the owner alone.
const PRIVATE: u32 = 0o600;

/// What stands in the place of a password that is not known.
const PLACEHOLDER: &str = "PASSWORD";

/// One setting.
#[derive(Serialize)]
pub(super) struct Line {
    role: &'static str,
    account: String,
    pub(super) name: &'static str,
    /// Its value; without, if it was written elsewhere.
    pub(super) value: Option<String>,
    /// Does the value hold all that it takes to log in?
    pub(super) is_whole: bool,
    #[serde(skip)]
    pub(super) purpose: &'static str,
    /// Is it in the place of another line?
    #[serde(skip)]
    is_second: bool,
}

impl Line {
    /// The setting for an account, with this password; `None` if it is not known.
    pub(super) fn new(
        wanted: &Wanted,
        password: Option<&str>,
        wish: &Wish,
        url: &DatabaseUrl,
    ) -> Self {
        let Wanted { role, account } = wanted;
        let (setting, purpose) = match role {
            Role::Backup => (Setting::DatabaseUrl, "for backups"),
            Role::Restore => (Setting::DatabaseUrl, "for restores"),
            Role::Scratch => (Setting::ScratchUrl, "for restore tests"),
        };
        let database = match role {
            Role::Backup | Role::Restore => url.database.clone(),
            Role::Scratch => wish.scratch.clone(),
        };
        let (password, is_whole) = match wish.login {
            Login::RdsIam => (None, true),
            Login::Password => (Some(password.unwrap_or(PLACEHOLDER)), password.is_some()),
        };
        let is_first = |other: &Wanted| other.role == Role::Backup;
        Self {
            role: role.as_str(),
            account: account.to_string(),
            name: setting.name(),
            value: Some(url.with_database(database).spelled(account.user(), password)),
            is_whole,
            purpose,
            is_second: *role == Role::Restore && wish.accounts.iter().any(is_first),
        }
    }
}

/// The settings for what was planned, as it came out.
pub(super) fn of(
    planned: &[Planned],
    became: &[Option<Access>],
    wish: &Wish,
    url: &DatabaseUrl,
) -> Vec<Line> {
    let line = |(planned, became): (&Planned, &Option<Access>)| {
        let has_password = matches!(became, Some(Access::Made | Access::Renewed));
        let password = planned.password().filter(|_| has_password);
        became.map(|_| Line::new(&planned.wanted, password, wish, url))
    };
    planned.iter().zip(became).filter_map(line).collect()
}

/// Takes the values out.
pub(super) fn hide(lines: &mut [Line]) {
    for line in lines {
        line.value = None;
    }
}

/// A line each, with what it is for above it. What can't be used as it is, and what would take the place of a line
/// above, is a comment.
pub(super) fn write(lines: &[Line], text: &mut String) -> fmt::Result {
    for line in lines {
        let Line { account, name, purpose, .. } = line;
        let aside = match (line.is_whole, line.is_second) {
            (false, _) => ", whose password is as it was",
            (true, true) => ", in the place of the line above",
            (true, false) => "",
        };
        let comment = if line.is_whole && !line.is_second { "" } else { "# " };
        writeln!(text, "# {purpose}: {account}{aside}")?;
        writeln!(text, "{comment}{name}='{}'", line.value.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// A file that keeps the settings, for its owner alone.
pub(super) struct Kept {
    path: PathBuf,
    file: File,
}

impl Kept {
    /// Makes the file, which must not be there, before there is anything to log in to.
    pub(super) fn create(path: &Path, lines: &[Line]) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path);
        let file =
            file.map_err(|error| Failure::io(format!("create {}", path.display()), error))?;
        let mut kept = Self { path: path.to_owned(), file };
        kept.rewrite(lines)?;
        Ok(kept)
    }

    /// Writes other settings in the place of what is there.
    pub(super) fn rewrite(&mut self, lines: &[Line]) -> Result<(), Failure> {
        let mut text = String::new();
        let spelled = write(lines, &mut text).map_err(std::io::Error::other);
        let written = spelled.and_then(|()| {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())?;
            self.file.sync_all()
        });
        written.map_err(|error| Failure::io(format!("write {}", self.path.display()), error))
    }
}
