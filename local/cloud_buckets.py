"""What a template promises of a bucket, in the words of the S3 API, and what S3 says of the bucket.

CloudFormation and S3 spell the same things differently. A property that is not known here is an error, so that nothing
a template promises is left out silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Any

# These stay with CloudFormation, which the emulator honours, or do not change what a bucket keeps.
LEFT_TO_CLOUDFORMATION = {"BucketName", "Tags", "OwnershipControls", "ObjectLockEnabled", "VersioningConfiguration"}
NO_VALUE = (None, {}, [])


class Untranslated(Exception):
    """A template's property that this program cannot put into words of the S3 API."""


@dataclass(frozen=True)
class Feature:
    """Something S3 holds of a bucket: how the template spells it, and how the API reads and writes it."""

    name: str
    property: str
    translate: Callable[[Json], Json]
    put: str
    get: str
    argument: str
    # Whether the emulator's CloudFormation leaves it out.
    dropped: bool = True

    def write(self, s3: Any, bucket: str, value: Json) -> None:
        """Set it."""
        getattr(s3, self.put)(Bucket=bucket, **{self.argument: value})

    def read(self, s3: Any, bucket: str) -> Json:
        """What S3 says."""
        answer = getattr(s3, self.get)(Bucket=bucket)
        answer.pop("ResponseMetadata")
        return answer.get(self.argument, answer)


def object_lock(given: Json) -> Json:
    """Both spell it alike, but for days that may be text."""
    rule = given.get("Rule", {}).get("DefaultRetention", {})
    retention = {key: int(value) if key in ("Days", "Years") else value for key, value in rule.items()}
    return {"ObjectLockEnabled": "Enabled"} | ({"Rule": {"DefaultRetention": retention}} if retention else {})


def encryption(given: Json) -> Json:
    """The rules of default encryption."""
    return {"Rules": [_encryption_rule(rule) for rule in given["ServerSideEncryptionConfiguration"]]}


def _encryption_rule(rule: Mapping[str, Json]) -> Json:
    _know(rule, {"BucketKeyEnabled", "ServerSideEncryptionByDefault"}, "an encryption rule")
    return {
        "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
        "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
    }


def lifecycle(given: Json) -> Json:
    """The rules of a life cycle."""
    return {"Rules": [_lifecycle_rule(rule) for rule in given["Rules"]]}


def _lifecycle_rule(rule: Mapping[str, Json]) -> Json:
    known = {
        "Id",
        "Status",
        "Prefix",
        "AbortIncompleteMultipartUpload",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionTransitions",
        "ExpirationInDays",
        "ExpiredObjectDeleteMarker",
        "Transitions",
    }
    _know(rule, known, "a lifecycle rule")
    made: dict[str, Json] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        made["ID"] = rule["Id"]
    for name in ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"):
        if name in rule:
            made[name] = rule[name]
    if "NoncurrentVersionTransitions" in rule:
        made["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": step["TransitionInDays"], "StorageClass": step["StorageClass"]}
            for step in rule["NoncurrentVersionTransitions"]
        ]
    if "Transitions" in rule:
        made["Transitions"] = [
            {"Days": step["TransitionInDays"], "StorageClass": step["StorageClass"]} for step in rule["Transitions"]
        ]
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in rule:
        made["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    return made


def replication(given: Json) -> Json:
    """Role and rules of replication; only a rule's name is spelled otherwise."""
    rules = [{("ID" if key == "Id" else key): value for key, value in rule.items()} for rule in given["Rules"]]
    return {"Role": given["Role"], "Rules": rules}


def logging(given: Json) -> Json:
    """Where accesses are logged."""
    _know(given, {"DestinationBucketName", "LogFilePrefix"}, "a bucket's logging")
    return {
        "LoggingEnabled": {
            "TargetBucket": given["DestinationBucketName"],
            "TargetPrefix": given.get("LogFilePrefix", ""),
        }
    }


def public_access(given: Json) -> Json:
    """Both spell it alike."""
    return dict(given)


# In the order they must be set: a lock needs versions, and so does replication.
FEATURES = (
    Feature(
        "public access block",
        "PublicAccessBlockConfiguration",
        public_access,
        "put_public_access_block",
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
        dropped=False,
    ),
    Feature(
        "Object Lock",
        "ObjectLockConfiguration",
        object_lock,
        "put_object_lock_configuration",
        "get_object_lock_configuration",
        "ObjectLockConfiguration",
    ),
    Feature(
        "encryption",
        "BucketEncryption",
        encryption,
        "put_bucket_encryption",
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
    ),
    Feature(
        "lifecycle",
        "LifecycleConfiguration",
        lifecycle,
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
    ),
    Feature(
        "access log",
        "LoggingConfiguration",
        logging,
        "put_bucket_logging",
        "get_bucket_logging",
        "BucketLoggingStatus",
    ),
    Feature(
        "replication",
        "ReplicationConfiguration",
        replication,
        "put_bucket_replication",
        "get_bucket_replication",
        "ReplicationConfiguration",
    ),
)


def promises(properties: Mapping[str, Json]) -> dict[str, Json]:
    """What a template's bucket promises, by the name of each feature, in the words of the S3 API."""
    _know(properties, LEFT_TO_CLOUDFORMATION | {feature.property for feature in FEATURES}, "a bucket")
    return {
        feature.name: feature.translate(properties[feature.property])
        for feature in FEATURES
        if properties.get(feature.property) not in NO_VALUE
    }


def _know(given: Mapping[str, Json], known: set[str], what: str) -> None:
    unknown = set(given) - known
    if unknown:
        raise Untranslated(f"{what} has {', '.join(sorted(unknown))}; teach local/cloud_buckets.py what S3 calls it")
