//! `GORGEN_DATABASE_SECRET`: which secret of AWS Secrets Manager holds a database's account.

use std::{fmt, str::FromStr};

use super::BadValue;

/// The forms of a secret's name, as errors show them.
pub(super) const EXPECTED: &str = "the ARN or the name of a secret in AWS Secrets Manager";

/// AWS's limit on names.
const LONGEST_NAME: usize = 512;

/// The ARN or the name of a secret; no secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretName(String);

impl SecretName {
    /// As AWS takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SecretName {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        let name = match text.strip_prefix("arn:") {
            Some(rest) => name_in_arn(rest),
            None => Some(text),
        };
        match name {
            Some(name) if is_name(name) => Ok(Self(text.to_owned())),
            // No part is shown: it could be the secret's content that was pasted into the wrong place.
            _ => Err(BadValue::new(EXPECTED, "a text of another form")),
        }
    }
}

/// What follows `arn:`: `<partition>:secretsmanager:<region>:<account>:secret:<name>`.
fn name_in_arn(rest: &str) -> Option<&str> {
    match rest.split(':').collect::<Vec<_>>()[..] {
        [partition, "secretsmanager", region, account, "secret", name] => {
            let parts_given = ![partition, region, account].iter().any(|part| part.is_empty());
            parts_given.then_some(name)
        }
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    // The names of secrets that RDS makes begin with `rds!`.
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&b);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_and_names_are_taken_and_nothing_else_is_shown() {
        let arn = "arn:aws:secretsmanager:sa-east-1:123456789012:secret:gorgen/db-a1B2c3";
        for text in [arn, "gorgen/db", "rds!db-0f1e", "gorgen+x=1.@_"] {
            assert_eq!(text.parse::<SecretName>().unwrap().as_str(), text);
        }
        for text in [
            "{\"username\":\"gorgen\",\"password\":\"segredo\"}",
            "mysql://gorgen:segredo@db/clinica",
            "arn:aws:secretsmanager:sa-east-1::secret:segredo",
            "arn:aws:kms:sa-east-1:123456789012:key/segredo",
            "segredo segredo",
        ] {
            assert_eq!(
                text.parse::<SecretName>().unwrap_err().to_string(),
                format!("expected {EXPECTED}, got a text of another form")
            );
        }
    }
}
