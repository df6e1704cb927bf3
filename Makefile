# `make demo` and `make test` need python3 >= 3.11 with venv, gcc, git and make; nothing else.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
SHELL := /bin/bash
# Images of containers often set it. Every test that starts Python would compile the whole package again.
unexport PYTHONDONTWRITEBYTECODE

# The newest Python that can make a venv (Debian splits venv off as python3-venv). `make PYTHON=... demo` overrides.
PYTHON ?= $(shell for candidate in python3.14 python3.13 python3.12 python3.11 python3; do \
	"$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' \
	>/dev/null 2>&1 && { echo "$$candidate"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# uv resolves once for every Python and platform; the result names no host, so any mirror serves it.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	pyproject.toml --group build
DEMO := --extra demo --extra asgi

# One worker a processor; the tests of a file share what they set up, so they stay on one.
IN_PARALLEL = $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

##@ The two that matter
.PHONY: demo
demo: $(VENV)/.demo ## set up, run the study `concurrency`, print its verdict and where the report is
	$(BIN)/profpipe run concurrency

.PHONY: test
test: $(VENV)/.dev ## set up for development and run the tests; some of them: make test T=tests/parse, T="-k flame"
ifdef T
	$(BIN)/python -m pytest $(T)
else
	$(IN_PARALLEL) -m "not alone"
	$(BIN)/python -m pytest -m alone
endif

.PHONY: quick
quick: $(VENV)/.dev ## the tests that start no other program, open no socket and simulate nothing: about a minute
	$(IN_PARALLEL) --hypothesis-profile=quick -m "not slow and not programs and not real and not alone"

.PHONY: seed
seed: $(VENV)/.demo ## the study that profpipe grew from, on real Rust servers: about 15 minutes, needs cargo and `make tools`
	@command -v cargo >/dev/null || { echo "cargo not found: install Rust 1.85 or newer, https://rustup.rs" >&2; exit 1; }
	@echo "cargo builds ten servers in targets/rust and keeps their crates in its own folder (CARGO_HOME)."
	$(BIN)/profpipe run seed-fairness
	$(BIN)/profpipe run seed

##@ Development
.PHONY: lint
lint: $(VENV)/.dev ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: bench
bench: $(VENV)/.dev ## our speed and memory beside the peers' tools, measured side by side
	$(BIN)/python -m bench

.PHONY: fuzz
fuzz: $(VENV)/.dev ## damaged captures through the readers: make fuzz T=dhat S=600; all formats without T
	$(BIN)/python -m tests.support.fuzz $(T) --seconds $(or $(S),300)

.PHONY: aa
aa: $(VENV)/.dev ## how often a verdict is false: A/A comparisons of real rounds and of real starts (docs/statistics.md)
	$(BIN)/python -m bench.aa
	$(MAKE) --no-print-directory -C targets/c
	$(BIN)/python -m bench.slices_aa

# The servers run on this Python too: from 3.12 on, callgrind counts the instructions of each Python function.
.PHONY: causes
causes: $(VENV)/.web ## which planted causes are named; some: make causes C="regex deepcopy"; of others: make causes LANG=go
	$(BIN)/python -m bench.causes $(if $(filter go node jvm,$(LANG)),--language $(LANG)) $(C)

# Needs the registries of Python, npm, Go and Rust, and Python 3.12.
.PHONY: bumps
bumps: $(VENV)/.dev ## documented bumps of a dependency: verdict, gate and cause; some: make bumps B="tomli mux"
	$(BIN)/python -m bench.bumps $(B)
	$(BIN)/python -m bench.no_change 20

.PHONY: docs schema
docs schema: $(VENV)/.demo ## write the generated pages of docs/ and the JSON Schemas again from the code
	$(BIN)/python -m docs.generate

.PHONY: frontend
frontend: frontend/node_modules/.package-lock.json ## build templates/assets again from frontend/ (needs node; the result is checked in)
	cd frontend && npm run check && npm run build

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund --silent

.PHONY: examples
examples: $(VENV)/.demo ## measure the committed example reports again (studies `concurrency` and `seed`)
	$(BIN)/profpipe run concurrency
	$(BIN)/profpipe report concurrency --output reports/examples/concurrency
	$(BIN)/profpipe run seed
	$(BIN)/profpipe report seed --output reports/examples/seed

.PHONY: lock
lock: ## resolve the three lock files again (needs uv)
	$(LOCK) $(DEMO) --output-file requirements.lock
	$(LOCK) $(DEMO) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(LOCK) --extra web --constraint requirements-dev.lock --output-file requirements-web.lock

.PHONY: setup
setup: $(VENV)/.demo ## only the locked install

##@ The machine
TOOLS := valgrind wrk nghttp2-client linux-perf chromium
.PHONY: tools
tools: ## install the Debian packages that profpipe uses when present
	$(if $(filter 0,$(shell id -u)),,sudo )apt-get update
	$(if $(filter 0,$(shell id -u)),,sudo )apt-get install --yes --no-install-recommends $(TOOLS)

.PHONY: clean
clean: ## remove the venv, caches and builds; reports stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis frontend/node_modules
	find src tests targets docs bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z ]*:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.14 with venv found: apt install python3 python3-venv" >&2; exit 1; }
	@if ! $(PIP) --version >/dev/null 2>&1; then \
		echo "Making $(VENV) with $(PYTHON); the locked install takes about a minute."; \
		rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); fi
	@touch $@

# hatchling is in the lock and the build is not isolated: nothing is fetched that has no hash.
$(VENV)/.demo: requirements.lock pyproject.toml | $(VENV)/.made
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.web: requirements-web.lock $(VENV)/.demo
	@$(PIP) install --require-hashes -r requirements-web.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.demo
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
