# The two commands of the README, and their helpers. `make help` lists them.
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(shell for name in python3.13 python3.12 python3.11 python3; do \
	if $$name -c '$(SUPPORTED)' 2> /dev/null; then echo $$name; break; fi; done),python3)
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
PROFILE ?= $(or $(shell PATH="$(PATH)" python -m mdrnets profile),$(error params.yaml names no profile))

.DEFAULT_GOAL := help
.PHONY: help environment development status plan table1 test test-slow test-mutations check format restore record verify keep crate croissant dvc.yaml ui lock

help: ## list the targets
	@sed -n 's/^\([a-z0-9.-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(VENV)/.complete: requirements.lock
	@$(PYTHON) -c '$(SUPPORTED)' 2> /dev/null || { echo "error: $(PYTHON): not a Python 3.11, 3.12 or 3.13 with the" \
		"module venv; install one, or pass PYTHON=/path/to/python3.13" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
ifeq ($(TORCH),cpu) # for machines without a GPU: no libraries of CUDA
	$(VENV)/bin/python -m pip install --quiet --no-deps --index-url https://download.pytorch.org/whl/cpu \
		$$(grep -oE '^torch(vision)?==[^ ]+' requirements.lock)
	awk '/^[a-z]/ { cuda = /^(cuda-|nvidia-|torch|triton)/ } !cuda' requirements.lock > $(VENV)/cpu.lock
	$(VENV)/bin/python -m pip install --quiet --requirement $(VENV)/cpu.lock
else
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.lock
endif
	$(VENV)/bin/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.complete-development: $(VENV)/.complete requirements-dev.lock
	$(VENV)/bin/python -m pip install --quiet --requirement requirements-dev.lock
	@touch $@

environment: $(VENV)/.complete ## install the pinned environment into .venv (TORCH=cpu: without CUDA)
	@test -e .git || dvc config --quiet --local core.no_scm true # unpacked from an archive

development: $(VENV)/.complete-development ## also install the linters and the packages of the tests

table1: environment ## make Table 1 of PROFILE (default: the one of params.yaml)
	snakemake --cores all --config profile=$(PROFILE) -- reproduce_table1
	@echo; python -m mdrnets results --profile $(PROFILE)

plan: environment ## print what PROFILE costs before anything runs: GPU-hours, memory, disk, days on N GPUs
	python -m mdrnets plan --profile $(PROFILE)

status: environment ## print what of PROFILE is done, running, failed and left
	python -m mdrnets status --profile $(PROFILE)

test: development check ## run linters and tests
	OMP_NUM_THREADS=1 python -m pytest -n auto --dist loadfile

test-slow: development ## run the tests that take minutes
	OMP_NUM_THREADS=1 python -m pytest -m slow

test-mutations: development ## break lines that tests must protect, and expect a failing test for each
	OMP_NUM_THREADS=1 python -m pytest -m "slow or not slow" tests/mutation

check: development ## run the linters
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow
	codespell
	mypy
	snakemake --lint

format: development ## format the code
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow

dvc.yaml: environment ## write dvc.yaml for PROFILE
	python workflow/dvc_yaml.py --profile $(PROFILE)

restore: environment ## after `dvc pull`: restore the run records and tell Snakemake that the files are current
	python -m mdrnets records unpack --profile $(PROFILE)
	python -m stages.code --profile $(PROFILE)
	python -m mdrnets records check --profile $(PROFILE)
	snakemake --cores 1 --touch --forceall --config profile=$(PROFILE) -- reproduce_all

record: dvc.yaml ## after a run: record its results and run records in DVC, for `dvc push`
	python -m stages.code --profile $(PROFILE)
	python -m mdrnets records check --complete --profile $(PROFILE)
	dvc commit --force
	python -m mdrnets records pack --profile $(PROFILE)
	dvc add --quiet records/$(PROFILE).zip

verify: environment ## compare PROFILE's tables with its reference run, cell by cell
	snakemake --cores all --config profile=$(PROFILE) -- verify

keep: environment ## save PROFILE's run as a reference run, for `make verify` and README.md
	python -m mdrnets keep --profile $(PROFILE)
	python -m mdrnets readme

crate: environment ## export PROFILE's run as a Workflow Run RO-Crate
	python -m mdrnets crate --profile $(PROFILE)

croissant: environment ## describe PROFILE's splits and masks in Croissant
	python -m mdrnets croissant --profile $(PROFILE)

ui: environment ## show the runs of PROFILE in a browser (MLflow)
	python -m mdrnets ui --profile $(PROFILE)

LOCK = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command 'make lock' $(UPGRADE)

lock: ## write the lock files and environment.yml from pyproject.toml; for new versions: UPGRADE=--upgrade
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	$(LOCK) pyproject.toml --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock
	rm -r .venv-lock
	{ sed '/- pip:/q' environment.yml; \
	  sed -nE 's/^([a-z0-9][^\\]*[^\\ ]).*/      - "\1"/p' requirements.lock; } > environment.new
	mv environment.new environment.yml
