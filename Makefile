# `make run` runs the portal, `make test` tests it, `make help` lists the rest.
# Every setting of README.md can be given here: make run PORT=9000 PEOPLE=1000

PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,$(shell \
	$(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))) python3)
BIN := .venv/bin
UV ?= uv
PIN := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make pins"
# Settings with which the tools can load the portal; nothing is contacted.
LOCAL := HRPORTAL_LOCAL=1

.DEFAULT_GOAL := help
.PHONY: help run test chaos check manage environment development translations messages pins clean

help: ## Lists what can be made.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

run: environment translations ## Runs the portal with a sandbox tenant, on this machine only.
	@exec $(BIN)/python manage.py run_portal

test: development translations ## Runs the tests on SQLite; more options: make test ARGS="-k supervision".
	@$(BIN)/python -m pytest -q -n 2 $(ARGS)

chaos: development translations ## Every fault at once: make chaos SEED=7 CHANGES=2000.
	@CHAOS_SEED=$(SEED) CHAOS_CHANGES=$(CHANGES) $(BIN)/python -m pytest -q -m chaos tests/chaos $(ARGS)

check: development translations ## Looks for mistakes without running anything.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(LOCAL) $(BIN)/python manage.py makemigrations --check --dry-run
	@$(LOCAL) DJANGO_HTTPS_ONLY=1 $(BIN)/python manage.py check --deploy --fail-level WARNING

manage: environment ## A command of manage.py in the demo: make manage ARGS="create_user ann --role hr".
	@$(LOCAL) $(BIN)/python manage.py $(ARGS)

messages: development ## Collects the texts to translate (needs gettext).
	@$(LOCAL) $(BIN)/python manage.py makemessages --locale zh_Hans --no-location --no-wrap \
		--ignore .venv --ignore tests --ignore var

pins: ## Pins the requirements anew (needs uv).
	@$(PIN) requirements.in -o requirements.txt
	@$(PIN) requirements-dev.in -o requirements-dev.txt
	@$(PIN) requirements-oracle.in -o requirements-oracle.txt

clean: ## Removes the environment and the demo's data.
	@rm -rf .venv var .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find hrportal lifecycle tests -name __pycache__ -prune -exec rm -rf {} +

environment:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@$(PYTHON) bin/set_up.py requirements.txt

development:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@$(PYTHON) bin/set_up.py requirements-dev.txt

translations:
	@$(BIN)/python bin/compile_translations.py
