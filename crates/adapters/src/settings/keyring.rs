//! `GORGEN_KEYRING`: what wraps the keys of backups.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{BadValue, path::file_path};

/// The forms of a keyring's URL, as errors show them.
pub(super) const EXPECTED: &str =
    "file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity";

/// Where a keyring is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyringUrl {
    /// A key file.
    File(PathBuf),
    /// An offline identity of age, in a file.
    Age(PathBuf),
    /// A key of AWS KMS, by its ARN, its id, or the ARN or name (`alias/..`) of an alias.
    Kms(String),
}

impl fmt::Display for KeyringUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file://{}", path.display()),
            Self::Age(path) => write!(f, "age://{}", path.display()),
            Self::Kms(key) => write!(f, "kms:{key}"),
        }
    }
}

impl FromStr for KeyringUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        // No part is shown of what is neither: it could be a key that was pasted into the wrong place.
        let bad = || BadValue::new(EXPECTED, "a text of another form");
        if text.starts_with('/') {
            return Err(BadValue::new(EXPECTED, "a path without file:// before it"));
        }
        if text.starts_with("file://") {
            return file_path(text, EXPECTED).map(Self::File);
        }
        if let Some(path) = text.strip_prefix("age://") {
            return file_path(&format!("file://{path}"), EXPECTED).map(Self::Age);
        }
        let key = text.strip_prefix("kms:").filter(|key| is_kms_key(key)).ok_or_else(bad)?;
        Ok(Self::Kms(key.to_owned()))
    }
}

fn is_kms_key(key: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_/:".contains(&b);
    let has_form = key.strip_prefix("arn:").is_some_and(is_kms_arn)
        || key.strip_prefix("alias/").is_some_and(|name| !name.is_empty())
        || is_key_id(key);
    has_form && key.bytes().all(is_plain)
}

/// What follows `arn:`: `<partition>:kms:<region>:<account>:<key/.. or alias/..>`.
fn is_kms_arn(rest: &str) -> bool {
    match rest.split(':').collect::<Vec<_>>().as_slice() {
        [partition, "kms", region, account, resource] => {
            let parts_given = ![partition, region, account].iter().any(|part| part.is_empty());
            let names_key = resource.strip_prefix("key/").or(resource.strip_prefix("alias/"));
            parts_given && names_key.is_some_and(|name| !name.is_empty())
        }
        _ => false,
    }
}

/// A UUID, or `mrk-` and 32 hex digits.
fn is_key_id(key: &str) -> bool {
    let digits = key.strip_prefix("mrk-").unwrap_or(key).replace('-', "");
    digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_kms_keys_are_told_apart() {
        let file = KeyringUrl::File("/etc/gorgen.key".into());
        assert_eq!("file:///etc/gorgen.key".parse(), Ok(file));
        for text in [
            "file:///etc/gorgen.key",
            "age:///media/safe/identity.txt",
            "kms:alias/gorgen",
            "kms:1234abcd-12ab-34cd-56ef-1234567890ab",
            "kms:mrk-1234abcd12ab34cd56ef1234567890ab",
            "kms:arn:aws:kms:sa-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            "kms:arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/gorgen",
        ] {
            assert_eq!(text.parse::<KeyringUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_keyring_is_refused_and_not_shown() {
        for text in [
            "",
            "kms:",
            "kms:alias/",
            "kms:gorgen",
            "kms:arn:aws:s3:::x",
            "c2VjcmV0",
            "kms:alias/a b",
            "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq",
        ] {
            assert_eq!(
                text.parse::<KeyringUrl>().unwrap_err().to_string(),
                "expected file:///file, kms:alias/name, kms:<key id>, kms:<key arn>, or age:///identity, got a text of another form",
                "{text:?}"
            );
        }
    }
}
