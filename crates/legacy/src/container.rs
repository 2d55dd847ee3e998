//! What is around the JSON of a file: gzip, and around that, but for offline copies, encryption.
//!
//! ```text
//! salt, 32 bytes | IV, 16 bytes | tag, 16 bytes | AES-256-GCM of a gzip stream, to the end
//! ```
//! The key is PBKDF2-HMAC-SHA512 of a password that is the hex of a SHA-256 over the app's JWT secret and the tenant.
//! There is no mark: what begins with gzip's own mark is not encrypted. GCM's IV of 16 bytes is why not `aws-lc-rs`.

use std::{io::Read, num::NonZeroU32, path::Path};

use aes_gcm::{
    AesGcm, KeyInit,
    aead::{AeadInOut, consts::U16},
    aes::Aes256,
};
use aws_lc_rs::{digest, pbkdf2};
use flate2::bufread::GzDecoder;
use zeroize::Zeroizing;

use crate::Error;

/// What the app took for a secret where none was set.
pub const DEFAULT_SECRET: &str = "gorgen-default-secret-change-me";

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ITERATIONS: NonZeroU32 = match NonZeroU32::new(100_000) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};
const SALT: usize = 32;
const IV: usize = 16;
const TAG: usize = 16;

/// The old program held a file as one JavaScript string, of no more than 2^29 characters of up to 3 bytes.
const MOST_JSON: usize = 3 << 29;
/// Rows of clinics shrink to a tenth or a fortieth; what shrinks more, beyond the first megabytes, was made to fill memory.
const MOST_RATIO: usize = 200;
const FREE: usize = 16 << 20;

/// A file, opened.
#[derive(Debug)]
pub struct Opened {
    /// Its name, without folders.
    pub name: String,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Was it the old program's own secret that opened it?
    pub by_default_secret: bool,
    /// The SHA-256 of what is within, compressed and not, by which an incremental file may name it.
    pub(crate) inner_sha256: [String; 2],
    /// Whose it must be, if its key was made for that tenant.
    pub(crate) tenant: Option<String>,
    pub(crate) json: String,
}

/// Opens a file. `tenant` is whose it is, which is needed for one that is encrypted, and `secret` the app's JWT secret.
///
/// # Errors
/// [`Error::DoesNotOpen`] if neither `secret` nor the app's default one opens it; [`Error::Damaged`] if what it holds is
/// not whole.
pub fn open(
    name: &str,
    bytes: &[u8],
    tenant: Option<&str>,
    secret: Option<&str>,
) -> Result<Opened, Error> {
    let file = || name.to_owned();
    let mut opened = Opened {
        name: file(),
        sha256: sha256(bytes),
        by_default_secret: false,
        inner_sha256: [String::new(), String::new()],
        tenant: None,
        json: String::new(),
    };
    let gzip;
    let gzip: &[u8] = if bytes.starts_with(&GZIP) {
        bytes
    } else {
        let sealed = Sealed::of(bytes).ok_or_else(|| Error::NotABackup {
            file: file(),
            why: "it is no gzip file, and too short for an encrypted one",
        })?;
        let tenant = tenant.ok_or_else(|| Error::NoTenant { file: file() })?;
        let secrets =
            secret.into_iter().map(|secret| (secret, false)).chain([(DEFAULT_SECRET, true)]);
        let mut keys = secrets
            .map(|(secret, is_default)| (Key::derive(secret, tenant, sealed.salt), is_default));
        let found = keys.find_map(|(key, is_default)| Some((sealed.open(&key)?, is_default)));
        (gzip, opened.by_default_secret) = found.ok_or_else(|| Error::DoesNotOpen {
            file: file(),
            tenant: tenant.to_owned(),
            has_secret: secret.is_some(),
        })?;
        opened.tenant = Some(tenant.to_owned());
        &gzip
    };
    let json = inflate(gzip).map_err(|what| Error::damaged(name, what))?;
    opened.inner_sha256 = [sha256(gzip), sha256(&json)];
    opened.json =
        String::from_utf8(json).map_err(|_| Error::damaged(name, "its text is not UTF-8"))?;
    Ok(opened)
}

/// The tenant in whose folder a file lies, as `backup/tenant_7/full_...`.
pub fn tenant_in_path(path: &Path) -> Option<String> {
    let folders = path.parent()?.components().rev();
    let names = folders.filter_map(|folder| folder.as_os_str().to_str()?.strip_prefix("tenant_"));
    let is_number =
        |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    names.filter(is_number).map(str::to_owned).next()
}

/// An encrypted file, taken apart.
struct Sealed<'a> {
    salt: &'a [u8; SALT],
    iv: &'a [u8; IV],
    tag: &'a [u8; TAG],
    body: &'a [u8],
}

struct Key(Zeroizing<[u8; 32]>);

impl Key {
    fn derive(secret: &str, tenant: &str, salt: &[u8]) -> Self {
        let words = Zeroizing::new(format!("{secret}-tenant-{tenant}-backup"));
        let password = Zeroizing::new(sha256(words.as_bytes()));
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA512,
            ITERATIONS,
            salt,
            password.as_bytes(),
            &mut *key,
        );
        Self(key)
    }
}

impl<'a> Sealed<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk()?;
        let (iv, rest) = rest.split_first_chunk()?;
        let (tag, body) = rest.split_first_chunk()?;
        (!body.is_empty()).then_some(Self { salt, iv, tag, body })
    }

    /// The content, if it was sealed with this key and is as it was.
    fn open(&self, key: &Key) -> Option<Vec<u8>> {
        let cipher = AesGcm::<Aes256, U16>::new((&*key.0).into());
        let mut content = self.body.to_vec();
        let opened = cipher.decrypt_inout_detached(
            self.iv.into(),
            &[],
            content.as_mut_slice().into(),
            self.tag.into(),
        );
        opened.ok().map(|()| content)
    }
}

/// Decompresses all of it, and nothing that was made to be larger than memory.
fn inflate(gzip: &[u8]) -> Result<Vec<u8>, String> {
    let most = gzip.len().saturating_mul(MOST_RATIO).saturating_add(FREE).min(MOST_JSON);
    let mut stream = GzDecoder::new(gzip).take(most as u64 + 1);
    let mut content = Vec::new();
    let read = stream.read_to_end(&mut content);
    if content.len() > most {
        return Err(format!("it grows beyond {most} bytes when it is decompressed"));
    }
    read.map_err(|_| "what is compressed in it is damaged or cut short".to_owned())?;
    if stream.into_inner().into_inner().is_empty() {
        Ok(content)
    } else {
        Err("something follows what is compressed in it".to_owned())
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(name: &str) -> Vec<u8> {
        let vectors = include_str!("../tests/vectors/vector.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        hex::decode(vectors[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn each_step_gives_what_the_vectors_say() {
        let file = vector("file_hex");
        let sealed = Sealed::of(&file).unwrap();
        assert_eq!(sealed.salt[..], vector("pbkdf2_salt_hex"));
        assert_eq!(sealed.iv[..], vector("iv_hex"));
        let key = Key::derive("test-jwt-secret-0123456789abcdef", "7", sealed.salt);
        assert_eq!(key.0[..], vector("key_hex"));
        assert_eq!(sealed.open(&key).unwrap(), b"gorgen");
        let others =
            [("test-jwt-secret-0123456789abcdeF", "7"), ("test-jwt-secret-0123456789abcdef", "8")];
        for (secret, tenant) in others {
            assert_eq!(sealed.open(&Key::derive(secret, tenant, sealed.salt)), None);
        }
    }

    #[test]
    fn the_folder_tells_whose_a_file_is() {
        let tenant = |path: &str| tenant_in_path(Path::new(path));
        assert_eq!(tenant("backup/tenant_7/full_2026.json.gz.enc").unwrap(), "7");
        assert_eq!(tenant("/a/tenant_1/tenant_12/x/full.json.gz.enc").unwrap(), "12");
        for path in ["full.json.gz.enc", "tenant_7", "tenant_/x", "tenant_7a/x", "my_tenant_7/x"] {
            assert_eq!(tenant(path), None, "{path}");
        }
    }
}
