# A fresh machine needs Python 3.11 and make. `make demo` installs everything into .venv and serves the demo;
# `make test` adds what the tests need and runs them. A second run reuses what the first one installed.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := .make
# Compiled once: a machine that forbids bytecode in its environment would compile everything at every start.
export PYTHONDONTWRITEBYTECODE :=
# pip cannot see uv's cache and uv may be missing (an architecture without a binary): both read the same locks.
into = $(shell test -x $(BIN)/uv && echo "$(BIN)/uv pip install --quiet --compile-bytecode --python $(1)/bin/python" || echo "$(1)/bin/python -m pip install --quiet --disable-pip-version-check")
INSTALL = $(call into,$(VENV))
# A client of SCIM that wants other versions of the same libraries than RSE: in an environment of its own.
CANAILLE := $(STAMPS)/canaille
SETUPS := $(wildcard plugins/*/setup.cfg adapters/*/setup.cfg examples/*/setup.cfg)
DISTS  := $(patsubst %/setup.cfg,%,$(SETUPS))
WORKERS ?= auto
ARGS   ?=

.PHONY: demo run-env dev-env canaille-env test lint format mypy i18n i18n-check vendor vendor-check wheels lock bench clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo    install, migrate, seed and serve the demo"
	@echo "make test    install what tests need and run them (ARGS='-k word' for a part)"
	@echo "make lint    ruff, mypy, import-linter, words, vendored files, translations"
	@echo "make format  mend what ruff can, for ARGS='plugins/likes' or everything"
	@echo "make i18n    extract, update and compile the message catalogues"
	@echo "make vendor  copy the front-end files from npm     make wheels  build every distribution into dist/"
	@echo "make lock    resolve requirements/*.in again       make bench   run the benchmarks"
	@echo "make clean   remove what these commands made"

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit("RSE needs Python 3.11 or later; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo "uv cannot be installed here: going on with pip"
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/venv requirements/run.lock
	$(INSTALL) --require-hashes -r requirements/run.lock
	@touch $@

$(STAMPS)/editable: $(STAMPS)/run setup.cfg pyproject.toml $(SETUPS)
	$(INSTALL) --no-deps --no-build-isolation -e . $(foreach dist,$(DISTS),-e ./$(dist))
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements/dev.lock
	$(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

$(CANAILLE)/installed: $(STAMPS)/venv requirements/canaille.lock
	test -x $(CANAILLE)/bin/python || $(PYTHON) -m venv $(CANAILLE)
	$(call into,$(CANAILLE)) --require-hashes -r requirements/canaille.lock
	@touch $@

run-env: $(STAMPS)/editable

dev-env: $(STAMPS)/editable $(STAMPS)/dev

canaille-env: $(CANAILLE)/installed

demo: run-env
	$(BIN)/rse demo $(ARGS)

# Each worker begins with a part of its own, so that what a module sets up is set up once; who is done helps the others.
test: dev-env
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: dev-env
	$(BIN)/ruff check .
	$(MAKE) --no-print-directory mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_words.py
	$(BIN)/python tools/vendor.py --manifest-only
	$(BIN)/python tools/i18n.py --check

format: dev-env
	$(BIN)/ruff check --fix --quiet $(or $(ARGS),.)
	$(BIN)/ruff format $(or $(ARGS),.)

mypy: dev-env
	$(BIN)/mypy rse_core $(dir $(wildcard plugins/*/rse_*/__init__.py adapters/*/rse_*/__init__.py examples/*/rse_*/__init__.py))

i18n: dev-env
	$(BIN)/python tools/i18n.py

i18n-check: dev-env
	$(BIN)/python tools/i18n.py --check

vendor: run-env
	npm ci --ignore-scripts --no-audit --no-fund
	$(BIN)/python tools/vendor.py

vendor-check: run-env
	npm ci --ignore-scripts --no-audit --no-fund
	$(BIN)/python tools/vendor.py --check

wheels: dev-env
	$(BIN)/python tools/wheels.py dist

lock: $(STAMPS)/venv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url requirements/run.in --output-file requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url requirements/dev.in --output-file requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url requirements/canaille.in --output-file requirements/canaille.lock

bench: dev-env
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(STAMPS) build dist node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +
