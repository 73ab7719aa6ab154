# fenliu 分流: everything a newcomer needs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Rust of one's own, or that which `make setup` brings.
CARGO := $(shell command -v cargo || echo $(HOME)/.cargo/bin/cargo)
# Properties are tried on the same cases in every run; `make test SEED=$$RANDOM` tries others.
SEED := 20180701
# How often the tests kill the service while it works; `make test KILLS=50` is the long form.
KILLS := 12
PACKAGES_BUILD := gcc make pkg-config libpq-dev
PACKAGES_TEST := postgresql systemd

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what building needs (Debian packages, and Rust by rustup if there is none)
	@./deploy/install-packages $(PACKAGES_BUILD)
	@command -v $(CARGO) >/dev/null || ./deploy/install-rust

.PHONY: setup-test
setup-test: setup ## install what testing needs besides (PostgreSQL, Node.js, Python, the programs that tests talk to)
	@./deploy/install-packages $(PACKAGES_TEST)
	@command -v node >/dev/null && command -v npm >/dev/null || ./deploy/install-packages nodejs npm
	@$(MAKE) --no-print-directory tests/peers/node_modules/.package-lock.json
	@python3 -c 'import ensurepip, venv' 2>/dev/null || ./deploy/install-packages python3 python3-venv
	@$(MAKE) --no-print-directory tests/peers/venv/bin/st

# A mail server and an SMS centre that are not ours.
tests/peers/node_modules/.package-lock.json: tests/peers/package.json tests/peers/package-lock.json
	cd tests/peers && npm ci
	@touch $@

# What tries the API against its own description.
tests/peers/venv/bin/st: tests/peers/requirements.txt
	python3 -m venv tests/peers/venv
	tests/peers/venv/bin/pip install --quiet --disable-pip-version-check -r tests/peers/requirements.txt
	@touch $@

.PHONY: run
run: setup ## the main job: a county's calls are diverted, on embedded SQLite, with time running fast
	$(CARGO) run --release --locked -- demo

.PHONY: serve
serve: setup ## the service with real time and config/fenliu.toml
	$(CARGO) run --release --locked -- serve --config config/fenliu.toml

.PHONY: test
test: setup-test ## all tests, on SQLite and on PostgreSQL (started by the tests themselves)
	PROPTEST_RNG_SEED=$(SEED) KILLS=$(KILLS) $(CARGO) test --locked

.PHONY: lint
lint: setup ## formatting, lints, documentation: nothing may be complained of
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

.PHONY: bench
bench: setup-test ## throughput, latency, clocks, alerts, growth; as ratios to pgbench of the same run
	$(CARGO) bench --locked --bench load

.PHONY: audit
audit: setup ## compare the dependencies with RustSec's list of weaknesses, licences and sources (fetches from the network)
	command -v cargo-audit >/dev/null || $(CARGO) install --locked cargo-audit
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) audit
	$(CARGO) deny --locked check

.PHONY: workflows
workflows: setup ## check the shipped workflows and tell their scenarios
	$(CARGO) run --locked -- workflow check workflows/*.yaml
	$(CARGO) run --locked -- workflow test workflows
