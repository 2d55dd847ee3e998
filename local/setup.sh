#!/usr/bin/env bash
# Puts in place what the verbs of the Makefile need, and says what it does. Run it as often as you like.
#
# Debian packages come from the machine's own apt; all else stays in .local, .tools, target and infra/node_modules. Of MariaDB only the
# bare programs are installed: the package `mariadb-server` would start a service, `mariadb-server-core` has none.
set -euo pipefail
cd "$(dirname "$0")/.."

RUST=1.95
NEXTEST=0.9.143
DENY=0.20.2
NODE=20.19

VENV=.local/venv
TOOLS=.tools
PATH="$PWD/$TOOLS/bin:$PATH:/usr/sbin"

say() { printf 'setup: %s\n' "$*" >&2; }
give_up() {
    say "$*"
    exit 1
}
have() { command -v "$1" >/dev/null; }

require_rust() {
    have cargo || give_up "no cargo: install Rust $RUST or newer with rustfmt and clippy, for example with rustup"
    local found
    found=$(rustc --version | cut -d' ' -f2)
    printf '%s\n' "$RUST" "$found" | sort --version-sort --check=quiet ||
        give_up "rustc is $found, Rust $RUST or newer is needed"
    { have cargo-fmt && have cargo-clippy; } ||
        give_up "no cargo-fmt or cargo-clippy: rustup component add rustfmt clippy"
}

# Debian's own Node is too old for some releases, so a machine that has none is told what it needs.
require_node() {
    { have node && have npm; } || give_up "no node or no npm: install Node $NODE or newer, for example from nodejs.org"
    local found
    found=$(node --version)
    printf '%s\n' "$NODE" "${found#v}" | sort --version-sort --check=quiet ||
        give_up "node is $found, Node $NODE or newer is needed"
}

# Fills `missing` with the Debian packages whose programs are not there.
find_missing_packages() {
    missing=()
    have cc || missing+=(build-essential) # aws-lc-sys and zstd-sys compile C; neither needs cmake
    have mariadbd && have mariadb-install-db || missing+=(mariadb-server-core)
    have mariadb && have mariadb-dump || missing+=(mariadb-client)
    have mydumper && have myloader || missing+=(mydumper)
    have age && have age-keygen || missing+=(age) # the official tool, against which offline identities are tested
    have zstd || missing+=(zstd)
    have valgrind || missing+=(valgrind) # counts instructions, see local/instructions.py
    have curl || missing+=(curl) # the demo calls the API with it
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
}

install_packages() {
    local missing as_root=()
    find_missing_packages
    [ ${#missing[@]} -gt 0 ] || return 0
    have apt-get || give_up "this is not Debian or Ubuntu; install what there gives: ${missing[*]}, then try again"
    if [ "$(id -u)" != 0 ]; then
        have sudo || give_up "neither root nor sudo; as root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update --quiet --quiet
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --quiet --no-install-recommends "${missing[@]}" >.local/apt.log 2>&1 ||
        { tail -20 .local/apt.log >&2 && give_up "apt-get failed, see .local/apt.log"; }
    find_missing_packages
    [ ${#missing[@]} = 0 ] || give_up "apt-get was content, but the programs of these are not on PATH: ${missing[*]}"
}

# The copy of the requirements inside the venv is the stamp: it is written last.
install_python() {
    local stamp=$VENV/requirements.txt
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        say "making a Python environment in $VENV"
        python3 -m venv --clear "$VENV"
    elif cmp --quiet local/requirements.txt "$stamp"; then
        return
    fi
    say "installing Python packages into $VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --requirement local/requirements.txt
    cp local/requirements.txt "$stamp"
}

# Their lock file is copied into the folder last, as a stamp.
install_node_modules() {
    local stamp=infra/node_modules/.installed
    cmp --quiet infra/package-lock.json "$stamp" && return
    say "installing Node packages into infra/node_modules"
    npm ci --prefix infra --no-audit --no-fund --loglevel=error >&2
    cp infra/package-lock.json "$stamp"
}

# A tool of ours is compiled for a short compile, not for a fast program. `$1` is the crate, `$2` the version.
install_cargo_tool() {
    say "compiling $1 $2 into $TOOLS (a minute or two)"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
        CARGO_PROFILE_RELEASE_DEBUG=0 cargo install --quiet --locked --root "$TOOLS" --target-dir target/tools \
        "$1" --version "$2" "${@:3}"
    rm -rf target/tools
}

install_cargo_tools() {
    have cargo-nextest || install_cargo_tool cargo-nextest "$NEXTEST" --no-default-features
    # The version is exact: what deny.toml may say changes from one to the next.
    [ "$(cargo-deny --version 2>/dev/null)" = "cargo-deny $DENY" ] ||
        install_cargo_tool cargo-deny "$DENY" --no-default-features
}

mkdir -p .local
if have flock; then
    exec 9>.local/setup.lock
    flock 9
fi
require_rust
require_node
install_packages
install_python
install_node_modules
install_cargo_tools
say "ready"
