# `make run` and `make test` set up everything they need. UV=… or PYTHON=… choose other tools.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test hunt lint bench clean

run: .venv/runtime
	$(BIN)/python -m bot demo

test: .venv/dev
	$(BIN)/python -m pytest

# property tests with new random cases each time, until one fails or HUNTS rounds are over
HUNTS ?= 10
hunt: .venv/dev
	for round in $$(seq $(HUNTS)); do $(BIN)/python -m pytest -m hypothesis --hypothesis-profile=hunt || exit 1; done

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m bench

.venv/runtime: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# the development lock holds the runtime's packages too
.venv/dev: requirements-dev.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@ .venv/runtime

clean:
	rm -rf .venv
