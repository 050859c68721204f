# `make` alone lists what there is. Everything installs what it needs first, into .venv and node_modules.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := $(wildcard libs/*/pyproject.toml libs/*/src/*/*.c services/*/pyproject.toml local/pyproject.toml)
WORKERS ?= 2
# Tests wait for servers for a part of their time.
TESTERS := $(if $(filter command line environment,$(origin WORKERS)),$(WORKERS),3)
SEEDS ?= 1000
ROUNDS ?= 5
# make sets SECONDS itself through bash: only one that is given counts.
FUZZ_SECONDS := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),600)
SIMULATE_SECONDS := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),0)
CHAOS_SECONDS := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),60)
BROKER ?= pgmq

# Bytecode is kept, whatever the machine says, and beside the packages: compiling what a service imports takes seconds at
# every start, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode

.DEFAULT_GOAL := help
.PHONY: help setup demo test check up docs bench bench-null chaos fuzz simulate soak mutants pairs format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(INSTALLED) ## install everything a developer needs

$(INSTALLED): requirements-dev.txt constraints.txt $(PACKAGES)
	@PYTHON=$(PYTHON) VENV=$(VENV) local/setup.sh
	@touch $@

demo: $(INSTALLED) ## make bags, freeze them, backfill them to Azure, check every byte
	@$(BIN)/python -m local_stack demo

up: $(INSTALLED) ## leave the whole stack running (PORT=8000)
	@$(BIN)/python -m local_stack up

test: $(INSTALLED) ## run all tests (WORKERS=3)
	@echo "Running all tests in $(TESTERS) processes; servers are started as tests ask for them"
	@$(BIN)/python -m pytest -n $(TESTERS) --dist worksteal -q $(ARGS)

check: $(INSTALLED) ## lint, types, layering contracts, generated documents
	@echo "ruff: style";          $(BIN)/ruff check .
	@echo "ruff: format";         $(BIN)/ruff format --check -q .
	@echo "mypy: types";          $(BIN)/mypy
	@echo "import-linter: layers"; $(BIN)/lint-imports
	@echo "docs: up to date";     $(BIN)/python docs/generate.py --check

simulate: $(INSTALLED) ## simulate faults by seeds (SEEDS=1000), or replay one (SEED=123)
	@cd tests && ../$(BIN)/python -m simulation $(if $(SEED),replay --first $(SEED),seeds --seeds $(SEEDS) \
		--seconds $(SIMULATE_SECONDS)) --processes $(WORKERS)

soak: $(INSTALLED) ## simulate half a million seeds
	@$(MAKE) simulate SEEDS=500000

mutants: $(INSTALLED) ## break one safety mechanism after the other; the simulation must notice each (MUTANT=no_fence)
	@cd tests && ../$(BIN)/python -m simulation mutants --processes $(WORKERS) $(if $(MUTANT),--mutant $(MUTANT))

pairs: $(INSTALLED) ## every single fault and every pair of faults for one bag of one file (PART=3 PARTS=20: of the pairs, a part)
	@cd tests && ../$(BIN)/python -m simulation pairs --processes $(WORKERS) --part $(or $(PART),0) --parts $(or $(PARTS),1)

format: $(INSTALLED) ## put the code in shape
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

docs: $(INSTALLED) ## write the generated parts of docs/reference
	@$(BIN)/python docs/generate.py

bench: $(INSTALLED) ## measure side by side with rclone and bare SDKs (WORKLOADS="w1 w2" ROUNDS=5 QUICK=1)
	@$(BIN)/python -m benchmarks.dataplane --workloads "$(WORKLOADS)" --scenes "$(SCENES)" --rounds $(ROUNDS) \
		$(if $(QUICK),--quick) $(if $(BASELINE),--update-baseline) $(if $(BAGS),--bags $(BAGS)) \
		$(if $(JUDGE),--judge $(JUDGE))

bench-null: ## the clients alone, on servers that cost nothing: a quarter of an hour (ROUNDS=5 BASELINE=1)
	@$(MAKE) --no-print-directory bench SCENES="null-s3 null-azure"

chaos: $(INSTALLED) ## kill and spoil the real stack, then check every promise (SECONDS=60 BROKER=pgmq|rabbitmq SEED=1)
	@PYTHONPATH=tests $(BIN)/python -m chaos --seconds $(CHAOS_SECONDS) --broker $(BROKER) \
		$(if $(SEED),--seed $(SEED)) $(if $(ARTEFACTS),--artefacts $(ARTEFACTS))

contract: $(INSTALLED) ## ask the live API everything its OpenAPI documents allow, and more (EXAMPLES=100 SEED=1)
	@CONTRACT_EXAMPLES=$(or $(EXAMPLES),100) CONTRACT_SEED=$(or $(SEED),1) $(BIN)/python -m pytest -q -m slow tests/contract

fuzz: $(INSTALLED) ## attack every parser (SECONDS=600 for each, TARGET=manifest, KEEP=1; INPUT=file replays one)
	@PYTHONPATH=tests $(BIN)/python -m fuzz.run --seconds $(FUZZ_SECONDS) --seed $(or $(SEED),0) $(addprefix --target ,$(TARGET)) \
		$(if $(KEEP),--keep) $(if $(INPUT),--input $(INPUT))

clean: ## forget everything that was installed or kept
	rm -rf $(VENV) node_modules .backfill
