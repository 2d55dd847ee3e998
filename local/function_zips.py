"""Zips the functions that cargo has built, as cargo-lambda would: target/lambda/<binary>/bootstrap.zip.

    python3 local/function_zips.py target/fast

The same binary gives the same zip, so that a deployment changes only functions that have changed.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from folders import PROJECT

PREFIX = "gorgen-function-"
# As old as a zip can say: the time of building is none of its content.
NO_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o755 << 16


def names() -> list[str]:
    """The functions' names, as their folders are called."""
    return sorted(folder.parent.name for folder in (PROJECT / "functions").glob("*/Cargo.toml"))


def write(binary: Path, zipped: Path) -> None:
    """Zip one binary as `bootstrap`; the zip appears whole, or not at all."""
    zipped.parent.mkdir(parents=True, exist_ok=True)
    new = zipped.with_suffix(".new")
    entry = zipfile.ZipInfo("bootstrap", NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = EXECUTABLE
    with zipfile.ZipFile(new, "w") as archive:
        archive.writestr(entry, binary.read_bytes())
    new.replace(zipped)


def main() -> int:
    """Zip every function."""
    built = Path(sys.argv[1])
    for name in names():
        binary = built / f"{PREFIX}{name}"
        if not binary.exists():
            print(f"no {binary}: build the workspace first", file=sys.stderr)
            return 1
        zipped = PROJECT / "target" / "lambda" / binary.name / "bootstrap.zip"
        if not zipped.exists() or zipped.stat().st_mtime < binary.stat().st_mtime:
            write(binary, zipped)
        print(f"{zipped.relative_to(PROJECT)}: {zipped.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
