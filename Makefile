# make repro: set up and run the whole pipeline on the phantom.   make test: set up, lint, type-check, test.
# make docs: the manual, into site/.
PYTHON ?= python3.11
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: repro in-git test slow-test coverage docs deps lock audit clean

repro: in-git $(VENV)/.installed
	dvc repro
	@python -m bycase.report.summary

# DVC works in a Git repository whose top this folder is; a downloaded ZIP is none.
in-git:
	@test -e .git || grep -qs no_scm .dvc/config.local || { echo "$(CURDIR) is not the top of a Git repository: run 'git init && git add --all && git commit -m start' in it, or clone the project; without Git, 'dvc config --local core.no_scm true' (no experiments then)" >&2; exit 1; }

test: $(VENV)/.installed-dev
	ruff check .
	ruff format --check .
	mypy
	pytest

slow-test: $(VENV)/.installed-dev
	pytest -m "slow or not slow"

# By package, then the lines that no test reaches where every one is accounted for.
coverage: $(VENV)/.installed-dev
	coverage erase
	pytest --cov --cov-report=
	@for folder in bycase/*/ stages/; do printf '%-20s %s %%\n' "$$folder" "$$(coverage report --include="$$folder*" --format=total)"; done
	coverage report --include='bycase/statistics/*,bycase/datasets/*' --show-missing --skip-covered --fail-under=100

# A dead link, or a page that is not in the navigation, fails the build.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11, 4) <= sys.version_info < (3, 12) else "Python 3.11.4 or a later 3.11 is needed (safe unpacking of archives); say where it is: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@touch $@

# The code that every stage reaches, into the `deps` of the three dvc.yaml.
deps: $(VENV)/.installed-dev
	PYTHONPATH=. python tests/house.py

# The lock files name versions only: no index, no path of the machine that resolved them.
lock: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" pip-compile --quiet --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --upgrade requirements.in -o requirements.txt
	CUSTOM_COMPILE_COMMAND="make lock" pip-compile --quiet --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --strip-extras --upgrade requirements-dev.in -o requirements-dev.txt

audit: $(VENV)/.installed-dev
	pip-audit --strict --no-deps --disable-pip -r requirements.txt

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache
