//! Paths written as `file:///path`, as in the settings of vault and keyring.

use std::path::PathBuf;

use url::Url;

use super::BadValue;

/// The absolute path of a `file:` URL.
pub(super) fn file_path(text: &str, expected: &'static str) -> Result<PathBuf, BadValue> {
    let bad = |given: &str| BadValue::new(expected, given);
    if !text.starts_with("file:///") {
        return Err(bad("a file:// address whose third slash is missing"));
    }
    let url = Url::parse(text).map_err(|error| bad(&format!("no URL ({error})")))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("a path with a bare ? or # in it (write %3F or %23)"));
    }
    let path = url.to_file_path().map_err(|()| bad("a path that is none on this machine"))?;
    // Without what a trailing slash leaves, so that a folder is described in one way.
    let path: PathBuf = path.components().collect();
    if path.parent().is_none() {
        return Err(bad("the root folder"));
    }
    Ok(path)
}
