//! Identifiers, each with one spelling, checked when parsed.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Scope;

/// A text that is no identifier of the kind that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id: {given:?} (expected {expected})")]
pub struct ParseIdError {
    kind: &'static str,
    given: String,
    expected: &'static str,
}

impl ParseIdError {
    pub(super) fn scope(given: &str) -> Self {
        Self { kind: "scope", given: given.to_owned(), expected: "shared, or t- and a tenant" }
    }
}

/// Serde through `Display` and `FromStr`, so that an id has one spelling everywhere.
macro_rules! text_serde {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

/// One execution of a job, and the backup it made: `20261123T060000Z-4f2a91c3`, sorted by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The id of a run that starts at `now`; `random` keeps two runs of one second apart.
    pub fn new(now: Timestamp, random: [u8; 4]) -> Self {
        Self(format!("{}-{}", stamp(now), hex::encode(random)))
    }

    /// The same, but greater than `newest`: later by a second, if the clock has not moved on since.
    pub fn after(newest: Option<&Self>, now: Timestamp, random: [u8; 4]) -> Self {
        let next = newest
            .and_then(Self::started)
            .and_then(|started| started.checked_add(SignedDuration::from_secs(1)).ok());
        Self::new(next.map_or(now, |next| next.max(now)), random)
    }

    /// When the run started, to the second; later than it did if another had just begun ([`Self::after`]).
    pub fn started(&self) -> Option<Timestamp> {
        parse_stamp(&self.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_stamped(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError {
                kind: "backup or run",
                given: text.to_owned(),
                expected: "the form 20261123T060000Z-4f2a91c3",
            })
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(RunId);

/// One pack: the run that wrote it and its number within that run, `<run id>-000001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackId {
    run: RunId,
    number: u32,
}

impl PackId {
    /// The greatest number that six digits hold.
    pub const MOST: u32 = 999_999;

    /// The pack `number` of `run`.
    pub fn new(run: RunId, number: u32) -> Self {
        Self { run, number }
    }

    /// The run that wrote the pack.
    pub fn run(&self) -> &RunId {
        &self.run
    }
}

impl FromStr for PackId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (run, number) = text.rsplit_once('-')?;
            let digits = number.len() == 6 && number.bytes().all(|b| b.is_ascii_digit());
            let number = digits.then(|| number.parse().ok()).flatten()?;
            Some(Self::new(run.parse().ok()?, number))
        };
        parse().ok_or_else(|| ParseIdError {
            kind: "pack",
            given: text.to_owned(),
            expected: "the form 20261123T060000Z-4f2a91c3-000001",
        })
    }
}

impl fmt::Display for PackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.run, self.number)
    }
}

text_serde!(PackId);

/// A chunk's name: the first 16 bytes of a keyed hash of its rows, 32 hex digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId([u8; 16]);

impl ChunkId {
    /// The id made of these bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl FromStr for ChunkId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex16(text).map(Self).ok_or_else(|| ParseIdError {
            kind: "chunk",
            given: text.to_owned(),
            expected: "32 lower-case hex digits",
        })
    }
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkId({self})")
    }
}

text_serde!(ChunkId);

/// A vault's own name, drawn at random when it is made; bound into every seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VaultId([u8; 16]);

impl VaultId {
    /// The id made of these random bytes.
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }
}

impl FromStr for VaultId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        hex16(text).map(Self).ok_or_else(|| ParseIdError {
            kind: "vault",
            given: text.to_owned(),
            expected: "32 lower-case hex digits",
        })
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

text_serde!(VaultId);

/// What a data key is for. Part of its id and of what KMS authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPurpose {
    /// Seals manifests and the tables of contents of packs; opens no row.
    Manifest,
    /// Seals the rows of one scope.
    Rows,
    /// Names the chunks of one scope (keyed hash); never changes, seals nothing.
    Naming,
}

impl KeyPurpose {
    /// The word used in ids, in the encryption context and in docs/format.md.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Rows => "rows",
            Self::Naming => "naming",
        }
    }
}

/// One data key: `<purpose>.<scope>.<time>-<random>`, e.g. `rows.t-7.20261101T060000Z-4f2a91c3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    purpose: KeyPurpose,
    scope: Scope,
    stamp: String,
}

impl KeyId {
    /// The id of a key made at `now`.
    pub fn new(purpose: KeyPurpose, scope: Scope, now: Timestamp, random: [u8; 4]) -> Self {
        let stamp = format!("{}-{}", stamp(now), hex::encode(random));
        Self { purpose, scope, stamp }
    }

    /// What the key is for.
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// Whose rows the key is for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// When the key was made, to the second.
    pub fn created(&self) -> Option<Timestamp> {
        parse_stamp(&self.stamp)
    }
}

impl FromStr for KeyId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.split('.');
            let purpose = match parts.next()? {
                "manifest" => KeyPurpose::Manifest,
                "rows" => KeyPurpose::Rows,
                "naming" => KeyPurpose::Naming,
                _ => return None,
            };
            let scope = parts.next()?.parse().ok()?;
            let stamp = parts.next().filter(|s| is_stamped(s))?.to_owned();
            parts.next().is_none().then_some(Self { purpose, scope, stamp })
        };
        parse().ok_or_else(|| ParseIdError {
            kind: "key",
            given: text.to_owned(),
            expected: "the form rows.shared.20261101T060000Z-4f2a91c3",
        })
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.purpose.as_str(), self.scope, self.stamp)
    }
}

text_serde!(KeyId);

const STAMP_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const STAMP_LEN: usize = "20261123T060000Z".len();

fn stamp(at: Timestamp) -> String {
    at.strftime(STAMP_FORMAT).to_string()
}

fn parse_stamp(text: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime(STAMP_FORMAT, text.get(..STAMP_LEN)?).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// `<stamp>-<8 hex digits>`
fn is_stamped(text: &str) -> bool {
    parse_stamp(text).is_some()
        && text
            .get(STAMP_LEN..)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|random| random.len() == 8 && is_lower_hex(random))
}

fn hex16(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    (is_lower_hex(text) && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ids_have_one_spelling() {
        let run = RunId::new(at("2026-11-23T06:00:00Z"), [0x4f, 0x2a, 0x91, 0xc3]);
        assert_eq!(run.to_string(), "20261123T060000Z-4f2a91c3");
        assert_eq!(run.to_string().parse(), Ok(run.clone()));
        assert_eq!(run.started(), Some(at("2026-11-23T06:00:00Z")));

        let pack = PackId::new(run, 12);
        assert_eq!(pack.to_string(), "20261123T060000Z-4f2a91c3-000012");
        assert_eq!(pack.to_string().parse(), Ok(pack));

        let key = KeyId::new(
            KeyPurpose::Rows,
            Scope::tenant("7.a/b"),
            at("2026-11-01T00:00:00Z"),
            [0; 4],
        );
        assert_eq!(key.to_string(), "rows.t-7%2Ea%2Fb.20261101T000000Z-00000000");
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn ids_of_backups_grow_whatever_the_clock_says() {
        let (now, early) = (at("2026-11-23T06:00:00.9Z"), at("2026-11-23T05:00:00Z"));
        let newest = RunId::new(now, [0xff; 4]);
        let next = RunId::after(Some(&newest), now, [0; 4]);
        assert_eq!(next.to_string(), "20261123T060001Z-00000000");
        assert!(RunId::after(Some(&next), early, [0; 4]) > next, "a clock that was set back");
        let later = at("2026-11-23T07:00:00Z");
        assert_eq!(RunId::after(Some(&next), later, [0; 4]).started(), Some(later));
        assert_eq!(RunId::after(None, later, [0; 4]).started(), Some(later));
    }

    #[test]
    fn what_is_no_id_is_refused_by_name() {
        for text in ["", "latest", "../x", "20261123T060000Z", "20261323T060000Z-4f2a91c3"] {
            assert!(text.parse::<RunId>().is_err(), "{text:?}");
        }
        let message = "x".parse::<RunId>().unwrap_err().to_string();
        assert_eq!(
            message,
            "not a backup or run id: \"x\" (expected the form 20261123T060000Z-4f2a91c3)"
        );
        assert!("AB".repeat(16).parse::<ChunkId>().is_err());
        assert!("rows.t-7".parse::<KeyId>().is_err());
    }
}
