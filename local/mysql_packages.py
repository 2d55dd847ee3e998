"""Gets a real MySQL server 9.x out of Debian sid, unpacked into a folder beside the machine's own libraries.

Downloaded once and kept by version. The mirror is the one the machine's own apt uses, and apt checks the signatures.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from folders import locked
from server import dying_with_us

PACKAGES = ("mysql-server-core", "mysql-client-core")
# Only scripts we never call need perl, and it is a fifth of everything.
NOT_UNPACKED = ("perl", "libperl", "gcc-")
DOWNLOAD_SECONDS = 600
SOURCES = Path("/etc/apt")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# A mirror's root, a dated snapshot of it, or the list of mirrors that Debian's cloud images have.
DEBIAN_MIRROR = re.compile(r"/debian(/\d{8}T\d{6}Z)?/?$|/debian\.list$")

APT_CONFIG = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
Dir::Etc::sourcelist "{folder}/sid.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "{folder}/archives";
APT::Sandbox::User "";
APT::Default-Release "";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Debug::NoLocking "true";
"""


class Unobtainable(Exception):
    """No real MySQL server can be had here; the message says why. Callers skip what needs it, loudly."""


@dataclass(frozen=True)
class Installation:
    """An unpacked MySQL: programs are started through the dynamic loader that came with them."""

    folder: Path

    @property
    def version(self) -> str:
        """The package's version."""
        return self.folder.name

    @property
    def usr(self) -> Path:
        """The unpacked `/usr`."""
        return self.folder / "root" / "usr"

    @property
    def template(self) -> Path:
        """An initialised data folder, made once and copied for each server."""
        return self.folder / "template"

    def command(self, program: str, *args: str) -> list[str]:
        """The command line that runs one of the unpacked programs."""
        found = next((p for p in (self.usr / "sbin" / program, self.usr / "bin" / program) if p.exists()), None)
        if found is None:
            raise Unobtainable(f"the MySQL packages hold no program {program}")
        return [str(self._loader()), "--library-path", ":".join(map(str, self._libraries())), str(found), *args]

    def _loader(self) -> Path:
        places = [self.usr / "lib64", *sorted((self.usr / "lib").glob("*-linux-gnu*"))]
        loaders = [file for place in places for file in sorted(place.glob("ld-linux-*.so.*"))]
        if not loaders:
            raise Unobtainable("the unpacked C library has no dynamic loader")
        return loaders[0]

    def _libraries(self) -> list[Path]:
        libraries = self.usr / "lib"
        return [*sorted(libraries.glob("*-linux-gnu*")), libraries / "mysql" / "private"]


def install(cache: Path) -> Installation:
    """The newest MySQL in the cache folder, downloaded when there is none; `Unobtainable` with the reason when not."""
    with locked(cache / "lock"):
        kept = sorted((f for f in cache.iterdir() if (f / "complete").exists()), key=lambda f: f.stat().st_mtime)
        return Installation(kept[-1]) if kept else _download(cache)


def _download(cache: Path) -> Installation:
    """Fetch, unpack and try the packages in a folder aside, which becomes the installation when all went well."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Unobtainable(f"{program} not found: MySQL comes from Debian packages")
    source = sid_source()
    new = cache / "new"
    shutil.rmtree(new, ignore_errors=True)
    packages = _fetch(new / "apt", source)
    version = _version_of(packages)
    for package in packages:
        if not package.name.startswith(NOT_UNPACKED):
            _run(["dpkg-deb", "--extract", str(package), str(new / "root")])
    shutil.rmtree(new / "apt")
    shutil.rmtree(new / "root" / "usr" / "share" / "doc", ignore_errors=True)
    _run(Installation(new).command("mysqld", "--no-defaults", "--version"))
    (new / "complete").touch()
    return Installation(new.replace(cache / version))


def _fetch(folder: Path, source: str) -> list[Path]:
    """Download the packages and all they depend on with a private apt that knows nothing but sid."""
    for name in ("state/lists/partial", "cache", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sid.list").write_text(source)
    (folder / "apt.conf").write_text(APT_CONFIG.format(folder=folder))
    apt = ["apt-get", "--config-file", str(folder / "apt.conf"), "--yes", "--quiet"]
    _run([*apt, "--error-on=any", "update"])
    _run([*apt, "install", "--download-only", "--no-install-recommends", *PACKAGES])
    return sorted((folder / "archives").glob("*.deb"))


def _version_of(packages: list[Path]) -> str:
    """The server's version, from its package's file name."""
    for package in packages:
        name, version, *_ = package.name.split("_")
        if name == PACKAGES[0]:
            return version.replace("%3a", "-")
    raise Unobtainable(f"apt delivered no {PACKAGES[0]}")


def _run(command: list[str]) -> None:
    """Run a step of the installation; its failure means that MySQL cannot be had."""
    step = " ".join(part for part in command if not part.startswith(("-", "/")))
    try:
        done = subprocess.run(
            dying_with_us(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unobtainable(f"{step}: not done in {DOWNLOAD_SECONDS} s") from None
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("E:")] or [
            (done.stderr or done.stdout).strip()
        ]
        raise Unobtainable(f"{step}: {said[0]}")


def sid_source(apt: Path = SOURCES, keyring: Path = KEYRING) -> str:
    """An apt source line for sid on the Debian mirror this machine uses already."""
    mirror = next((uri for uri in _mirrors(apt) if DEBIAN_MIRROR.search(uri)), None)
    if mirror is None:
        raise Unobtainable("no Debian mirror among this machine's apt sources")
    if not keyring.exists():
        raise Unobtainable(f"no {keyring}: install debian-archive-keyring")
    return f"deb [signed-by={keyring}] {mirror} sid main\n"


def _mirrors(apt: Path) -> list[str]:
    """The URIs of the machine's binary package sources, in both of apt's notations."""
    found: list[str] = []
    for file in sorted(apt.glob("sources.list.d/*.sources")):
        for line in file.read_text(errors="replace").splitlines():
            if line.startswith("URIs:"):
                found += line.split()[1:]
    for file in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        if file.exists():
            found += re.findall(r"^deb\s+(?:\[[^\]]*\]\s*)?(\S+)", file.read_text(errors="replace"), re.MULTILINE)
    return found
