# Jizhun: `make run` and `make test` are all a newcomer needs; both set everything up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.jizhun-setup
UV := $(shell command -v uv 2>/dev/null)
# Prefect: no analytics, a home of the project's own, time enough for a cold start.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# Bureaus sit behind proxies with certificates of their own: trust what the machine trusts.
export UV_SYSTEM_CERTS := true
export UV_NATIVE_TLS := true

.DEFAULT_GOAL := help
.PHONY: help setup run test check format bench fuzz docs clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1	\2/'

setup: $(STAMP)  ## make .venv with the locked versions

$(STAMP): pyproject.toml uv.lock
ifeq ($(UV),)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --inexact --quiet --python $(BIN)/python
else
	test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	UV_PROJECT_ENVIRONMENT=$(VENV) $(UV) sync --frozen --inexact --quiet --python $(BIN)/python
endif
	touch $(STAMP)

run: setup  ## the main job on sample_data/
	$(BIN)/jizhun run sample_data/REGION.toml

test: setup  ## the whole test suite (real-data tests run where JIZHUN_REAL_DATA is found)
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: setup  ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## bring the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## every benchmark against its peer
	for b in benchmarks/*.py; do $(BIN)/python $$b || exit 1; done

fuzz: setup  ## damage files at random, 10 minutes for each reader; FUZZ_MINUTES=1 for a short look
	$(BIN)/python tests/fuzz/fuzz_readers.py --minutes $(or $(FUZZ_MINUTES),10)

docs: setup  ## check that the documents' links and commands exist
	$(BIN)/python -m pytest -q tests/test_documents.py

clean:  ## remove what setup and run made
	rm -rf $(VENV) .jizhun .fuzz catalogue .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
