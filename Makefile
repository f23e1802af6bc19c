# Every target makes its own environment in .venv; nothing is installed on the system.
SHELL := /bin/bash
PYTHON ?= python3
UV := .tools/bin/uv
STAMP := .venv/.setpoint-ready

.PHONY: setup demo check test spark bench resilience docs clean
.DEFAULT_GOAL := setup

$(UV):
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools uv

$(STAMP): $(UV) pyproject.toml uv.lock
	$(UV) sync --frozen --compile-bytecode --quiet
	@touch $(STAMP)

setup: $(STAMP)  ## make the environment

demo: setup  ## the whole loop on a generated business, in about a minute
	$(UV) run --frozen setpoint demo

check: setup  ## format, lint, types, imports
	$(UV) run --frozen ruff format --check .
	$(UV) run --frozen ruff check .
	$(UV) run --frozen mypy
	$(UV) run --frozen lint-imports

test: setup  ## every test
	$(UV) run --frozen pytest -n 2 --dist worksteal -q
	@if command -v java >/dev/null; then $(MAKE) --no-print-directory spark; \
	else echo "left out, for want of java: make spark"; [ -z "$$CI" ]; fi

spark: setup  ## the tests on Spark, which is half a gigabyte and has an environment of its own; needs java
	$(UV) run --frozen --isolated --group spark pytest -q tests/batch/test_spark.py

bench: setup  ## ratios, measured side by side
	$(UV) run --frozen python -m benchmarks

resilience: setup  ## switches, kills and crashes of a gateway under load, counted; about ten minutes
	$(UV) run --frozen python -m benchmarks.resilience

docs: setup  ## the tests that hold the documentation to the code
	$(UV) run --frozen pytest -q tests/docs

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis
