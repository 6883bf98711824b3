# Every target first makes its own .venv from requirements.lock, when that is missing or stale: no other step is needed.
# Plain `python3 -m venv` and pip do; uv is used where present. GNU make 3.81 (macOS) suffices.
# `make setup EXTRAS=medical` adds what requirements-medical.lock holds; several extras stand in quotes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup sweep-ultrasound sweep-xray report ui test test-slow mutants fuzz bench audit lint check confirm-arithmetic format lock clean

# Values given as `make target DATA=...` reach recipes through the environment, so any path works, spaces included.
export DATA MASKS PRETRAIN WORKERS SWEEP FORMAT OUT PORT COUNT SEED PROFILE ROUNDS ONLY

PYTHON ?=
EXTRAS ?=
# The extras that users may install, each with a lock of its own; `dev` is part of requirements.lock.
KNOWN_EXTRAS := dashboard jax jax-cuda medical postgresql ray tensorflow-cuda
BIN := .venv/bin
# What requirements.lock holds for; the same range as requires-python in pyproject.toml.
HELD := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

setup: .venv/.stamp $(EXTRAS:%=.venv/.extra-%) ## make .venv (every other target does so by itself): [EXTRAS='dashboard medical']

sweep-ultrasound: .venv/.stamp ## which blocks to fine-tune: [DATA=folder] [MASKS=folder] [PRETRAIN=folder or weights] [WORKERS=n]
sweep-xray: .venv/.stamp ## the same for chest X-rays: [DATA=folder] [PRETRAIN=folder or weights] [WORKERS=n]
sweep-ultrasound sweep-xray:
	@$(BIN)/thaw run $(@:sweep-%=%) $${DATA:+--data "$$DATA"} $${MASKS:+--masks "$$MASKS"} $${PRETRAIN:+--pretrain "$$PRETRAIN"} \
	  $${WORKERS:+--workers "$$WORKERS"}

report: .venv/.stamp ## the report of the last sweep: [SWEEP=name] [FORMAT=html|json|csv|markdown] [OUT=folder]
	@$(BIN)/thaw report $${SWEEP:+"$$SWEEP"} $${FORMAT:+--format "$$FORMAT"} $${OUT:+--out "$$OUT"}

ui: .venv/.stamp ## the MLflow UI over all sweeps, on 127.0.0.1 only: [PORT=5000]
	@$(BIN)/thaw ui $${PORT:+--port "$$PORT"}

test: .venv/.stamp ## the tests
	@$(BIN)/python -m pytest

test-slow: .venv/.stamp ## the slow tests: whole sweeps in processes of their own
	@$(BIN)/python -m pytest -m slow

mutants: .venv/.stamp ## do the tests bite? drawn changes of the numeric modules: [COUNT=40] [SEED=0]
	@$(BIN)/python tests/mutants.py $${COUNT:+--count "$$COUNT"} $${SEED:+--seed "$$SEED"}

fuzz: .venv/.stamp ## mangled inputs, each read rightly or refused in words: [COUNT=1000] [SEED=0]
	@$(BIN)/python -m tests.fuzz $${COUNT:+--cases "$$COUNT"} $${SEED:+--seed "$$SEED"}

bench: .venv/.stamp ## thaw against the loop written by hand: [PROFILE=busi|quick] [ROUNDS=3] [ONLY='a+,b1,kinds'] [OUT=numbers.json]
	@$(BIN)/python -m tests.benchmarks.yardstick $${PROFILE:+--profile "$$PROFILE"} $${ROUNDS:+--rounds "$$ROUNDS"} \
	  $${ONLY:+--only "$$ONLY"} $${OUT:+--json "$$OUT"}

audit: .venv/.stamp ## known vulnerabilities of the locked packages, where the database osv.dev can be reached
	@$(BIN)/python -m tests.audit

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

.PHONY: commands picture
commands: .venv/.stamp ## write docs/commands.md from the program
	@$(BIN)/python docs/make_commands.py docs/commands.md

picture: .venv/.stamp ## draw the README's figure again: the embedded sweep in a home of its own, minutes
	@$(BIN)/thaw run ultrasound --home build/picture
	@$(BIN)/thaw report --home build/picture --out build/picture
	@$(BIN)/python docs/picture.py build/picture/report.html docs/curve.svg

COMPILE = uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --upgrade \
  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' --quiet

# python-dateutil 4 would take graphene (of mlflow) back to an older release.
# The lock of an extra holds what it adds to requirements.lock, at versions that agree with it.
lock: ## renew requirements.lock and the lock of each extra from pyproject.toml (needs uv)
	@echo 'python-dateutil<3' | $(COMPILE) --extra dev --output-file requirements.lock pyproject.toml -
	@for extra in $(KNOWN_EXTRAS); do \
	  $(COMPILE) --extra $$extra --constraint requirements.lock --output-file requirements-$$extra.lock \
	    $$(sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' requirements.lock) pyproject.toml || exit 1; \
	done

clean: ## remove .venv and caches, never runs/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist thaw.egg-info
	find sweeps trainer tracking tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The package itself: seconds. Built with the locked setuptools, so that nothing unpinned is fetched.
.venv/.stamp: .venv/.lock-stamp pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# An extra: seconds, into the .venv that is there.
.venv/.extra-%: requirements-%.lock .venv/.stamp
	@if ! { command -v uv >/dev/null && uv pip install --quiet --python .venv --no-deps --require-hashes -r $<; }; \
	then $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<; fi
	@touch $@

requirements-%.lock:
	@echo "thaw has no extra '$*'. Extras: $(KNOWN_EXTRAS). For instance: make setup EXTRAS=$(firstword $(KNOWN_EXTRAS))" >&2
	@exit 1

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
