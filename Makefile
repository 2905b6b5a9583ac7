# make repro: set up and run the whole pipeline on the phantom.   make test: set up, lint, type-check, test.
# make serve: a page that classifies images.   make docs: the manual, into site/.   make extras: what a search, the page,
# exports, HEIC and DICOM need, and ImageNet weights of further variants.
# PYTHON=/path/to/python3.12: another than the newest found.   GPU=1: TensorFlow's CUDA libraries; GPU=0: without.
# UV=: pip, where uv is installed.
PYTHON ?=
GPU ?=
UV ?= $(shell command -v uv)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

INSTALL := $(if $(UV),"$(UV)" pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)
EXTRAS := export formats hub serve tune weights
EVERYTHING := $(EXTRAS) dev docs
# What was installed for a GPU stays until GPU=0.
READY := $(VENV)/.installed $(if $(filter 1,$(or $(GPU),$(if $(wildcard $(VENV)/.installed-cuda),1))),$(VENV)/.installed-cuda)

.PHONY: repro ready in-git serve extras test quick-test slow-test coverage check docs deps lock platforms audit clean FORCE
.SECONDARY:

repro: in-git $(READY)
	@python -m bycase.core.machine
	dvc repro
	@python -m bycase.report.summary

ready: $(READY)

# DVC works in a Git repository whose top this folder is; a downloaded ZIP is none.
in-git:
	@test -e .git || grep -qs no_scm .dvc/config.local || { echo "$(CURDIR) is not the top of a Git repository: run 'git init && git add --all && git commit -m start' in it, or clone the project; without Git, 'dvc config --local core.no_scm true' (no experiments then)" >&2; exit 1; }

# The options of `bycase serve`: make serve ARGS="--port 8090"
serve: $(READY) $(VENV)/.installed-serve
	bycase serve $(ARGS)

extras: $(READY) $(EXTRAS:%=$(VENV)/.installed-%)

test: check
	pytest

# What takes a few minutes: the floors without networks, what export and locks do, and one run of the pipeline.
QUICK := $(addprefix tests/bycase/,core tables datasets images statistics apps/export/test_write.py test_cli.py) tests/test_locks.py tests/pipeline/test_repro.py::test_every_output_of_the_contract_is_there
quick-test: $(READY) $(VENV)/.installed-all
	pytest $(QUICK)

slow-test: $(READY) $(VENV)/.installed-all
	pytest -m "slow or not slow"

check: $(READY) $(VENV)/.installed-all
	ruff check .
	ruff format --check .
	mypy

# By package, then the lines that no test reaches where every one is accounted for. A process that a test kills leaves a
# file without data.
coverage: $(READY) $(VENV)/.installed-all
	coverage erase
	pytest --cov --cov-report=
	@rm -f .coverage.*
	@for folder in $(sort $(dir $(wildcard bycase/*/__init__.py))) stages/; do printf '%-20s %s %%\n' "$$folder" "$$(coverage report --include="$$folder*" --format=total)"; done
	coverage report --include='bycase/statistics/*,bycase/datasets/*' --show-missing --skip-covered --fail-under=100

# A dead link, or a page that is not in the navigation, fails the build.
docs: $(READY) $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 python -m mkdocs build --strict

FORCE:
$(VENV)/.made: FORCE
	@.ci/venv "$(VENV)" "$(PYTHON)" "$(GPU)" "$(UV)"

$(VENV)/.installed: $(VENV)/.made requirements.txt pyproject.toml
	$(INSTALL) -r requirements.txt
	$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.installed-all: $(VENV)/.installed $(EVERYTHING:%=requirements-%.txt)
	$(INSTALL) $(EVERYTHING:%=-r requirements-%.txt)
	@touch $@ $(EVERYTHING:%=$(VENV)/.installed-%)

$(VENV)/.installed-%: requirements-%.txt $(VENV)/.installed
	$(INSTALL) -r $<
	@touch $@

# The code that every stage reaches, into the `deps` of the three dvc.yaml.
deps: $(READY) $(VENV)/.installed-dev
	PYTHONPATH=. python tests/house.py

# From pyproject.toml, for every Python and system at once; UPGRADE=1 takes the newest versions of all.
lock: $(READY) $(VENV)/.installed-dev
	$(INSTALL) uv
	python tests/locks.py write $(if $(filter 1,$(UPGRADE)),--upgrade)

# What has no wheel for a Python or a system, into docs/how-to/install.md; asks the package index.
platforms: $(READY) $(VENV)/.installed-dev
	$(INSTALL) uv
	python tests/locks.py platforms

audit: $(READY) $(VENV)/.installed-dev
	pip-audit --strict --no-deps --disable-pip -r requirements.txt

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache
