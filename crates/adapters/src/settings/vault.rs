//! `GORGEN_VAULT`: where backups are kept.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{BadValue, path::file_path};

/// The forms of a vault's URL, as errors show them.
pub(super) const EXPECTED: &str = "file:///folder or s3://bucket/prefix";

/// What tells the region of a bucket that is in another one than AWS's own settings name.
const REGION: &str = "?region=";

/// Where a vault is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultUrl {
    /// A folder.
    Folder(PathBuf),
    /// Part of an S3 bucket.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// What all keys begin with, without a slash at either end; empty for the whole bucket.
        prefix: String,
        /// Its region, if it is not the one that AWS's own settings name.
        region: Option<String>,
    },
}

impl fmt::Display for VaultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "file://{}", path.display()),
            Self::S3 { bucket, prefix, region } => {
                let slash = if prefix.is_empty() { "" } else { "/" };
                write!(f, "s3://{bucket}{slash}{prefix}")?;
                region.iter().try_for_each(|region| write!(f, "{REGION}{region}"))
            }
        }
    }
}

impl FromStr for VaultUrl {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        match text.split_once("://") {
            Some(("file", _)) => file_path(text, EXPECTED).map(Self::Folder),
            Some(("s3", place)) => s3(place),
            // No part of it is shown: another store's URL often holds a password.
            Some((scheme, _)) if is_word(scheme) => {
                Err(bad(format!("one that starts with {scheme}://")))
            }
            _ if text.starts_with('/') => Err(bad("a path without file:// before it")),
            _ => Err(bad("a text that starts otherwise")),
        }
    }
}

fn s3(place: &str) -> Result<VaultUrl, BadValue> {
    // Looked for in all of it: a secret key may hold a slash.
    if place.contains('@') {
        return Err(bad(
            "an S3 address with credentials in it: they belong into AWS's own settings",
        ));
    }
    let (place, region) = match place.split_once(REGION) {
        Some((_, region)) if !is_region(region) => {
            return Err(bad(format!("the region {region:?} (one is written as us-east-1)")));
        }
        Some((place, region)) => (place, Some(region.to_owned())),
        None => (place, None),
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if !is_bucket(bucket) {
        return Err(bad(format!(
            "the bucket {bucket:?} (a bucket's name has 3 to 63 small letters, digits, dots and hyphens)"
        )));
    }
    let prefix = prefix.trim_end_matches('/');
    if !prefix.is_empty() && !prefix.split('/').all(is_key_part) {
        return Err(bad(format!(
            "the prefix {prefix:?} (its parts have letters, digits and any of - _ . ! ' ( ) =, and are not . or ..)"
        )));
    }
    Ok(VaultUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned(), region })
}

fn is_region(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.bytes().all(is_letter)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() < 16 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// As Amazon names them, but for the rarer rules, which S3 itself will tell.
fn is_bucket(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| is_letter(b) || b == b'.' || b == b'-')
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().last().is_some_and(is_letter)
}

/// Without the characters that Amazon advises against in keys.
fn is_key_part(part: &str) -> bool {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.!'()=".contains(&b);
    !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_safe)
}

fn bad(given: impl Into<String>) -> BadValue {
    BadValue::new(EXPECTED, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<VaultUrl>().unwrap_err().to_string()
    }

    #[test]
    fn folders_and_buckets_are_told_apart() {
        let folder = VaultUrl::Folder("/var/backup da clinica".into());
        assert_eq!("file:///var/backup%20da%20clinica".parse(), Ok(folder));
        let s3 = |bucket: &str, prefix: &str| {
            let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
            Ok(VaultUrl::S3 { bucket, prefix, region: None })
        };
        assert_eq!("s3://vault-1".parse(), s3("vault-1", ""));
        assert_eq!("s3://vault-1/".parse(), s3("vault-1", ""));
        assert_eq!("s3://vault-1/a/b=1/".parse(), s3("vault-1", "a/b=1"));
        let region = Some("us-east-1".to_owned());
        let (bucket, prefix) = ("vault-1".to_owned(), "a".to_owned());
        let elsewhere = VaultUrl::S3 { bucket, prefix, region };
        assert_eq!("s3://vault-1/a/?region=us-east-1".parse(), Ok(elsewhere));
        for text in [
            "file:///var/backup",
            "s3://vault-1",
            "s3://vault-1/a/b",
            "s3://vault-1?region=us-east-1",
            "s3://vault-1/a/b?region=us-east-1",
        ] {
            assert_eq!(text.parse::<VaultUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_vault_is_refused_with_a_reason() {
        let expected = "expected file:///folder or s3://bucket/prefix, got ";
        for (text, given) in [
            ("", "a text that starts otherwise"),
            ("/var/backup", "a path without file:// before it"),
            ("https://user:secret@host/x", "one that starts with https://"),
            ("file://backup", "a file:// address whose third slash is missing"),
            ("file:///", "the root folder"),
            (
                "s3://key:secret@bucket/x",
                "an S3 address with credentials in it: they belong into AWS's own settings",
            ),
            (
                "s3://key:sec/ret@bucket/x",
                "an S3 address with credentials in it: they belong into AWS's own settings",
            ),
            ("s3://vault?region=", "the region \"\" (one is written as us-east-1)"),
            (
                "s3://Vault",
                "the bucket \"Vault\" (a bucket's name has 3 to 63 small letters, digits, dots and hyphens)",
            ),
            (
                "s3://vault/a//b",
                "the prefix \"a//b\" (its parts have letters, digits and any of - _ . ! ' ( ) =, and are not . or ..)",
            ),
        ] {
            assert_eq!(refusal(text), format!("{expected}{given}"), "{text:?}");
        }
    }
}
