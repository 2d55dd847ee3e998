//! Output as a snapshot keeps it: what differs from run to run is replaced by its name.

use super::{Outcome, Server, Workspace};

/// Replaces what changes.
#[derive(Default)]
pub struct Shown(Vec<(String, &'static str)>);

impl Shown {
    /// Knows the workspace's folder.
    pub fn new(workspace: &Workspace) -> Self {
        Self::default().hiding(workspace.path().display().to_string(), "[FOLDER]")
    }

    /// Hides a text behind a name; longer texts should come first.
    #[must_use]
    pub fn hiding(mut self, text: impl Into<String>, name: &'static str) -> Self {
        self.0.push((text.into(), name));
        self
    }

    /// Hides the server's port and version.
    #[must_use]
    pub fn server(self, server: &Server) -> Self {
        let version = server.value("", "SELECT VERSION()");
        self.hiding(format!(":{}", server.port()), ":[PORT]").hiding(version, "[VERSION]")
    }

    /// Exit status and stderr.
    pub fn failure(&self, outcome: &Outcome) -> String {
        assert_eq!(outcome.stdout, "", "failures belong on stderr");
        format!("exit status {}\n{}", outcome.code(), self.text(&outcome.stderr))
    }

    pub fn text(&self, text: &str) -> String {
        let hidden = self.0.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        hide_ids(&hidden)
    }
}

/// Replaces ids of runs and times, which are known by their form.
fn hide_ids(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        if let Some((length, name)) = id_at(rest) {
            shown.push_str(name);
            rest = &rest[length..];
        } else {
            shown.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    shown
}

/// The id or time that a text starts with: its length, and the name to show.
fn id_at(text: &str) -> Option<(usize, &'static str)> {
    const RUN: &str = "00000000T000000Z-";
    const TIME: &str = "0000-00-00T00:00:00";
    let shape: String =
        text.chars().take(48).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if shape.starts_with(RUN) {
        let random = text[RUN.len()..].bytes().take(8).filter(u8::is_ascii_hexdigit).count();
        return (random == 8).then_some((RUN.len() + 8, "[ID]"));
    }
    shape.starts_with(TIME).then(|| (shape.find('Z').map_or(TIME.len(), |end| end + 1), "[TIME]"))
}
