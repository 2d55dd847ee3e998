# The verbs of this project, and the only list of them: `make` prints it. The README and CI call these and nothing else.
# A verb brings what it needs: all but `help` and `clean` run local/setup.sh first, which is quick when all is there.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# What `check` and `test` compile is compiled in this profile, so that crates and C libraries are built once, not once a
# verb. `make test PROFILE=dev` has overflow checks and debug assertions.
PROFILE ?= fast
# For `demo` and `bench`, handed on: make demo ARGS="--help"
ARGS ?=

export PATH := $(CURDIR)/.local/venv/bin:$(CURDIR)/.tools/bin:$(PATH):/usr/sbin

CARGO_ALL := --workspace --all-features --profile $(PROFILE)
ADAPTERS := --package gorgen-adapters --no-default-features --profile $(PROFILE)
LAB := python3 local/lab.py run --mariadb --mysql --emulator --
PYTHON_TESTS = $(shell find local docs -name 'test_*.py')

# A step: $(call step,heading,command) prints the heading, then how long the command took.
define step
@printf '\n== %s\n' '$(1)'; $(2); printf '== done in %d s\n' "$$SECONDS"
endef

.PHONY: help setup demo test check fmt lint advisories bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the other verbs need: Debian packages, a Python venv, cargo tools
	@local/setup.sh

demo: setup ## back up, change, restore and damage a made-up clinic, on private servers (ARGS="...")
	$(call step,build,cargo build --profile fast --package gorgen-backup)
	@python3 local/demo.py $(ARGS)

test: check features rustdoc test-rust test-python ## everything CI asks for: check, features, rustdoc, all tests on real servers

check: fmt-check lint ## the quick part of test: format, clippy, dependencies

fmt: setup ## format the Rust code
	@cargo fmt --all

lint: clippy deny ## clippy with warnings as errors, then cargo-deny

advisories: setup ## look up known vulnerabilities of our dependencies; needs the internet
	$(call step,advisories,cargo deny check advisories)

bench: setup ## measure against mariadb-dump and myloader (ARGS="...")
	$(call step,build,cargo build --profile fast --package gorgen-backup)
	@python3 local/bench.py $(ARGS)

clean: ## remove what was built and fetched: target, .local, .tools
	rm -rf target .local .tools

# Steps of the verbs:

.PHONY: fmt-check clippy deny features rustdoc test-rust test-python

fmt-check: setup
	$(call step,format,cargo fmt --all --check)

clippy: setup
	$(call step,clippy,cargo clippy $(CARGO_ALL) --all-targets -- -D warnings)

# Without advisories: their database comes from the internet, and a build must not need it. See `make advisories`.
deny: setup
	$(call step,layers of the crates; licences; sources,cargo deny check bans licenses sources)

# Each feature of the adapters must build without the others.
features: setup
	$(call step,adapters with no feature,cargo check $(ADAPTERS))
	$(call step,adapters with mysql,cargo check $(ADAPTERS) --features mysql)
	$(call step,adapters with aws,cargo check $(ADAPTERS) --features aws)

rustdoc: setup
	$(call step,rustdoc,RUSTDOCFLAGS='-D warnings' cargo doc $(CARGO_ALL) --no-deps)

test-rust: setup
	$(call step,examples in the documentation,cargo test --doc $(CARGO_ALL))
	$(call step,build the tests,cargo nextest run --workspace --all-features --cargo-profile $(PROFILE) --no-run)
	$(call step,tests on real servers,$(LAB) cargo nextest run --workspace --all-features --cargo-profile $(PROFILE))

test-python: setup
	$(call step,Python tests,$(if $(PYTHON_TESTS),python3 -m pytest --quiet -p no:cacheprovider $(PYTHON_TESTS),echo none yet))
