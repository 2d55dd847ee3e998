//! `GORGEN_OFFLINE_RECIPIENT`: for whom data keys are wrapped besides the keyring.

use age::x25519::Recipient;

use super::BadValue;

/// What is expected, as errors show it.
pub(super) const EXPECTED: &str =
    "a recipient of age, as age-keygen shows it: age1 and 58 letters and digits";

/// How a secret key of age begins.
const SECRET: &str = "AGE-SECRET-KEY-";

/// The recipient. No part of another text is shown: it could be the identity.
pub(super) fn recipient(text: &str) -> Result<Recipient, BadValue> {
    let given = if text.to_uppercase().starts_with(SECRET) {
        "an identity, which is secret and belongs into the safe"
    } else {
        "a text of another form"
    };
    text.parse().map_err(|_| BadValue::new(EXPECTED, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_in_its_place_is_not_shown() {
        let identity = age::x25519::Identity::generate();
        let public = identity.to_public();
        assert_eq!(recipient(&public.to_string()), Ok(public.clone()));
        let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        for (text, given) in [
            (secret.as_str(), "an identity, which is secret and belongs into the safe"),
            (&secret.to_lowercase(), "an identity, which is secret and belongs into the safe"),
            (&public.to_string()[1..], "a text of another form"),
            ("age1xyz", "a text of another form"),
        ] {
            let error = recipient(text).unwrap_err().to_string();
            assert_eq!(error, format!("expected {EXPECTED}, got {given}"));
        }
    }
}
