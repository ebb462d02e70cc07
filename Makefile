# The two commands of the README: `make try` and `make test`. `make` alone lists all.
PYTHON ?= python3
BIN := .venv/bin
EXAMPLE ?= examples/rock-bass.mid
SECONDS ?= 600
OUT ?= build/$(notdir $(EXAMPLE:.mid=.drums.mid))

.PHONY: help try test lint fuzz clean
help:            ## list the tasks
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/  /'

try: .venv/base  ## set up and add drums to an example
	@mkdir -p build
	$(BIN)/composer drums $(EXAMPLE) -o $(OUT) --force

test: .venv/dev  ## set up and run linters and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

lint: .venv/dev  ## mend what the linters can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: .venv/fuzz ## look for files that break the reader, for SECONDS=600
	@mkdir -p build/fuzz
	cd build/fuzz && ../../$(BIN)/python ../../tests/fuzz/fuzz_midi.py corpus -max_total_time=$(SECONDS)

clean:           ## remove what make made
	rm -rf .venv build *.egg-info

.venv/base: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/fuzz: .venv/base
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[fuzz]'
	@touch $@

.venv/dev: .venv/base
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
