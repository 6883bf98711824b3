# Every target first makes its own .venv from requirements.lock, when that is missing or stale: no other step is needed.
# Plain `python3 -m venv` and pip do; uv is used where present. GNU make 3.81 (macOS) suffices.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup sweep-ultrasound sweep-xray report ui test test-slow lint check confirm-arithmetic format lock clean

# Values given as `make target DATA=...` reach recipes through the environment, so any path works, spaces included.
export DATA PRETRAIN WORKERS SWEEP FORMAT OUT PORT

PYTHON ?=
BIN := .venv/bin
# What requirements.lock holds for; the same range as requires-python in pyproject.toml.
HELD := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

setup: .venv/.stamp ## make .venv from requirements.lock (every other target does so by itself)

sweep-ultrasound: .venv/.stamp ## which blocks to fine-tune: [DATA=folder] [PRETRAIN=folder or weights] [WORKERS=n]
sweep-xray: .venv/.stamp ## the same for chest X-rays: [DATA=folder] [PRETRAIN=folder or weights] [WORKERS=n]
sweep-ultrasound sweep-xray:
	@$(BIN)/thaw run $(@:sweep-%=%) $${DATA:+--data "$$DATA"} $${PRETRAIN:+--pretrain "$$PRETRAIN"} \
	  $${WORKERS:+--workers "$$WORKERS"}

report: .venv/.stamp ## the report of the last sweep: [SWEEP=name] [FORMAT=html|json|csv|markdown] [OUT=folder]
	@$(BIN)/thaw report $${SWEEP:+"$$SWEEP"} $${FORMAT:+--format "$$FORMAT"} $${OUT:+--out "$$OUT"}

ui: .venv/.stamp ## the MLflow UI over all sweeps, on 127.0.0.1 only: [PORT=5000]
	@$(BIN)/thaw ui $${PORT:+--port "$$PORT"}

test: .venv/.stamp ## the tests
	@$(BIN)/python -m pytest

test-slow: .venv/.stamp ## the slow tests: whole sweeps in processes of their own
	@$(BIN)/python -m pytest -m slow

lint: .venv/.stamp ## format, lint and strict types, changing nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

check: lint test-slow test ## all that CI checks: lint, then all tests

confirm-arithmetic: .venv/.stamp ## confirm changed numeric code, if its numbers hold or their version was raised
	@$(BIN)/python -m tests.trainer.golden.confirm

format: .venv/.stamp ## put the code into the one format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

picture: .venv/.stamp ## draw the README's picture anew: the embedded sweep in a home of its own, minutes
	@$(BIN)/thaw run ultrasound --home build/picture
	@$(BIN)/thaw report --home build/picture --out build/picture
	@$(BIN)/python docs/picture.py build/picture/report.html docs/curve.svg

# python-dateutil 4 would take graphene (of mlflow) back to an older release.
lock: ## renew requirements.lock from pyproject.toml (needs uv)
	@echo 'python-dateutil<3' | uv pip compile --universal --python-version 3.11 --fork-strategy fewest --extra dev \
	  --generate-hashes --upgrade --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command 'make lock' --quiet --output-file requirements.lock pyproject.toml -

clean: ## remove .venv and caches, never runs/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist thaw.egg-info
	find sweeps trainer tracking tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The package itself: seconds. Built with the locked setuptools, so that nothing unpinned is fetched.
.venv/.stamp: .venv/.lock-stamp pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The locked packages: minutes, once. Made anew when the lock changes, so that nothing of the old one stays behind.
.venv/.lock-stamp: requirements.lock
	@python=; for each in $(if $(PYTHON),'$(PYTHON)',python3.11 python3.12 python3 python); do \
	  if "$$each" -c '$(HELD)' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'thaw needs Python 3.11 or 3.12: requirements.lock holds for these only, and' >&2; \
	  echo '$(if $(PYTHON),$(PYTHON) is not one.,none of python3.11 python3.12 python3 python is one.)' >&2; \
	  echo 'Install one, or name one: make setup PYTHON=/path/to/python3.11' >&2; \
	  exit 1; \
	fi; \
	if [ "$$(uname -sm)" = 'Darwin x86_64' ]; then \
	  echo 'TensorFlow 2.21 has no package for Macs with Intel processors: use Linux or a Mac with Apple silicon.' >&2; \
	  exit 1; \
	fi; \
	echo "Making .venv with $$python from requirements.lock: some minutes, this once."; \
	"$$python" -m venv --clear .venv && \
	if ! { command -v uv >/dev/null && uv pip install --quiet --python .venv --require-hashes -r requirements.lock; }; \
	then $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; fi
	@touch $@
