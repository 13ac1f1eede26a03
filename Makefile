# `make run` shows the system at work; `make check` runs all that CI runs on style and contracts.
# On Windows, or without make, README.md gives the same steps as plain commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
BENCH_BIN := $(BENCH_VENV)/bin
PORT ?= 8000
WORKERS ?= 2
CHECK_DIR := $(VENV)/check
VENDOR := apps/workbench/static/workbench/vendor
UV_COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	--python-version 3.11

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test test-postgresql faults check bench bench-env lock openapi messages vendor vendor-echarts format clean

help: ## Show these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 18

run: setup ## Install, load the demo portfolio once, start web, worker and beat (PORT=8000); Ctrl-C stops all of it
	PORT=$(PORT) $(BIN)/python manage.py demo

$(BIN)/python $(BENCH_BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it, like: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(patsubst %/bin/python,%,$@)

# The copy of a lock is written once it is fully installed: the same lock is not installed a second time.
setup: $(BIN)/python ## Make .venv and install the locked requirements
	@cmp -s requirements/base.txt $(VENV)/installed-base.txt || { \
		echo "Installing requirements/base.txt into $(VENV): a minute or two, once."; \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements/base.txt \
		&& cp requirements/base.txt $(VENV)/installed-base.txt; }

setup-dev: setup
	@cmp -s requirements/dev.txt $(VENV)/installed-dev.txt || { \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt \
		&& cp requirements/dev.txt $(VENV)/installed-dev.txt; }

test: setup-dev ## Unit, API and journey tests on SQLite
	env -u DATABASE_URL $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

test-postgresql: setup-dev ## The same tests on the PostgreSQL that DATABASE_URL names
	@test -n "$(DATABASE_URL)" || { echo "Set DATABASE_URL; docs/how-to/postgresql.md has the commands."; exit 1; }
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

faults: setup-dev ## The fault suite at full length, with its figures: about half an hour, longer on PostgreSQL
	LOG_LEVEL=CRITICAL FAULTS_IN_FULL=1 CANARIES=200 RACE_ROUNDS=100 RACE_KEYS=20 $(BIN)/python -m pytest -s -p no:xdist tests/faults

check: setup-dev ## Style, layers, migrations, API description, deployment settings, lock files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	@mkdir -p $(CHECK_DIR)
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(CHECK_DIR)/openapi.yaml
	@cmp docs/api/openapi.yaml $(CHECK_DIR)/openapi.yaml \
		|| { echo "docs/api/openapi.yaml is not what the code describes: run make openapi"; exit 1; }
	ENVIRONMENT=production DATA_DIR=$(CHECK_DIR) ALLOWED_HOSTS=credit.example METRICS_TOKEN=check-only \
		SECRET_KEY=check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH \
		ENCRYPTION_KEYS=check:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
		BLIND_INDEX_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= \
		SOLIQ_CLIENT=http SOLIQ_BASE_URL=https://soliq.example SOLIQ_ALLOWED_HOSTS=soliq.example \
		KADASTR_CLIENT=http KADASTR_BASE_URL=https://kadastr.example KADASTR_ALLOWED_HOSTS=kadastr.example \
		$(BIN)/python manage.py check --deploy --fail-level WARNING
	@! grep -nE '://' requirements/*.txt requirements/*.in || { echo "A lock file names an address."; exit 1; }

bench-env: $(BENCH_BIN)/python ## Make .venv-bench: the locked requirements and the peers of the benchmarks
	@cmp -s requirements/bench.txt $(BENCH_VENV)/installed-bench.txt || { \
		$(BENCH_BIN)/python -m pip install --quiet --require-hashes -r requirements/bench.txt \
		&& cp requirements/bench.txt $(BENCH_VENV)/installed-bench.txt; }

bench: bench-env ## Accuracy, training time and speed of scoring beside peers, in one run
	@set -e; for run in training "training --sets individual,company --models card,logistic,lightgbm" \
		large_table scoring_speed batch http_scoring bulk rollback decide simulate rotation workbench_pages upload; do echo "== $$run"; $(BENCH_BIN)/python -m benchmarks.$$run; done

openapi: setup-dev ## Write docs/api/openapi.yaml anew
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/api/openapi.yaml

messages: setup-dev ## Bring the texts of the workbench (locale/*.po, .mo) up to date with its templates and views
	$(BIN)/python manage.py update_catalogues

vendor-echarts: ## Build the library of the charts anew, byte for byte (needs npm)
	@work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; cp apps/workbench/vendor/* "$$work" \
		&& (cd "$$work" && npm install --silent --no-package-lock --no-audit --no-fund --ignore-scripts && npm run --silent echarts) \
		&& cp "$$work/echarts.js" $(VENDOR)/echarts.js \
		&& { grep -q "$$(sha256sum < $(VENDOR)/echarts.js | cut -d' ' -f1)" $(VENDOR)/VERSIONS.toml \
			|| { sha256sum $(VENDOR)/echarts.js; echo "Not the bytes that VERSIONS.toml names: if that is meant, write the new sum there."; exit 1; }; }

vendor: setup-dev ## Fetch the scripts and styles of others that pages use anew, by version and integrity (needs npm)
	$(BIN)/python manage.py copy_vendored

format: setup-dev ## Put the code into the common style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Resolve requirements/*.in anew into hashed lock files (needs uv)
	$(UV_COMPILE) requirements/base.in -o requirements/base.txt
	$(UV_COMPILE) requirements/dev.in -c requirements/base.txt -o requirements/dev.txt
	$(UV_COMPILE) requirements/pdf.in -c requirements/base.txt -o requirements/pdf.txt
	$(UV_COMPILE) requirements/prod.in -c requirements/base.txt -o requirements/prod.txt
	$(UV_COMPILE) requirements/bench.in -c requirements/base.txt -o requirements/bench.txt

clean: ## Remove .venv, .venv-bench and caches; the data in var/ stay
	rm -rf $(VENV) $(BENCH_VENV) .pytest_cache .ruff_cache .import_linter_cache
