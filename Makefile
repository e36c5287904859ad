# Everything that a checkout needs, from Python 3.11 or later alone: `make` lists the targets.
#
# Set-up happens by itself: a target that needs packages depends on a stamp file in $(VENV), which is made anew
# when pyproject.toml changes. Choose an interpreter with `make PYTHON=/path/to/python3.13 ...`.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys, venv, ensurepip; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
VENV := .venv
BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# How much the benchmarks read: records of the first corpus for `make bench`, from which the size of all else follows;
# pairs for `make bench-quality` and `make bench-datasets`.
SIZE ?= $(if $(filter bench-quality bench-datasets,$(MAKECMDGOALS)),100000,60000)
# What `make soak` plays: so many rounds, from this one on.
ROUNDS ?= 100
SEED ?= 1
# More for pytest or the benchmarks, as in: make test ARGS='-k filters -x'
ARGS ?=

DEMO_FILTER := project=CustomerService AND priority=High
DEMO_TEACHER := meta.llama3-1-405b

.DEFAULT_GOAL := help
.PHONY: help demo test check lint format bench bench-quality bench-datasets soak goldens readme clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

$(VENV)/.made:
	@$(if $(PYTHON),,echo 'logminer needs Python 3.11 or later with the modules venv and ensurepip (on Debian: python3-venv);' \
		'say where: make PYTHON=/path/to/python3'; exit 3)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.made pyproject.toml
	$(PIP) install --quiet --editable '.[bench]'
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed ## ingest the sample logs, look at them, export a dataset and validate it, in demo/
	@rm -rf demo && mkdir demo
	@cd demo && PATH="$(BIN):$$PATH" && unset LOGMINER_STORE && \
	show() { printf '\n$$ %s\n' "$$1"; sh -c "$$1"; } && \
	show 'logminer ingest ../sample_logs' && \
	show 'logminer stats --teacher $(DEMO_TEACHER)' && \
	show "logminer select --filter '$(DEMO_FILTER)' --format table --limit 5" && \
	show "logminer export --filter '$(DEMO_FILTER)' --teacher $(DEMO_TEACHER) -o train.jsonl" && \
	show 'logminer validate train.jsonl --teacher $(DEMO_TEACHER)' && \
	printf '\nThe store is demo/logminer-store, the dataset demo/train.jsonl. Go on with:\n  cd demo && ../%s\n' \
		'$(VENV)/bin/logminer --help'

test: $(VENV)/.installed-dev ## run the tests, on all cores
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

lint: $(VENV)/.installed-dev ## check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test ## lint and test: what the gate asks

format: $(VENV)/.installed-dev ## format the code and apply safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed ## compare speed and memory with what users would do instead; ARGS='--rows count,stats --json'
	$(BIN)/python -m benchmarks --size $(SIZE) $(ARGS)

bench-quality: $(VENV)/.installed-bench ## recall and precision of curation and redaction on SIZE pairs with planted faults
	$(BIN)/python benchmarks/quality.py --pairs $(SIZE)

bench-datasets: $(VENV)/.installed ## one command from SIZE records with planted faults to a dataset: time, what is left, what a day changes
	$(BIN)/python benchmarks/datasets.py --pairs $(SIZE)

soak: $(VENV)/.installed-dev ## ROUNDS of ingests that are killed while the bucket changes
	cd tests && $(BIN)/python -m s3.soak --rounds $(ROUNDS) --seed $(SEED)

goldens: $(VENV)/.installed-dev ## write all expectations of the tests anew; review the difference
	LOGMINER_REWRITE_GOLDENS=1 $(BIN)/python -m pytest --numprocesses auto $(ARGS)

readme: $(VENV)/.installed-dev ## write the examples and tables of README.md anew; review the difference
	$(BIN)/python tests/project/readme.py

clean: ## delete all that the other targets made
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find logminer sample_logs tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
