# The verbs of this project, and the only list of them: `make` prints it. The README and CI call these and nothing else.
# A verb brings what it needs: all but `help` and `clean` run local/setup.sh first, which is quick when all is there.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# What `check` and `test` compile is compiled in this profile, so that crates and C libraries are built once, not once a
# verb. `make test PROFILE=dev` has overflow checks and debug assertions.
PROFILE ?= fast
# For `demo`, `up`, `logs` and `bench`, handed on: make demo ARGS="--help"
ARGS ?=
# For `invoke` and `logs`: which function, and its event.
FN ?=
EVENT ?= {}
export EVENT
# What else is built beside the functions.
BESIDE := --bins
# For `token`: admin or admin_master.
ROLE ?=
# For `deploy` and `diff`: dev or prod, as infra/environments/<env>.json describes it.
ENV ?=

export PATH := $(CURDIR)/.local/venv/bin:$(CURDIR)/.tools/bin:$(PATH):/usr/sbin

CARGO_ALL := --workspace --all-features --profile $(PROFILE)
ADAPTERS := --package gorgen-adapters --no-default-features --profile $(PROFILE)
LAB := python3 local/lab.py run --mariadb --mysql --emulator --
PYTHON_TESTS = $(shell find local docs -name 'test_*.py' -not -path 'local/tests_cloud/*' -not -path 'local/tests_iam/*')

# A step: $(call step,heading,command) prints the heading, then how long the command took.
define step
@printf '\n== %s\n' '$(1)'; $(2); printf '== done in %d s\n' "$$SECONDS"
endef

.PHONY: help setup demo demo-offline up down invoke logs token deploy diff test check fmt lint advisories bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the other verbs need: Debian packages, a Python venv, cargo tools
	@local/setup.sh

demo: setup functions ## deploy to an emulated AWS, back up by schedule, lose a region and restore (ARGS="...")
	@python3 local/demo.py $(ARGS)

demo-offline: setup ## the same engine without AWS: back up, change, restore and damage a clinic (ARGS="...")
	$(call step,build,cargo build --profile fast --package gorgen-backup)
	@python3 local/demo_offline.py $(ARGS)

up: setup functions ## start a local cloud, or deploy again to the one that is up
	@python3 local/cloud.py up $(ARGS)

down: setup ## end the local cloud and remove all of it
	@python3 local/cloud.py down

invoke: setup ## run a function of the local cloud: make invoke FN=backup EVENT='{}'
	@python3 local/cloud.py invoke '$(FN)' "$$EVENT"

logs: setup ## show what functions of the local cloud wrote (FN=backup ARGS=--follow)
	@python3 local/cloud.py logs $(FN) $(ARGS)

token: ## print a token for the API of the local cloud (ROLE=admin, ROLE=admin_master)
	@python3 local/cloud.py token $(ROLE)

deploy: arm64 ## deploy to AWS, asking before rights grow: make deploy ENV=prod
	$(call step,deploy $(ENV),$(CDK) deploy --all --require-approval broadening)

diff: arm64 ## show what a deployment would change: make diff ENV=prod
	$(call step,compare with $(ENV),$(CDK) diff)

# Beside the tests, functions are built of the very crates that these are: cargo gives crates the features that tests want only
# when it builds tests, too, and would compile nearly all of them once more. What only tests use the linker leaves out.
test: BESIDE := --bins --tests
test: check features rustdoc test-rust instructions test-python test-infra test-cloud test-iam ## everything CI asks for: check, features, rustdoc, all tests on real servers

check: fmt-check lint ## the quick part of test: format, clippy, dependencies

fmt: setup ## format the Rust code
	@cargo fmt --all

lint: clippy deny ## clippy with warnings as errors, then cargo-deny

advisories: setup ## look up known vulnerabilities of our dependencies; needs the internet
	$(call step,advisories,cargo deny check advisories)

bench: setup functions ## measure against mariadb-dump and myloader (ARGS="...", ROW=functions PROFILE=cloud)
	@python3 local/bench.py $(ARGS)

clean: ## remove what was built and fetched: target, .local, .tools
	rm -rf target .local .tools infra/node_modules cdk.out

# Steps of the verbs:

.PHONY: functions arm64 fmt-check clippy deny features rustdoc test-rust instructions test-python test-infra test-cloud test-iam

# Apart from target/lambda, where the functions for this machine's local cloud lie.
DEPLOYED := target/deploy
CDK := infra/node_modules/.bin/cdk -c env=$(ENV) -c binaries=$(DEPLOYED)

# The functions as AWS runs them.
arm64: setup
	@case '$(ENV)' in dev | prod) ;; *) echo 'say which environment: make $(MAKECMDGOALS) ENV=dev, or ENV=prod' >&2; exit 2 ;; esac
	@python3 -m pip install --quiet --disable-pip-version-check --requirement local/requirements-deploy.txt
	$(call step,build the functions for arm64,cargo lambda build --arm64 --profile cloud --output-format zip \
		--lambda-dir $(DEPLOYED) $(patsubst functions/%,--package gorgen-function-%,$(wildcard functions/*)))

# The functions as zips for this machine's processor, in target/lambda. Built like all else here: cargo-lambda, which makes those
# that are deployed, builds for a target of its own and would compile every crate a second time.
functions: setup
	$(call step,build the functions,cargo build --workspace --all-features $(BESIDE) --profile $(PROFILE))
	$(call step,zip the functions,python3 local/function_zips.py target/$(PROFILE))

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

# Of each step that every byte goes through. Counts are stable where times are not: more than 5 % above the kept ones fails.
instructions: setup
	$(call step,instructions of the hot path,python3 local/instructions.py --profile $(PROFILE))

test-python: setup
	$(call step,Python tests,$(if $(PYTHON_TESTS),python3 -m pytest --quiet -p no:cacheprovider $(PYTHON_TESTS),echo none yet))

test-infra: setup
	$(call step,types of the stacks,npm run --prefix infra --silent check)
	@rm -rf .local/synthesized && mkdir -p .local/synthesized # each synthesis leaves a folder where TMPDIR says
	$(call step,tests of the stacks,TMPDIR='$(CURDIR)/.local/synthesized' npm test --prefix infra --silent)

# The whole in an emulated AWS: the CDK app deployed, and the functions as they would be uploaded.
test-cloud: setup functions
	$(call step,tests in a local cloud,python3 -m pytest --quiet -p no:cacheprovider local/tests_cloud)

# The same once more with every right enforced: what each role may do, and what it may not.
test-iam: setup functions
	$(call step,tests of who may do what in a local cloud,python3 -m pytest --quiet -p no:cacheprovider local/tests_iam)
