#!/usr/bin/env python3
"""Opens a gorgen-backup vault without gorgen-backup, and writes what it holds as SQL or as tables of text.

This is for the day when nothing else is left: one file, Python 3.9 or newer, and two packages.

    python3 -m pip install cryptography zstandard blake3     (and boto3, for s3:// and kms: only)

It works without the third, blake3, but then says that chunks were not compared with their names.

What you need is the vault (a folder, or a bucket) and what opens its keys: the key file, the identity of age from the
safe (with the package pyrage, or the program age), or the right to use the KMS key. Then:

    python3 recover.py list  --vault file:///mnt/safe/clinic
    python3 recover.py write latest --vault file:///mnt/safe/clinic --keyring file:///mnt/usb/clinic.key --to out
    cat out/*.sql | mariadb --binary-mode --comments --max-allowed-packet=1G new_database

`--vault` is file:///folder or s3://bucket/prefix. `--keyring` is file:///key.file, age:///identity.txt,
kms:<key arn>, kms:<key id> or kms:alias/<name>; AWS takes its credentials and region as its own tools do. Both can come
from the environment instead, as GORGEN_VAULT and GORGEN_KEYRING. `list` needs no key.

`--format sql` (the usual one) writes numbered files: sequences, one file a table with its definition and its rows,
then routines, triggers, events and views. Load them in that order into an EMPTY database, with the `mariadb` or the
`mysql` client and the three options above: without --binary-mode a client changes line breaks, without --comments it
drops comments inside routines. Each table's file also loads by itself. `--to -` writes all of it to stdout instead,
for a pipe into the client. What may stop a load:
  - a row larger than the server's max_allowed_packet (binary values take twice their size): raise it
  - MySQL's sql_require_primary_key and sql_generate_invisible_primary_key: set both to OFF while loading
  - users that triggers, views and routines run as, and that do not exist any more: --strip-definers
  - a view that was broken in the source: views come last, and the client's --force goes on

`--format tsv` writes one file a table for people and spreadsheets: UTF-8, a line of column names, then the rows, values
separated by tabs; \\N is NULL; \\t \\n \\r \\0 \\\\ stand for themselves; binary, bit and geometry values are hex
digits, and so is the rare text that its character set does not explain.

Every byte is authenticated before it is used, every chunk is compared with its name, every table's rows are counted.
Damage is an error that names the object, and exit status 3; --keep-going goes on with the other chunks and tables, and
marks the files that lack something as `.incomplete`. Memory stays at some chunks, whatever the size of the database.

Exit status: 0 all was read and all of it was right; 1 failed (wrong key, no access, disk full); 2 wrong usage;
3 damage was found.

How all this is stored is described in format.md, beside this file. Nothing is ever written to the vault.
"""

from __future__ import annotations

import argparse
import base64
import codecs
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional, Tuple
from urllib.parse import quote, unquote, urlsplit

try:
    import zstandard
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError as missing:
    sys.exit(f"recover.py: {missing}; run: python3 -m pip install cryptography zstandard blake3")

blake3: Any
try:
    import blake3
except ImportError:
    blake3 = None  # Seals are bound to the names of chunks: what is lacking is a second proof.

pyrage: Any
try:
    import pyrage
except ImportError:
    pyrage = None  # The program `age` does as well.

FORMAT = 1

RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")
KEY_ID = re.compile(r"(manifest|rows|naming)\.(shared|t-[A-Za-z0-9_%-]*)\." + RUN_ID.pattern)

# A row of a chunk: its values as stored, None for NULL.
Row = List[Optional[bytes]]
# How the values of one column are written.
Spelling = Callable[[bytes], bytes]


class Damage(Exception):
    """An object of the vault is missing, or is not what was written. Exit status 3."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")


class Failure(Exception):
    """It could not be done, and the vault is not to blame. Exit status 1."""


class Erased(Exception):
    """A data key that somebody wanted gone: what it sealed is no loss, and can't be read again."""

    def __init__(self, key_id: str, at: str) -> None:
        super().__init__(f"key {key_id} was erased at {at}")
        self.at = at


class Usage(Exception):
    """The command line can't be meant like this. Exit status 2."""


class Recovery:
    """What was found to be damaged, and whether to go on nevertheless."""

    def __init__(self, keep_going: bool) -> None:
        self.keep_going = keep_going
        self.losses: List[str] = []

    def lose(self, damage: Damage, consequence: str) -> str:
        """Notes damage, or gives up."""
        if not self.keep_going:
            raise damage
        loss = f"{damage} ({consequence})"
        self.losses.append(loss)
        say(f"DAMAGE {loss}")
        return loss


# --- The vault: named objects -----------------------------------------------------------------------------------------


class Folder:
    """A vault in a folder: each object is the file of its name."""

    def __init__(self, path: str) -> None:
        self.root = Path(path)
        if not self.root.is_dir():
            raise Usage(f"there is no folder {path}")

    def names(self, prefix: str) -> List[str]:
        """The names that start with `prefix`, which ends in a slash; those with a dot are a writer's own."""
        folder = self.root / prefix
        found = folder.iterdir() if folder.is_dir() else iter(())
        return sorted(prefix + file.name for file in found if not file.name.startswith("."))

    def read(self, name: str, start: int = 0, length: int = -1) -> bytes:
        """An object, or `length` bytes of it."""
        try:
            with open(self.root / name, "rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError:
            raise Damage(name, "missing") from None


class Bucket:
    """A vault in S3: each object's key is the prefix, a slash, and its name."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self.bucket = bucket
        self.prefix = prefix + "/" if prefix else ""
        self.client = aws_client("s3")

    def names(self, prefix: str) -> List[str]:
        """The names that start with `prefix`."""
        with aws_errors("list the bucket"):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return sorted(key[len(self.prefix) :] for key in keys)

    def read(self, name: str, start: int = 0, length: int = -1) -> bytes:
        """An object, or `length` bytes of it."""
        span = {} if length < 0 else {"Range": f"bytes={start}-{start + length - 1}"}
        with aws_errors(f"read {name}", name):
            content: bytes = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name, **span)["Body"].read()
        return content


def open_vault(url: str) -> Any:
    """The vault at this address."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return Folder(unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        return Bucket(parts.netloc, parts.path.strip("/"))
    raise Usage("--vault must be file:///folder or s3://bucket/prefix")


def aws_client(service: str, region: Optional[str] = None) -> Any:
    """A client of AWS, configured as AWS's own tools are."""
    try:
        import boto3
    except ImportError:
        raise Failure("s3:// and kms: need boto3; run: python3 -m pip install boto3") from None
    with aws_errors("connect to AWS"):
        return boto3.client(service, region_name=region)


@contextlib.contextmanager
def aws_errors(action: str, name: Optional[str] = None) -> Iterator[None]:
    """Turns the errors of AWS into ours: an object that is not there, or cut short, is damage."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if name and code in ("NoSuchKey", "404"):
            raise Damage(name, "missing") from None
        if name and code in ("InvalidRange", "416"):
            raise Damage(name, "cut short") from None
        raise Failure(f"cannot {action}: {error}") from None
    except BotoCoreError as error:
        raise Failure(f"cannot {action}: {error}") from None


# --- Records: JSON with the SHA-256 of its own bytes ------------------------------------------------------------------


def read_record(vault: Any, name: str) -> Dict[str, Any]:
    """Reads `{"sha256": "...", "record": {...}}` and checks digest and format version."""
    text = vault.read(name)
    try:
        values = raw_values(text.decode("utf-8"))
        digest, record = json.loads(values["sha256"]), values["record"]
    except (ValueError, KeyError):
        raise Damage(name, "not a record") from None
    if hashlib.sha256(record.encode("utf-8")).hexdigest() != digest:
        raise Damage(name, "the record's digest does not match its content")
    content: Dict[str, Any] = json.loads(record)
    check_format(name, content)
    return content


def raw_values(text: str) -> Dict[str, str]:
    """The members of a JSON object, each as the very text that stands there: digests are taken over that."""
    decoder, space, values = json.JSONDecoder(), re.compile(r"[ \t\r\n]*"), {}

    def skip(at: int, mark: str = "") -> int:
        end = space.match(text, at).end()  # type: ignore[union-attr]
        if not text.startswith(mark, end):
            raise ValueError(f"no {mark}")
        return end + len(mark)

    at, mark = 0, "{"
    while True:
        at = skip(at, mark)
        key, at = decoder.raw_decode(text, skip(at))
        start = skip(skip(at, ":"))
        _, at = decoder.raw_decode(text, start)
        values[str(key)] = text[start:at]
        mark = ","
        if text.startswith("}", skip(at)):
            break
    if skip(skip(at, "}")) != len(text):
        raise ValueError("something follows")
    return values


def check_format(name: str, record: Dict[str, Any]) -> None:
    """Refuses what a later version of the format may mean differently."""
    if record.get("format") != FORMAT:
        raise Damage(name, f"format version {record.get('format')}; this script reads version {FORMAT}")


# --- Keys -------------------------------------------------------------------------------------------------------------


class KeyFile:
    """A keyring in a file: one key that wraps the data keys."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            content = json.loads(Path(path).read_bytes())
            key = base64.b64decode(content["key"], validate=True)
            self.id, version = str(content["id"]), content["format"]
        except OSError as error:
            raise Failure(f"cannot read the key file: {error}") from None
        except (ValueError, KeyError, TypeError):
            # The reason could show a part of the key.
            raise Failure(f"{path} is no key file, or damaged") from None
        if version != FORMAT:
            raise Failure(f"{path} is a key file of format {version}; this script reads {FORMAT}")
        if len(key) != 32 or hmac_16(key, b"gorgen-backup:1:key-file")[:8].hex() != self.id:
            raise Failure(f"{path} is damaged: its key is not the one of its id")
        self.cipher = AESGCM(key)

    def __str__(self) -> str:
        return f"key file {self.id}"

    def opens(self, wrapping: Dict[str, str]) -> bool:
        """Is this wrapping for us?"""
        return wrapping["by"] == "file" and wrapping["wrapping_key"] == self.id

    def unwrap(self, wrapping: Dict[str, str], context: Dict[str, str]) -> bytes:
        """The data key. The context is authenticated with it, so that a key can't be passed off as another."""
        lines = ["gorgen-backup:1:wrapped-key", self.id]
        lines += [f"{name}={value}" for name, value in sorted(context.items())]
        sealed = base64.b64decode(wrapping["ciphertext"], validate=True)
        return bytes(self.cipher.decrypt(sealed[:12], sealed[12:], "\n".join(lines).encode()))


class Kms:
    """A keyring in AWS KMS. Each wrapping says which key made it; what is given here says in which region to ask."""

    def __init__(self, key: str) -> None:
        self.name = f"kms:{key}"
        self.client = aws_client("kms", key.split(":")[3] if key.startswith("arn:") else None)

    def __str__(self) -> str:
        return self.name

    def opens(self, wrapping: Dict[str, str]) -> bool:
        """Is this wrapping for KMS?"""
        return wrapping["by"] == "kms"

    def unwrap(self, wrapping: Dict[str, str], context: Dict[str, str]) -> bytes:
        """The data key, opened by KMS under the encryption context it was made with."""
        sealed, opener = base64.b64decode(wrapping["ciphertext"], validate=True), self._opener(wrapping["wrapping_key"])
        with aws_errors(f"open {context['gorgen:key']} with {self}"):
            answer = self.client.decrypt(CiphertextBlob=sealed, KeyId=opener, EncryptionContext=context)
        key: bytes = answer["Plaintext"]
        return key

    def _opener(self, arn: str) -> str:
        """The key that made the wrapping; of a multi-Region key, its replica where we are, which opens the same."""
        parts = arn.split(":")
        if len(parts) == 6 and parts[5].startswith("key/mrk-"):
            parts[3] = self.client.meta.region_name
        return ":".join(parts)


class Identity:
    """An identity of age, kept in a safe. It is used by the package pyrage, or else by the program `age`."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            lines = Path(path).read_text("ascii", "replace").split("\n")
        except OSError as error:
            raise Failure(f"cannot read the identity: {error}") from None
        if pyrage is None and shutil.which("age") is None:
            raise Failure("age:// needs the package pyrage (python3 -m pip install pyrage), or the program age")
        try:
            if pyrage is None:
                self.recipients = self._age("age-keygen", "-y", path).decode("ascii").split()
            else:
                secrets = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
                self.identities = [pyrage.x25519.Identity.from_str(secret) for secret in secrets]
                self.recipients = [str(identity.to_public()) for identity in self.identities]
        except (ValueError, getattr(pyrage, "IdentityError", ValueError)):
            # The reason could show a part of the secret.
            raise Failure(f"{path} holds no identity of age, or an encrypted one: age --decrypt it first") from None

    def __str__(self) -> str:
        return f"identity of {', '.join(self.recipients)}"

    def opens(self, wrapping: Dict[str, str]) -> bool:
        """Is this wrapping for us?"""
        return wrapping["by"] == "age" and wrapping["wrapping_key"] in self.recipients

    def unwrap(self, wrapping: Dict[str, str], context: Dict[str, str]) -> bytes:
        """The data key. age binds a file to nothing, so the text in it says what it is for."""
        sealed = base64.b64decode(wrapping["ciphertext"], validate=True)
        lines = ["gorgen-backup:1:wrapped-key", wrapping["wrapping_key"]]
        lines += [f"{name}={value}" for name, value in sorted(context.items())]
        *bound, key, end = self._decrypted(sealed).decode("ascii").split("\n")
        if bound != lines or end != "":
            raise ValueError
        return base64.b64decode(key, validate=True)

    def _decrypted(self, sealed: bytes) -> bytes:
        if pyrage is None:
            return self._age("age", "--decrypt", "--identity", self.path, given=sealed)
        try:
            return bytes(pyrage.decrypt(sealed, self.identities))
        except pyrage.DecryptError:
            raise ValueError from None

    def _age(self, *command: str, given: bytes = b"") -> bytes:
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise ValueError
        return done.stdout


def open_keyring(url: Optional[str]) -> Any:
    """The keyring at this address."""
    parts = urlsplit(url or "")
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return KeyFile(unquote(parts.path))
    if parts.scheme == "age" and not parts.netloc and parts.path:
        return Identity(unquote(parts.path))
    if url and url.startswith("kms:") and len(url) > len("kms:"):
        return Kms(url[len("kms:") :])
    raise Usage("--keyring (or GORGEN_KEYRING) must be file:///key.file, age:///identity, kms:<key arn>, kms:<key id> or kms:alias/<..>")


class Keys:
    """The data keys of a vault, each unwrapped once."""

    def __init__(self, vault: Any, vault_id: str, keyring: Any, recovery: Recovery) -> None:
        self.vault, self.vault_id, self.keyring, self.recovery = vault, vault_id, keyring, recovery
        self.opened: Dict[str, bytes] = {}
        self.naming: Dict[str, List[bytes]] = {}

    def get(self, key_id: str, purpose: str) -> bytes:
        """The data key of this id. Its purpose is a part of the id: a key made to name chunks seals nothing."""
        form = KEY_ID.fullmatch(key_id)
        if not form or form[1] != purpose:
            raise Damage(f"keys/{key_id}.json", f"not the name of a key for {purpose}")
        if key_id not in self.opened:
            self.opened[key_id] = self._open(key_id)
        return self.opened[key_id]

    def _open(self, key_id: str) -> bytes:
        name = f"keys/{key_id}.json"
        record = read_record(self.vault, name)
        if record.get("key") != key_id or record.get("vault") != self.vault_id:
            raise Damage(name, "this is the record of another key or vault")
        if record.get("erased"):
            raise Erased(key_id, record["erased"]["at"])
        context = {
            "gorgen:key": key_id,
            "gorgen:purpose": key_id.partition(".")[0],
            "gorgen:vault": self.vault_id,
        }
        # Each wrapping is enough, and of two keys of KMS one may be gone.
        failure: Exception = self._not_ours(key_id, record["wrapped"])
        for wrapping in filter(self.keyring.opens, record["wrapped"]):
            try:
                return self._unwrapped(wrapping, context, name, record["check"])
            except (Damage, Failure) as error:
                failure = error
        raise failure

    def _unwrapped(self, wrapping: Dict[str, str], context: Dict[str, str], name: str, expected: str) -> bytes:
        try:
            key = bytes(self.keyring.unwrap(wrapping, context))
        except (InvalidTag, ValueError):
            raise Damage(name, f"does not open with {self.keyring}") from None
        # KMS is not trusted to tell a wrong key from the right one: the record holds a check for it.
        check = hmac_16(key, f"gorgen-backup:1:key-check:{context['gorgen:key']}".encode())
        if len(key) != 32 or not hmac.compare_digest(check.hex(), expected):
            raise Damage(name, f"{self.keyring} opens it as another key than the one that was made")
        return key

    def _not_ours(self, key_id: str, wrappings: List[Dict[str, str]]) -> Failure:
        known = ", ".join(f"{wrapping['by']}:{wrapping['wrapping_key']}" for wrapping in wrappings)
        return Failure(f"wrong key: data key {key_id} is wrapped for {known}, and you gave {self.keyring}")

    def check_name(self, chunk: str, scope: str, rows: bytes, name: str) -> None:
        """Compares rows with their chunk's name: a keyed hash, under a naming key of their scope."""
        if blake3 is None:
            return
        if scope not in self.naming:
            self.naming[scope] = self._naming(scope)
        keys = self.naming[scope]
        if keys and not any(name_of(key, rows) == chunk for key in keys):
            raise Damage(name, f"chunk {chunk} holds other rows than its name says")

    def _naming(self, scope: str) -> List[bytes]:
        """The naming keys of a scope: one, or more if two writers ever made the first one at the same moment."""
        starts = f"keys/naming.{scope}."
        names = [name for name in self.vault.names("keys/") if name.startswith(starts) and name.endswith(".json")]
        try:
            if not names:
                raise Damage(f"{starts}*.json", "missing")
            keys = []
            for name in names:
                with contextlib.suppress(Erased):
                    keys.append(self.get(name[len("keys/") : -len(".json")], "naming"))
            return keys
        except Damage as damage:
            # Nothing is lost by it: the seal is bound to the name as well.
            self.recovery.lose(damage, f"chunks of scope {scope} cannot be compared with their names")
            return []


def hmac_16(key: bytes, text: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA-256."""
    return hmac.new(key, text, hashlib.sha256).digest()[:16]


def name_of(key: bytes, rows: bytes) -> str:
    """The name of a chunk of these rows: the first 16 bytes of keyed BLAKE3."""
    return str(blake3.blake3(rows, key=key).digest()[:16].hex())


# --- Seals and compression --------------------------------------------------------------------------------------------


def binding(vault_id: str, kind: str, key_id: str, name: str) -> bytes:
    """What a seal is bound to. It is not stored but given again, so that nothing can be moved, swapped or renamed."""
    return f"gorgen-backup:1:{vault_id}:{kind}:{key_id}:{name}:".encode()


def unseal(sealed: bytes, key: bytes, bound_to: bytes) -> bytes:
    """Opens a nonce of 12 bytes, a ciphertext, and a tag of 16."""
    return bytes(AESGCM(key).decrypt(sealed[:12], sealed[12:], bound_to))


def decompress(frame: bytes, length: int) -> bytes:
    """The content of a zstd frame, which must say that it is `length` bytes before it may use memory."""
    if zstandard.frame_content_size(frame) != length:
        raise ValueError("another length")
    content = zstandard.ZstdDecompressor().decompress(frame, max_output_size=length)
    if len(content) != length:
        raise ValueError("another length")
    return bytes(content)


# --- Manifests --------------------------------------------------------------------------------------------------------


def backup_ids(vault: Any) -> List[str]:
    """The ids of all backups, oldest first."""
    stems = (re.fullmatch(r"manifests/(.*)\.manifest", name) for name in vault.names("manifests/"))
    return [stem[1] for stem in stems if stem and RUN_ID.fullmatch(stem[1])]


def split_manifest(name: str, content: bytes) -> Tuple[bytes, bytes]:
    """`GORGENM1`, the header's length in 4 bytes, the header; and the sealed body behind all that."""
    end = 12 + int.from_bytes(content[8:12], "little")
    if content[:8] != b"GORGENM1" or len(content) < end:
        raise Damage(name, "not a manifest, or cut short")
    return content[:end], content[end:]


def read_header(name: str, content: bytes) -> Dict[str, Any]:
    """The clear header of a manifest. It proves nothing until the body behind it was opened."""
    clear, _ = split_manifest(name, content)
    try:
        header: Dict[str, Any] = json.loads(clear[12:])
    except ValueError:
        raise Damage(name, "damaged header") from None
    check_format(name, header)
    return header


def clear_header(vault: Any, backup: str) -> Dict[str, Any]:
    """The clear header of a backup's manifest, without the rest of it."""
    name = f"manifests/{backup}.manifest"
    start = vault.read(name, 0, 12)
    return read_header(name, vault.read(name, 0, 12 + int.from_bytes(start[8:12], "little")))


def open_manifest(vault: Any, keys: Keys, backup: str) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Header and body of a backup's manifest, both authenticated."""
    name = f"manifests/{backup}.manifest"
    content = vault.read(name)
    header = read_header(name, content)
    clear, sealed = split_manifest(name, content)
    if header.get("backup") != backup or header.get("vault") != keys.vault_id:
        raise Damage(name, "this is the manifest of another backup or vault")
    key_id = str(header.get("key"))
    try:
        key = keys.get(key_id, "manifest")
    except Damage as damage:
        # Either the key is damaged, or the header, which names it: both must be named.
        raise Damage(name, f"its key cannot be had: {damage}") from None
    try:
        frame = unseal(sealed, key, binding(keys.vault_id, "manifest", key_id, backup) + clear)
        body: Dict[str, Any] = json.loads(decompress(frame, header["body"]))
    except (InvalidTag, ValueError, zstandard.ZstdError):
        raise Damage(name, "the seal does not open: damaged, swapped, or sealed with another key") from None
    check_totals(name, header, body)
    return header, body


def check_totals(name: str, header: Dict[str, Any], body: Dict[str, Any]) -> None:
    """All sums of rows and bytes must agree. They always do: else the program that wrote them has a defect."""
    groups = [group for part in body["tables"] for group in part["groups"]]
    chunks = [chunk for group in groups for chunk in group["chunks"]]
    found = {
        "tables": len(body["tables"]),
        "rows": sum(chunk[6] for chunk in chunks),
        "chunks": len(chunks),
        "raw_bytes": sum(chunk[5] for chunk in chunks),
        "stored_bytes": sum(chunk[4] for chunk in chunks),
    }
    for what, sum_found in found.items():
        if header["totals"][what] != sum_found:
            raise Damage(name, f"the header counts {header['totals'][what]} {what}, the body {sum_found}")
    for group in groups:
        rows, size = sum(chunk[6] for chunk in group["chunks"]), sum(chunk[5] for chunk in group["chunks"])
        if (group["digest"]["rows"], group["digest"]["bytes"]) != (rows, size):
            raise Damage(name, f"a group of scope {group['scope']} does not hold the rows it counts")
    if [table["name"] for table in body["catalog"]["tables"]] != [part["table"] for part in body["tables"]]:
        raise Damage(name, "the tables with rows are not those with definitions")


# --- Rows -------------------------------------------------------------------------------------------------------------


def split_rows(content: bytes, columns: int) -> Iterator[Row]:
    """Takes canonical rows apart. A value is NULL (`fb`), or a length and that many bytes."""
    at, end = 0, len(content)
    while at < end:
        row: Row = []
        for _ in range(columns):
            first = content[at]
            at += 1
            if first == 0xFB:
                row.append(None)
                continue
            if first > 0xFB:
                size = LENGTH_BYTES[first]
                first, at = int.from_bytes(content[at : at + size], "little"), at + size
            row.append(content[at : at + first])
            at += first
        if at > end:
            raise IndexError("the last row is cut short")
        yield row


# How many bytes of a length follow its first byte.
LENGTH_BYTES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


class Chunks:
    """Reads the chunks of one backup: located, authenticated, decompressed, compared with their names, counted."""

    def __init__(self, vault: Any, keys: Keys, columns: int, part: Dict[str, Any]) -> None:
        self.vault, self.keys, self.columns, self.part = vault, keys, columns, part

    def erased(self, group: Dict[str, Any]) -> Optional[Erased]:
        """That a key of these rows was erased: none of them is read then."""
        for place in sorted({chunk[1] for chunk in group["chunks"]}):
            # Damage is told where rows are read.
            with contextlib.suppress(Damage):
                try:
                    self.keys.get(self.part["keys"][place], "rows")
                except Erased as erased:
                    return erased
        return None

    def rows(self, group: Dict[str, Any], chunk: List[Any]) -> List[Row]:
        """All rows of one chunk, or an error before any of them is used."""
        name = f"packs/{self.part['packs'][chunk[2]]}.pack"
        content = self._open(name, group["scope"], chunk)
        try:
            rows = list(split_rows(content, self.columns))
        except (IndexError, KeyError):
            raise Damage(name, f"chunk {chunk[0]}: damaged rows") from None
        if len(rows) != chunk[6]:
            raise Damage(name, f"chunk {chunk[0]}: expected {chunk[6]} rows, found {len(rows)}")
        return rows

    def _open(self, name: str, scope: str, chunk: List[Any]) -> bytes:
        chunk_id, key_place, _, offset, length, raw_length, _ = chunk
        sealed = self.vault.read(name, offset, length)
        if len(sealed) != length:
            raise Damage(name, f"chunk {chunk_id}: expected {length} bytes, found {len(sealed)}")
        key_id = self.part["keys"][key_place]
        if key_id.split(".")[1] != scope:
            raise Damage(name, f"chunk {chunk_id}: sealed with a key of another scope")
        key = self.keys.get(key_id, "rows")
        try:
            frame = unseal(sealed, key, binding(self.keys.vault_id, "chunk", key_id, chunk_id))
            content = decompress(frame, raw_length)
        except (InvalidTag, ValueError, zstandard.ZstdError):
            raise Damage(name, f"chunk {chunk_id}: the seal does not open: damaged, swapped, or another key") from None
        self.keys.check_name(chunk_id, scope, content, name)
        return content


# --- Values as SQL ----------------------------------------------------------------------------------------------------

ESCAPES = {0: b"\\0", 10: b"\\n", 13: b"\\r", 26: b"\\Z", 39: b"\\'", 92: b"\\\\"}
SPECIAL = re.compile(rb"[\x00\n\r\x1a'\\]")

UTF8 = ("utf8", "utf8mb3", "utf8mb4")
# Character sets in which a text of ASCII characters only has the bytes of ASCII, and none of them means another.
LIKE_ASCII = ("ascii", "latin1", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "koi8r") + UTF8


def quoted(value: bytes) -> bytes:
    """A string literal. Line breaks and the like are escaped, so that no client changes them on the way."""
    return b"'" + SPECIAL.sub(lambda found: ESCAPES[found[0][0]], value) + b"'"


def hex_literal(value: bytes) -> bytes:
    """A binary literal."""
    return b"0x" + value.hex().encode() if value else b"''"


def real(value: bytes) -> bytes:
    """A floating-point literal: without an exponent it would be a decimal, which knows no -0 and no 53 bits."""
    return value if b"e" in value else value + b"e0"


def text_literal(charset: str) -> Spelling:
    """How text of this character set is written in a file of UTF-8: as itself if possible, else as its bytes."""
    introducer = f"_{charset} 0x".encode()

    def spell(value: bytes) -> bytes:
        if (value.isascii() and charset in LIKE_ASCII) or (charset in UTF8 and is_valid_utf8(value)):
            return quoted(value)
        # The server refuses bytes that are no text of the character set: better than storing something else.
        return introducer + value.hex().encode() if value else b"''"

    return spell


def json_literal(value: bytes) -> bytes:
    """A document of MySQL's type JSON. Its text alone is not enough where it holds a DECIMAL, as in `{"price": 10.50}`:
    the server would read that as the floating-point number 10.5, so each such number is put back by itself."""
    literal = text_literal("utf8mb4")(value)
    if not JSON_POINT.search(value) and not JSON_LONG.search(value):
        return literal
    put_back = [
        b", %s, CAST('%s' AS DECIMAL(%d,%d))" % (quoted(path), digits, *decimal(digits))
        for path, digits in decimals(value)
    ]
    return b"JSON_SET(" + literal + b"".join(put_back) + b")" if put_back else literal


JSON_POINT = re.compile(rb"[0-9]\.[0-9]")
JSON_LONG = re.compile(rb"[0-9]{19}")
JSON_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]|-?[0-9][0-9.eE+-]*', re.DOTALL)


def decimals(document: bytes) -> Iterator[Tuple[bytes, bytes]]:
    """The numbers of a document that would become others if it were parsed, each with its path."""
    # Where we are: for each object its member's name, for each list the place in it.
    steps: List[Any] = []
    for token in JSON_TOKEN.findall(document):
        first = token[:1]
        if first in (b"{", b"["):
            steps.append(b"" if first == b"{" else 0)
        elif first in (b"}", b"]"):
            steps.pop()
        elif first == b",":
            steps[-1] = steps[-1] + 1 if isinstance(steps[-1], int) else b""
        elif first == b'"':
            # The first string of a member is its name, the second its value.
            if steps and steps[-1] == b"":
                steps[-1] = token
        elif is_decimal(token):
            yield b"$" + b"".join(b"[%d]" % step if isinstance(step, int) else b"." + step for step in steps), token


def is_decimal(digits: bytes) -> bool:
    """Would the server, having parsed these digits, show others? If in doubt yes: it does no harm."""
    text = digits.decode()
    if "e" in text.lower():
        return False
    if "." not in text:
        return not -(2**63) <= int(text) < 2**64
    value = float(text)
    shortest = format(Decimal(repr(value)), "f")
    is_plain = value == 0 or 1e-14 <= abs(value) < 1e15
    return not is_plain or text != (shortest if "." in shortest else shortest + ".0")


def decimal(digits: bytes) -> Tuple[int, int]:
    """Precision and scale of a DECIMAL with these digits."""
    whole, _, fraction = digits.lstrip(b"-").partition(b".")
    return max(len(whole.lstrip(b"0")) + len(fraction), 1), len(fraction)


def is_valid_utf8(value: bytes) -> bool:
    """Is this text in UTF-8?"""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def sql_spelling(column: Dict[str, Any]) -> Spelling:
    """How the values of a column are written in SQL."""
    kind = column["kind"]
    spellings: Dict[str, Spelling] = {
        "number": lambda value: value,
        "real": real,
        "temporal": lambda value: b"'" + value + b"'",
        "text": text_literal(column.get("charset") or "utf8mb4"),
        "json": json_literal,
        "bytes": hex_literal,
        "bit": hex_literal,
        "geometry": hex_literal,
    }
    return spellings[kind]


def ident(name: str) -> str:
    """A name between backticks."""
    return "`" + name.replace("`", "``") + "`"


def string(text: str) -> str:
    """A string literal in SQL text."""
    return quoted(text.encode()).decode()


# --- Values as text ---------------------------------------------------------------------------------------------------

TSV_ESCAPES = {0: b"\\0", 9: b"\\t", 10: b"\\n", 13: b"\\r", 92: b"\\\\"}
TSV_SPECIAL = re.compile(rb"[\x00\t\n\r\\]")

# What Python calls the character sets of MySQL. Text in another one is written as hex digits.
CODECS = {"utf8": "utf-8", "utf8mb3": "utf-8", "utf8mb4": "utf-8", "ascii": "ascii", "latin1": "cp1252"}
CODECS.update({"latin2": "iso8859-2", "latin5": "iso8859-9", "latin7": "iso8859-13", "greek": "iso8859-7"})
CODECS.update({"hebrew": "iso8859-8", "koi8r": "koi8-r", "koi8u": "koi8-u", "cp1250": "cp1250", "cp1251": "cp1251"})
CODECS.update({"cp1256": "cp1256", "cp1257": "cp1257", "cp850": "cp850", "cp852": "cp852", "cp866": "cp866"})
CODECS.update({"ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le", "utf32": "utf-32-be"})
CODECS.update({"big5": "big5", "gbk": "gbk", "gb2312": "gb2312", "gb18030": "gb18030", "sjis": "shift_jis"})
CODECS.update({"cp932": "cp932", "ujis": "euc_jp", "euckr": "euc_kr"})


def escaped(value: bytes) -> bytes:
    """A value between tabs."""
    return TSV_SPECIAL.sub(lambda found: TSV_ESCAPES[found[0][0]], value)


def tsv_spelling(column: Dict[str, Any]) -> Spelling:
    """How the values of a column are written between tabs."""
    if column["kind"] in ("bytes", "bit", "geometry"):
        return lambda value: value.hex().encode()
    if column["kind"] != "text":
        return escaped
    codec = CODECS.get(column.get("charset") or "utf8mb4")

    def spell(value: bytes) -> bytes:
        try:
            return escaped(decoded(value, codec).encode()) if codec else value.hex().encode()
        except UnicodeDecodeError:
            return value.hex().encode()

    return spell


def decoded(value: bytes, codec: str) -> str:
    """Text out of its bytes. MySQL's latin1 is Windows' 1252, in which five bytes mean nothing to Python."""
    return value.decode(codec, "c1" if codec == "cp1252" else "strict")


def c1(error: UnicodeError) -> Tuple[Any, int]:
    """To MySQL these five bytes are the control characters of the same number, both ways."""
    if isinstance(error, UnicodeDecodeError):
        return error.object[error.start : error.end].decode("latin-1"), error.end
    assert isinstance(error, UnicodeEncodeError)
    return error.object[error.start : error.end].encode("latin-1"), error.end


codecs.register_error("c1", c1)


# --- Writing ----------------------------------------------------------------------------------------------------------

# Clients and servers accept statements of this size as they come.
STATEMENT = 1 << 20

# What was once allowed in a definition or a row must be allowed again. `/*M! */` is for MariaDB alone.
SESSION = """\
SET NAMES utf8mb4;
SET time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION';
/*M!101000 SET explicit_defaults_for_timestamp = 1 */;
"""


class Output:
    """A folder of files, or stdout. A file has its name only when it is whole."""

    def __init__(self, to: str) -> None:
        self.folder = None if to == "-" else Path(to)
        if self.folder is None:
            return
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise Usage(f"{to} must be a new or an empty folder")
        # What is written are medical records in the clear: for nobody but the one who asked.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextlib.contextmanager
    def file(self, name: str, losses: List[str]) -> Iterator[BinaryIO]:
        """A file to write into. If there are losses at its end, its name tells."""
        if self.folder is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        partial = self.folder / f".{name}.partial"
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                yield file
        except BaseException:
            partial.unlink()
            raise
        stem, ending = os.path.splitext(name)
        partial.rename(self.folder / (f"{stem}.incomplete{ending}" if losses else name))


def file_name(table: str) -> str:
    """A table's name as a part of a file's name, and in comments: one line, no slash, not too long."""
    return quote(table, safe=" ")[:120].replace(" ", "_")


class Sql:
    """Writes SQL that loads into an empty database."""

    def __init__(self, output: Output, catalog: Dict[str, Any], strip_definers: bool) -> None:
        self.output, self.catalog, self.strip_definers = output, catalog, strip_definers

    def before(self) -> None:
        """What the database itself is set to, and sequences, as defaults of columns may use them."""
        with self.output.file("00-database.sql", []) as file:
            charset, collation = self.catalog["charset"], self.catalog["collation"]
            file.write(f"ALTER DATABASE CHARACTER SET {charset} COLLATE {collation};\n".encode())
        self._objects("10-sequences", "sequence")

    def after(self) -> None:
        """What must not be there while rows are loaded; views last, since a broken one stops the client."""
        for name, kind in [
            ("30-functions", "function"),
            ("31-procedures", "procedure"),
            ("40-triggers", "trigger"),
            ("41-events", "event"),
            ("50-views", "view"),
        ]:
            self._objects(name, kind)

    def table_file(self, number: int, table: Dict[str, Any]) -> str:
        """The name of a table's file; numbers keep names apart that look alike."""
        return f"20-table-{number:04}-{file_name(table['name'])}.sql"

    def table_head(self, file: BinaryIO, table: Dict[str, Any]) -> None:
        """The definition, as `SHOW CREATE TABLE` gave it."""
        file.write(f"-- table {file_name(table['name'])}\n{SESSION}{table['ddl']};\n".encode())

    def rows(self, file: BinaryIO, table: Dict[str, Any], rows: List[Row]) -> None:
        """INSERTs of many rows each. Columns are named: generated ones have no values, hidden ones do."""
        columns = ", ".join(ident(column["name"]) for column in table["columns"])
        head = f"INSERT INTO {ident(table['name'])} ({columns}) VALUES\n".encode()
        spellings = [sql_spelling(column) for column in table["columns"]]
        for statement in batches(spell_rows(rows, spellings), STATEMENT):
            file.write(head + b",\n".join(statement) + b";\n")

    def table_tail(self, file: BinaryIO, losses: List[str]) -> None:
        """Says in the file itself that rows are missing."""
        for loss in losses:
            file.write(f"-- INCOMPLETE: {loss}\n".encode())

    def _objects(self, name: str, kind: str) -> None:
        # They come in the order in which they can be made: a view after those it reads.
        objects = [found for found in self.catalog["objects"] if found["kind"] == kind]
        if not objects:
            return
        with self.output.file(f"{name}.sql", []) as file:
            file.write(SESSION.encode())
            for found in objects:
                file.write(self._object(found))

    def _object(self, found: Dict[str, Any]) -> bytes:
        """One object, under the settings of the session that made it: they are a part of it."""
        ddl = strip_definer(found) if self.strip_definers else found["ddl"]
        context = found.get("context") or {}
        client, encoded = encode_for(ddl, context.get("character_set_client"))
        settings = {"character_set_client": client, **{name: context.get(name) for name in SETTINGS}}
        given = ", ".join(f"{name} = {string(value)}" for name, value in settings.items() if value is not None)
        mode = sql_mode(context.get("sql_mode"))
        then, now = self._database_collation(context.get("database_collation"))
        mark = delimiter_for(encoded)
        return b"".join(
            [
                f"\n-- {found['kind']} {file_name(found['name'])}\n{then}SET {given};\n{mode}".encode(),
                b"DELIMITER " + mark + b"\n" + encoded + b"\n" + mark + b"\nDELIMITER ;\n",
                f"{SESSION}{now}".encode(),
                (found["after"].rstrip(";") + ";\n").encode() if found.get("after") else b"",
            ]
        )

    def _database_collation(self, then: Optional[str]) -> Tuple[str, str]:
        """Routines take their parameters' character set from the database. Sets what it was then, and back."""
        now = self.catalog["collation"]
        if then in (None, now):
            return "", ""
        return f"ALTER DATABASE COLLATE {then};\n", f"ALTER DATABASE COLLATE {now};\n"


class Tsv:
    """Writes one file a table, for people and spreadsheets; definitions go into a file of their own."""

    def __init__(self, output: Output, catalog: Dict[str, Any]) -> None:
        self.output, self.catalog = output, catalog

    def before(self) -> None:
        """Definitions, for whoever wonders what the columns are."""
        with self.output.file("definitions.txt", []) as file:
            for found in self.catalog["tables"] + self.catalog["objects"]:
                file.write(f"{found['ddl']}\n\n".encode())

    def after(self) -> None:
        """Nothing comes after the rows."""

    def table_file(self, number: int, table: Dict[str, Any]) -> str:
        """The name of a table's file; numbers keep names apart that look alike."""
        return f"table-{number:04}-{file_name(table['name'])}.tsv"

    def table_head(self, file: BinaryIO, table: Dict[str, Any]) -> None:
        """The names of the columns."""
        file.write(b"\t".join(escaped(column["name"].encode()) for column in table["columns"]) + b"\n")

    def rows(self, file: BinaryIO, table: Dict[str, Any], rows: List[Row]) -> None:
        """A line a row."""
        spellings = [tsv_spelling(column) for column in table["columns"]]
        for row in rows:
            values = (b"\\N" if value is None else spell(value) for spell, value in zip(spellings, row))
            file.write(b"\t".join(values) + b"\n")

    def table_tail(self, file: BinaryIO, losses: List[str]) -> None:
        """A line more would be taken for a row: the file's name tells of losses."""


def spell_rows(rows: List[Row], spellings: List[Spelling]) -> Iterator[bytes]:
    """Each row between parentheses."""
    for row in rows:
        values = [b"NULL" if value is None else spell(value) for spell, value in zip(spellings, row)]
        yield b"(" + b",".join(values) + b")"


def batches(items: Iterator[bytes], size: int) -> Iterator[List[bytes]]:
    """Items in lists of about `size` bytes; a larger item has a list of its own."""
    batch: List[bytes] = []
    filled = 0
    for item in items:
        if batch and filled + len(item) > size:
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += len(item)
    if batch:
        yield batch


# Settings of the session that a stored object remembers, besides the client's character set.
SETTINGS = ("collation_connection", "time_zone")


def sql_mode(modes: Optional[str]) -> str:
    """Sets the mode an object was made under. One mode, on which no object depends, only MariaDB still knows."""
    if modes is None:
        return ""
    known = ",".join(mode for mode in modes.split(",") if mode != "NO_AUTO_CREATE_USER")
    return f"SET sql_mode = '{known}';\n" + (f"/*M!100000 SET sql_mode = '{modes}' */;\n" if known != modes else "")


def encode_for(ddl: str, client: Optional[str]) -> Tuple[str, bytes]:
    """A definition in the character set it was sent in, since the server remembers which that was."""
    codec = CODECS.get(client or "")
    if client and codec:
        with contextlib.suppress(UnicodeEncodeError):
            return client, ddl.encode(codec, "c1" if codec == "cp1252" else "strict")
    return "utf8mb4", ddl.encode()


def delimiter_for(statement: bytes) -> bytes:
    """An end mark that does not occur in the statement."""
    return next(mark for mark in (b";" * length for length in range(2, 99)) if mark not in statement)


def strip_definer(found: Dict[str, Any]) -> str:
    """The definition without who it runs as; it will run as whoever loads it."""
    user, _, host = (found.get("definer") or "").rpartition("@")
    ddl: str = found["ddl"]
    # Servers show what was made under ANSI_QUOTES with such quotes.
    for mark in "`", '"':
        account = "@".join(mark + part.replace(mark, 2 * mark) + mark for part in (user, host))
        if f"DEFINER={account} " in ddl:
            return ddl.replace(f"DEFINER={account} ", "", 1)
    return ddl


# --- The story --------------------------------------------------------------------------------------------------------


def list_backups(vault: Any) -> int:
    """Prints the backups there are, by their clear headers. Needs no key, and so proves nothing."""
    status = 0
    print(f"{'BACKUP':<25}  {'AS OF':<20}  {'TABLES':>6}  {'ROWS':>12}  {'RAW BYTES':>15}  SOURCE")
    for backup in backup_ids(vault):
        name = f"manifests/{backup}.manifest"
        try:
            header = clear_header(vault, backup)
            totals, source = header["totals"], header["source"]
            imported = f", imported: tenant {header['imported']['tenant']} alone" if "imported" in header else ""
            print(
                f"{backup:<25}  {header['snapshot'][:19] + 'Z':<20}  {totals['tables']:>6}  {totals['rows']:>12}  "
                f"{totals['raw_bytes']:>15}  {source['database']} at {source['server']}{imported}"
            )
        except (Damage, KeyError, TypeError) as damage:
            print(f"{backup:<25}  DAMAGED: {damage if isinstance(damage, Damage) else name}")
            status = 3
    return status


def vault_id_of(vault: Any, backup: str, recovery: Recovery) -> str:
    """The vault's own id, which is bound into every seal. Headers name it too: if it is a wrong one, nothing opens."""
    try:
        return str(read_record(vault, "vault.json")["vault"])
    except Damage as damage:
        recovery.lose(damage, "the manifest's header names the vault as well")
    name = f"manifests/{backup}.manifest"
    return str(read_header(name, vault.read(name))["vault"])


def is_imported(vault: Any, backup: str) -> bool:
    """Was it made of another program's files? One that can't be read counts as the source's own: opening it tells the rest."""
    try:
        return "imported" in clear_header(vault, backup)
    except Damage:
        return False


def find_backup(vault: Any, text: str) -> str:
    """The id that is meant."""
    ids = backup_ids(vault)
    if text == "latest":
        for backup in reversed(ids):
            if not is_imported(vault, backup):
                return backup
    if text in ids:
        return text
    raise Usage(f"there is no backup {text} in this vault; `recover.py list` shows those there are")


def chosen_tables(catalog: Dict[str, Any], names: List[str]) -> List[int]:
    """Places of the tables that are wanted; all, if none is named."""
    known = [table["name"] for table in catalog["tables"]]
    for name in names:
        if name not in known:
            raise Usage(f"the backup has no table {name!r}; it has {', '.join(known)}")
    return [place for place, name in enumerate(known) if not names or name in names]


def write_backup(vault: Any, keyring: Any, arguments: argparse.Namespace) -> int:
    """Recovers a backup: open the manifest, write each table chunk by chunk, then what hangs on the tables."""
    recovery = Recovery(arguments.keep_going)
    backup = find_backup(vault, arguments.backup)
    keys = Keys(vault, vault_id_of(vault, backup, recovery), keyring, recovery)
    header, body = open_manifest(vault, keys, backup)
    catalog = body["catalog"]
    places = chosen_tables(catalog, arguments.table)
    say(f"backup {backup} of {header['source']['database']}, as of {header['snapshot']}")

    output = Output(arguments.to)
    writer: Any = Tsv(output, catalog)
    if arguments.format == "sql":
        writer = Sql(output, catalog, arguments.strip_definers)
    if not arguments.table:
        writer.before()
    total = 0
    for place in places:
        table, part = catalog["tables"][place], body["tables"][place]
        total += write_table(Chunks(vault, keys, len(table["columns"]), part), writer, place + 1, table, recovery)
    if not arguments.table:
        writer.after()

    if recovery.losses:
        say(f"INCOMPLETE: wrote {total} rows of {len(places)} tables; {len(recovery.losses)} times damage was found")
        return 3
    proofs = "each seal, name and count was right"
    if blake3 is None:
        proofs = "each seal and count was right (names were not compared: python3 -m pip install blake3)"
    say(f"wrote {total} rows of {len(places)} tables; {proofs}")
    return 0


def write_table(chunks: Chunks, writer: Any, number: int, table: Dict[str, Any], recovery: Recovery) -> int:
    """Writes a table, and gives the number of rows written: those that the manifest counts, but for losses."""
    losses: List[str] = []
    written = 0
    with writer.output.file(writer.table_file(number, table), losses) as file:
        writer.table_head(file, table)
        for group in chunks.part["groups"]:
            erased = chunks.erased(group)
            if erased:
                gone = sum(chunk[6] for chunk in group["chunks"])
                say(f"  {table['name']}: {gone} rows of {group['scope']} are left out: their keys were erased at {erased.at}")
                continue
            for chunk in group["chunks"]:
                try:
                    rows = chunks.rows(group, chunk)
                except Damage as damage:
                    losses.append(recovery.lose(damage, f"{chunk[6]} rows of table {table['name']!r} are lost"))
                    continue
                writer.rows(file, table, rows)
                written += len(rows)
        writer.table_tail(file, losses)
    say(f"  {table['name']}: {written} rows")
    return written


# --- The command line -------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """Tells the person at the keyboard; stdout is for what was asked for."""
    print(text, file=sys.stderr, flush=True)


def parse(argv: Optional[List[str]]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="recover.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | write")
    listing = commands.add_parser("list", help="show the backups there are; needs no key")
    writing = commands.add_parser("write", help="decrypt a backup and write it out")
    for command in (listing, writing):
        command.add_argument("--vault", default=os.environ.get("GORGEN_VAULT"), metavar="URL")
    writing.add_argument("backup", help="its id, or `latest`")
    writing.add_argument("--keyring", default=os.environ.get("GORGEN_KEYRING"), metavar="URL")
    writing.add_argument("--to", required=True, metavar="FOLDER", help="a new or empty folder, or - for stdout")
    writing.add_argument("--format", choices=("sql", "tsv"), default="sql")
    writing.add_argument("--table", action="append", default=[], help="only this table (may be repeated)")
    writing.add_argument("--keep-going", action="store_true", help="go on after damage, and recover what is left")
    writing.add_argument("--strip-definers", action="store_true", help="let all run as whoever loads it")
    return parser.parse_args(argv)


def run(arguments: argparse.Namespace) -> int:
    """Does what the command line says, and gives the exit status."""
    if not arguments.vault:
        raise Usage("which vault? Give --vault, or set GORGEN_VAULT")
    vault = open_vault(arguments.vault)
    if arguments.command == "list":
        return list_backups(vault)
    if arguments.to == "-" and arguments.format == "tsv":
        raise Usage("tables of text need a folder: --to FOLDER")
    return write_backup(vault, open_keyring(arguments.keyring), arguments)


def main(argv: Optional[List[str]] = None) -> int:
    """Runs, and prints what went wrong once."""
    os.umask(0o077)
    try:
        return run(parse(argv))
    except Damage as damage:
        say(f"recover.py: DAMAGED {damage}")
        return 3
    except Usage as usage:
        say(f"recover.py: {usage}")
        return 2
    except (Failure, OSError) as failure:
        say(f"recover.py: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
