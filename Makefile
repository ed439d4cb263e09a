# Every target builds what it needs in .venv; nothing else on the machine is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SEED ?= 7
SCHEDULES ?= 200
ROUNDS ?= 10

.PHONY: help demo test check fix sim bench soak lock clean

help:
	@echo "make demo    run the two sample functions of the project's seed on a fresh service"
	@echo "make test    everything that must hold: checks, tests, conformance, chaos"
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
	tools/postgres.sh
	touch $(READY)

demo: $(READY)
	$(BIN)/python -m perdure.cli.demo

test: check
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
	rm -rf $(VENV) .perdure build dist .pytest_cache .ruff_cache .hypothesis
