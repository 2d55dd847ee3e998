"""The authorities that are compiled in for Amazon RDS are what they are said to be."""

import datetime

from cryptography import x509
from rds_roots import NAME, PEM, VALID_UNTIL, certificates, common_name

REGIONS = ("sa-east-1", "us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
WRITTEN = datetime.datetime(2026, 11, 23, tzinfo=datetime.timezone.utc)


def test_each_is_an_authority_of_rds_and_valid() -> None:
    found = certificates(PEM.read_text())
    assert len(found) == PEM.read_text().count("BEGIN CERTIFICATE") > 70
    for certificate in found:
        name = common_name(certificate)
        assert NAME.fullmatch(name), name
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical and constraints.value.ca, name
        certificate.verify_directly_issued_by(certificate)
        assert certificate.not_valid_before_utc < WRITTEN, name
        assert certificate.not_valid_after_utc > VALID_UNTIL, name


def test_each_region_has_one_of_each_kind() -> None:
    names = [common_name(certificate) for certificate in certificates(PEM.read_text())]
    assert len(set(names)) == len(names)
    for region in REGIONS:
        for kind in ("RSA2048", "RSA4096", "ECC384"):
            assert f"Amazon RDS {region} Root CA {kind} G1" in names
