//! What to do about what stands in a job's way: the same words from a job that failed and from `doctor`.

use crate::ports::SourceError;

pub(super) const OF_DATABASE: &str = "see that the server runs, that host and port in GORGEN_DATABASE_URL are right, \
    and that no firewall or security group stands between it and this machine";

/// A missing privilege is the likeliest reason; the server's own words stand before it.
pub(super) const OF_REFUSAL: &str = "`gorgen-backup doctor` names every privilege that the account lacks, and the \
    statements that grant them";

/// For a month without a page, or with one that can't be shown.
pub(super) const OF_REPORT: &str = "`gorgen-backup report --month` tells the month again from its records, and keeps it with a new page";

pub(super) const OF_LOST_IDENTITY: &str =
    "bring vault.json back from a copy of the vault: without it no backup is opened";

/// What to do about a database that does not answer as it should.
pub(super) fn of_source(error: &SourceError) -> Option<&'static str> {
    Some(match error {
        SourceError::Unreachable { .. } => OF_DATABASE,
        SourceError::Tls { .. } => {
            "trust the authority that signed the server's certificate with ?ca=/file.pem (on Amazon RDS ?ca=rds) in \
             GORGEN_DATABASE_URL, and name the host there as the certificate does; on a network that nobody else can read, ?tls=off"
        }
        SourceError::Credentials { .. } => {
            "see that AWS credentials are set and not expired, and the region too"
        }
        SourceError::Login { .. } => {
            "check user and password in GORGEN_DATABASE_URL (special characters as % and two hex digits) or in its \
             secret, and that the account may come from this machine; with auth=rds-iam, that IAM allows rds-db:connect \
             for it"
        }
        SourceError::NoDatabase { .. } => {
            "check the database's name in GORGEN_DATABASE_URL; if it is right, grant the account SELECT on it, or make a \
             role that has it the account's default role"
        }
        SourceError::Refused { .. } => OF_REFUSAL,
        SourceError::DefinitionChanged { .. } | SourceError::Unexpected { .. } => return None,
    })
}

/// What to do about a vault, given as settings name it, that can't be read or written.
pub(super) fn of_vault(vault: &str) -> &'static str {
    if vault.starts_with("s3:") {
        "see that the bucket in GORGEN_VAULT exists in this region, that AWS credentials are set and not expired, and \
         that they allow s3:ListBucket, s3:GetObject and s3:PutObject there"
    } else {
        "see that the folder in GORGEN_VAULT is right and its disk mounted and not full, and that this account may \
         read and write it"
    }
}

/// What to do about a keyring, given as settings name it, that can't be used.
pub(super) fn of_keyring(keyring: &str) -> Option<&'static str> {
    keyring.starts_with("kms:").then_some(
        "see that the key in GORGEN_KEYRING exists in this region and is enabled, that AWS credentials are set and not \
         expired, and that they allow kms:GenerateDataKey and kms:Decrypt with it",
    )
}
