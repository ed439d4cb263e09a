# Every target builds what it needs in .venv; nothing else on the machine is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PAGE := src/perdure/console/page/index.html
WEB := $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
CHROMIUM := /usr/bin/chromium
SEED ?= 7
SCHEDULES ?= 200
ROUNDS ?= 10

.PHONY: help demo test check fix sim bench soak lock clean web web-check shots

help:
	@echo "make demo    run the two sample functions of the project's seed on a fresh service"
	@echo "make test    everything that must hold: checks, tests, conformance, chaos"
	@echo "make web     build the console's page"
	@echo "make shots   take a picture of every page of the console, into docs/shots"
	@echo "make check   format, lint, types, layers"
	@echo "make fix     format, and mend what the linter can"
	@echo "make sim     simulate schedules (SEED=7 SCHEDULES=200)"
	@echo "make bench   measure, print a table, write benchmarks/results.json"
	@echo "make soak    three nodes and everything going wrong, again and again (ROUNDS=10)"
	@echo "make lock    resolve the dependencies anew"

$(READY): requirements.lock requirements-conformance.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	    --ignore-requires-python -r requirements-conformance.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	tools/packages.sh
	touch $(READY)

$(PAGE): $(READY) $(WEB)
	$(BIN)/python tools/web.py
	touch $(PAGE)

web: $(PAGE)

web-check: $(READY)
	$(BIN)/python tools/web.py check test

$(CHROMIUM):
	@test "$$(id -u)" = 0 || { echo "the console's tests need Debian's chromium package"; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium

shots: $(PAGE) $(CHROMIUM)
	$(BIN)/python -m tests.web.shots

demo: $(READY) $(PAGE)
	$(BIN)/python -m perdure.cli.demo

test: check web-check $(PAGE) $(CHROMIUM)
	$(BIN)/python tools/test.py

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

sim: $(READY)
	$(BIN)/python -m tests.simulation --seed $(SEED) --schedules $(SCHEDULES)

soak: $(READY)
	PERDURE_SOAK_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -q -s -n 0 tests/nodes/test_endurance.py

bench: $(READY)
	$(BIN)/python -m benchmarks

lock: $(READY)
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
	    --extra server --extra aws --group dev pyproject.toml -o requirements.lock
	printf 'setuptools>=77\n' | $(BIN)/uv pip compile --quiet --generate-hashes \
	    --no-emit-index-url --python-version 3.13 --extra server --extra postgres \
	    --custom-compile-command 'make lock' pyproject.toml - -o deploy/requirements.lock
	printf 'aws-durable-execution-conformance-tests==1.0.0\n' | $(BIN)/uv pip compile --quiet \
	    --generate-hashes --no-emit-index-url --no-deps --python-version 3.14 - \
	    -o requirements-conformance.lock

clean:
	rm -rf $(VENV) $(dir $(PAGE)) web/node_modules .perdure build dist .pytest_cache .ruff_cache .hypothesis
