//! Progress bars on a terminal, fed by the engine's counters.

use std::{sync::Arc, time::Duration};

use gorgen_engine::ports::Progress;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;

const REDRAW: Duration = Duration::from_millis(120);

/// A bar that shows how far a job is until it is dropped.
pub(crate) struct Bars {
    bar: ProgressBar,
    watch: JoinHandle<()>,
}

impl Bars {
    /// Shows a bar on stderr.
    pub(crate) fn show(verb: &'static str, progress: &Arc<Progress>) -> Self {
        let bar = ProgressBar::new(0).with_style(style()).with_message(verb);
        let (shown, progress) = (bar.clone(), Arc::clone(progress));
        let watch = tokio::spawn(async move {
            loop {
                draw(&shown, &progress);
                tokio::time::sleep(REDRAW).await;
            }
        });
        Self { bar, watch }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.watch.abort();
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} [{bar:30}] {prefix} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let ((tables, all_tables), (bytes, expected)) = (progress.tables(), progress.bytes());
    // The server only estimates sizes: the bar must not go past its end.
    bar.set_length(expected.max(bytes).max(1));
    bar.set_position(bytes);
    let rows = HumanCount(progress.rows());
    bar.set_prefix(format!("{tables}/{all_tables} tables, {rows} rows, {}", HumanBytes(bytes)));
}
