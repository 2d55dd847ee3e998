//! Showing results: text for people, or one JSON document.

use std::{
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
};

use gorgen_engine::ports::Progress;
use indicatif::HumanBytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{failure::Failure, progress::Bars};

/// Where results go.
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows a result: `text` writes it for people.
    pub(crate) fn result<T: Serialize>(
        &self,
        result: &T,
        text: impl FnOnce(&mut String) -> fmt::Result,
    ) -> Result<(), Failure> {
        let shown = if self.json {
            serde_json::to_string_pretty(result).map(|json| json + "\n").map_err(io::Error::from)
        } else {
            let mut shown = String::new();
            text(&mut shown).map(|()| shown).map_err(io::Error::other)
        };
        let written = shown.and_then(|shown| io::stdout().lock().write_all(shown.as_bytes()));
        match written {
            // Whoever reads the output, `head` for one, may stop reading.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|source| Failure::io("write the result", source)),
        }
    }

    /// Shows why the program failed: on stderr, or as the one JSON document.
    pub(crate) fn failure(&self, failure: &Failure) {
        let mut text = String::new();
        if self.json {
            let _ = writeln!(io::stdout(), "{:#}", failure.to_json());
        }
        let _ = writeln!(text, "error: {failure}");
        for cause in failure.causes() {
            let _ = writeln!(text, "  because: {cause}");
        }
        if let Some(hint) = failure.hint() {
            let _ = writeln!(text, "  what to do: {hint}");
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Progress bars while a job runs, if somebody watches.
    pub(crate) fn bars(
        &self,
        verb: &'static str,
        progress: &std::sync::Arc<Progress>,
    ) -> Option<Bars> {
        (!self.json && io::stderr().is_terminal()).then(|| Bars::show(verb, progress))
    }
}

/// Bytes for people, `12.30 MiB`.
pub(crate) fn bytes(bytes: u64) -> HumanBytes {
    HumanBytes(bytes)
}

/// A time for people, to the second, in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What lies between two times, for people, `12.3 s`.
pub(crate) fn between(started: Timestamp, ended: Timestamp) -> String {
    let seconds = ended.duration_since(started).as_secs_f64();
    if seconds < 120.0 { format!("{seconds:.1} s") } else { format!("{:.1} min", seconds / 60.0) }
}
