# The two commands of the README, and their helpers. `make help` lists them.
PYTHON ?= python3
PROFILE ?= $(shell sed -n 's/^profile: *\([a-z0-9_]*\).*/\1/p' params.yaml)
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help environment plan table1 test test-slow check format restore record verify keep crate croissant dvc.yaml ui lock

help: ## this list
	@sed -n 's/^\([a-z0-9.-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(VENV)/.complete: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "error: $(PYTHON) is not Python 3.11; say PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.lock
	@touch $@

environment: $(VENV)/.complete ## the pinned environment, in .venv

table1: environment ## Table 1 of PROFILE (default: as params.yaml says)
	snakemake --cores all --config profile=$(PROFILE) -- reproduce_table1
	@echo; cat reports/$(PROFILE)/table1.md

plan: environment ## what PROFILE costs, before anything runs: GPU-hours, memory, disk, days on N GPUs
	python -m mdrnets plan --profile $(PROFILE)

test: environment check ## linters and tests
	OMP_NUM_THREADS=1 python -m pytest -n auto --dist loadfile

test-slow: environment ## the tests that take minutes
	OMP_NUM_THREADS=1 python -m pytest -m slow

check: environment ## linters alone
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	codespell
	mypy
	snakemake --lint

format: environment ## what the formatters would change
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

dvc.yaml: environment ## write dvc.yaml anew from the table of stages, for PROFILE
	python workflow/dvc_yaml.py --profile $(PROFILE)

restore: environment ## after `dvc pull`: Snakemake takes the files for current, their records are back
	snakemake --cores 1 --touch --config profile=$(PROFILE) -- reproduce_all
	python -m mdrnets records unpack --profile $(PROFILE)

record: environment ## after a run: DVC takes the results for its own, and who made them for `dvc push`
	dvc commit --force
	python -m mdrnets records pack --profile $(PROFILE)
	dvc add --quiet records/$(PROFILE).zip

verify: environment ## compare PROFILE's tables with its kept run, cell by cell
	snakemake --cores all --config profile=$(PROFILE) -- verify

keep: environment ## keep PROFILE's run in reports/reference/, for `make verify` and README.md
	python -m mdrnets keep --profile $(PROFILE)
	python -m mdrnets readme

crate: environment ## PROFILE's run as a Workflow Run RO-Crate
	python -m mdrnets crate --profile $(PROFILE)

croissant: environment ## PROFILE's splits and masks as a Croissant description
	python -m mdrnets croissant --profile $(PROFILE)

ui: environment ## the tracked runs in a browser
	mlflow ui --backend-store-uri sqlite:///mlflow.db

lock: ## requirements.lock and environment.yml anew from pyproject.toml
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet --group dev . && .venv-lock/bin/python -m pip uninstall --quiet --yes mdrnets
	{ echo '# Exact versions for Python 3.11; made by `make lock` from pyproject.toml.'; \
	  .venv-lock/bin/python -m pip freeze | sed -E 's/^((nvidia|cuda|triton).*)/\1 ; sys_platform == "linux"/'; } > requirements.lock
	rm -r .venv-lock
	{ sed '/- pip:/q' environment.yml; tr '"' "'" < requirements.lock | sed -E '/^#/d; s/(.*)/      - "\1"/'; } > environment.new
	mv environment.new environment.yml
