//! What happens, as lines for people and for `CloudWatch`: to the output, which Lambda reads.

use std::str::FromStr;

use lambda_runtime::tracing::subscriber::{self, filter::LevelFilter};

/// Begins to write, at the level and in the form that Lambda's logging settings ask for.
///
/// Lambda's own crate would also filter by the places that `RUST_LOG` names, for which it carries a machine for regular expressions.
#[expect(clippy::disallowed_methods, reason = "the edge, where the environment is read once")]
pub(crate) fn start() {
    let setting = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let level = setting("AWS_LAMBDA_LOG_LEVEL").and_then(|name| LevelFilter::from_str(&name).ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    let lines = subscriber::fmt().with_max_level(level).with_target(false).without_time();
    if setting("AWS_LAMBDA_LOG_FORMAT").is_some_and(|name| name.eq_ignore_ascii_case("json")) {
        lines.json().init();
    } else {
        lines.init();
    }
}
