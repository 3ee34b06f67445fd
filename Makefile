# `make` alone lists the commands. Each installs what it needs into .venv first, which is quick the second time.

BIN := .venv/bin
PYTEST_WORKERS ?= 2
PYTEST_ARGS ?=
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
PYTHON ?=
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts dependencies spelling format lock wheel real-model bench runtime dev clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: runtime ## one job from spec to verified commit, on a bundled repository, with a scripted model
	@$(BIN)/thirdshift demo

test: dev ## all tests
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) $(PYTEST_ARGS)

check: lint types contracts dependencies spelling test ## what CI runs: everything below, and the tests

lint: dev ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: dev ## mypy, strict
	$(BIN)/mypy

contracts: dev ## import-linter: the layers stay layers
	$(BIN)/lint-imports

dependencies: dev ## deptry: every import is declared, every dependency is used
	$(BIN)/deptry .

spelling: dev ## typos
	$(BIN)/typos

format: dev ## ruff writes the layout
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

real-model: dev ## one job with a real language model on the lowest rung; fetches 130 MB once, takes minutes
	THIRDSHIFT_REAL_MODEL=1 $(BIN)/python -m pytest $(PYTEST_ARGS) tests/e2e/test_real_model.py

bench: dev ## every benchmark, quick
	@for script in bench/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script" --quick || exit; done

wheel: dev ## dist/*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# uv has an environment of its own: nothing but this needs it. No index and no path of this machine gets into a lock.
lock: .cache/lock-env/bin/uv ## remake both locks from pyproject.toml
	.cache/lock-env/bin/$(LOCK) --upgrade pyproject.toml requirements-build.in -o requirements.lock
	.cache/lock-env/bin/$(LOCK) --upgrade --extra dev --constraint requirements.lock pyproject.toml requirements-build.in -o requirements-dev.lock

.cache/lock-env/bin/uv: | dev
	$(BIN)/python -m venv .cache/lock-env
	.cache/lock-env/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

runtime:
	@scripts/install.sh runtime

dev:
	@scripts/install.sh dev

clean: ## what tools left behind
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## that, the environment and the downloads
	rm -rf .venv .cache
