"""An OpenID Connect issuer for the local cloud, in the place of a user pool: its tokens say whatever the holder of its key likes.

It serves what an authorizer asks for, the discovery document and the public key, as files. The private key stays in a folder that
only this user reads; `Tokens` makes tokens with it.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from folders import STATE
from server import Server

AUDIENCE = "gorgen-demo"
# Where Cognito puts groups, and the function `api` looks for roles unless told otherwise.
ROLE_CLAIM = "cognito:groups"
ADMIN, MASTER = "admin", "admin_master"
LIFETIME_SECONDS = 12 * 3600
KEY_ID = "local"
KEY_BITS = 2048


@dataclass(frozen=True)
class Tokens:
    """Makes tokens of an issuer."""

    issuer: str
    key_file: str

    def token(self, *roles: str, subject: str = "maria", lifetime: int = LIFETIME_SECONDS, **claims: Any) -> str:
        """A token for somebody with these roles; `claims` replace those it would have, or take them out (`None`)."""
        # A second ago, as the two clocks of an authorizer and of an issuer differ.
        now = int(time.time()) - 1
        said = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "email": f"{subject}@clinica.example",
            "iat": now,
            "exp": now + lifetime,
            ROLE_CLAIM: list(roles),
        } | claims
        return sign({key: value for key, value in said.items() if value is not None}, self._key())

    def _key(self) -> rsa.RSAPrivateKey:
        key = serialization.load_pem_private_key(Path(self.key_file).read_bytes(), password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key


def sign(claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    """The token that makes these claims (RFC 7519, RS256)."""
    header = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
    text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{_base64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def new_key() -> rsa.RSAPrivateKey:
    """A key that nobody has seen."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)


class Issuer(Server):
    """The issuer's web server on a free port."""

    name = "issuer"

    def __init__(self, state: Path = STATE) -> None:
        super().__init__(state)
        self.url = f"http://127.0.0.1:{self.port}"
        self._served = self.folder / "served"
        self._key_file = self.folder / "key.pem"

    @property
    def tokens(self) -> Tokens:
        """What makes its tokens."""
        return Tokens(self.url, str(self._key_file))

    def prepare(self) -> None:
        key = new_key()
        self._key_file.touch(0o600)
        self._key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        well_known = self._served / ".well-known"
        well_known.mkdir(parents=True)
        (well_known / "openid-configuration").write_text(json.dumps(self._discovery()), "utf-8")
        (well_known / "jwks.json").write_text(json.dumps({"keys": [_public(key)]}), "utf-8")

    def command(self) -> Sequence[str]:
        served = ("--bind", "127.0.0.1", "--directory", str(self._served), str(self.port))
        return [sys.executable, "-m", "http.server", *served]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/.well-known/jwks.json",
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        }


def _public(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public half of a key (RFC 7517)."""
    numbers = key.public_key().public_numbers()
    number = {name: _base64(value.to_bytes((value.bit_length() + 7) // 8)) for name, value in (("n", numbers.n), ("e", numbers.e))}
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID} | number


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
