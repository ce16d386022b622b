# Every recipe needs only make and python3; the rest comes with set-up.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check style types layers licenses migrations fmt bench services-test browser-test lock

PYTHON ?= python3
BIN := .venv/bin
# More for pytest or the server, for example: make test ARGS="tests/rules -x"
ARGS ?=
# The tests of the default set-up must not find somebody's services.
EMBEDDED := env -u DATABASE_URL -u REDIS_URL -u MQTT_URL

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: ## Install what running needs (done by itself when needed)
	@$(PYTHON) .ci/setup.py

setup-dev:
	@$(PYTHON) .ci/setup.py --dev

run: setup ## Start OrderHub with sample data on this machine
	@$(BIN)/python manage.py serve --demo $(ARGS)

test: setup-dev ## Test on SQLite, without services or browser
	@$(EMBEDDED) $(BIN)/pytest -n auto --maxprocesses=4 --dist=worksteal $(ARGS)

check: style types layers licenses migrations ## Style, types, architecture, licenses, migrations, Django's own checks

style: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup-dev
	$(BIN)/mypy

layers: setup-dev
	$(BIN)/lint-imports --no-cache

licenses: setup-dev
	@echo "$(BIN)/pip-licenses, over what running needs"
	@$(BIN)/pip-licenses --packages $$(sed -nE 's/^([a-z0-9-]+)==.*/\1/p' requirements.txt) >/dev/null

migrations: setup-dev
	$(EMBEDDED) $(BIN)/python manage.py makemigrations --check --dry-run
	$(EMBEDDED) $(BIN)/python manage.py lint_migrations
	$(EMBEDDED) $(BIN)/python manage.py check --fail-level WARNING

fmt: setup-dev ## Put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup-dev ## Measure the hot paths, each against a limit or a peer
	@for script in $$(ls bench/*.py | grep -v -e house.py -e history.py -e holding.py); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

services-test: setup-dev ## Test on PostgreSQL and Redis: those given, running, or installed here
	@$(BIN)/python .ci/services.py $(BIN)/pytest --force-enable-socket -m "services or fault" $(ARGS)

browser-test: setup-dev ## Test the pages in the system's Chromium
	@$(EMBEDDED) $(BIN)/pytest tests/browser -m browser -n 2 --dist=loadgroup $(ARGS)

lock: setup-dev ## Renew the lock files after a change of a .in file (ARGS="-U": newest versions)
	@for name in requirements requirements-dev .ci/uv .ci/node; do $(BIN)/uv pip compile -q --generate-hashes \
		--no-header --no-annotate --universal --python-version 3.11 $(ARGS) $$name.in -o $$name.txt || exit 1; done
