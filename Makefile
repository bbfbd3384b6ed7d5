# `make help` lists the commands; ARGS= passes words on, as in `make up ARGS="--port 9000"`.
# Works with GNU make 4.3 on a machine that has nothing but Python 3.11 or newer.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
ARGS ?=
PYTHON ?=

# Some machines keep Python from caching what it compiles; then each of the many processes of the tests compiles all anew.
unexport PYTHONDONTWRITEBYTECODE

COMMANDS := install up test check lint format bench torture lock screenshots manual dist

.PHONY: help
help: ## List the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS=$$'\t' read -r name text; \
	do printf '  make %-11s %s\n' "$$name" "$$text"; done

install: ## Create .venv and install maedal in it
up: ## Start gateway, sandbox and demo shop here, in the foreground
test: ## Install what the tests need, then run every test
check: ## Look at format, lint and types, then run the fast tests on SQLite
lint: ## Look at format, lint and types
format: ## Format the code and repair what ruff can repair
bench: ## Measure against the bare parts, in one run
torture: ## Kill, freeze and cut off everything at random, then compare every book
lock: ## Pin again what pyproject.toml asks for, in requirements/
screenshots: ## Take the pictures of docs/screens.md anew
manual: ## Build the manual in Korean and English, in build/manual
dist: ## Build sdist, wheel and list of components of the commit, in dist

.PHONY: clean
clean: ## Remove caches and build output; .venv and .maedal stay
	rm -rf build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests bench tools -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true


# A command runs its steps in a second make. What that says to do about a failure is kept in a file and given out by
# the first make, whose last line is then a sentence and not "Error 2".

export MAEDAL_ADVICE ?= build/advice.$(shell echo $$PPID)
advise = ( mkdir -p build; printf '%s\n' '$(strip $(1))' > $(MAEDAL_ADVICE); exit 1 )

NO_PYTHON := Install Python 3.11 or newer with its venv module (Debian: apt-get install python3 python3-venv) \
  or name one: make PYTHON=/path/to/python3
NO_INSTALL := Installing failed and the lines above say why; look at the network and at "pip config list", then run \
  make again
NO_START := maedal dev ended early and the lines above say why; another port: make up ARGS="--port 9000"
NO_FORMAT := The format differs: run "make format"
NO_RUFF := ruff found what is listed above; "make format" repairs a part of it
NO_TYPES := mypy found what is listed above
NO_TESTS := Tests failed and the summary above names them; run one alone with $(BIN)/pytest NAME
NO_TORTURE := The torture found something: its timeline is above, and the seed brings back the disturbances
NO_SCREENSHOTS := Not every picture was taken and the lines above say why
NO_MANUAL := The manual was not built; each line above names what a page lacks, and where
NO_DIST := Nothing was built and the lines above say why
NO_LOCK := Pinning failed and the lines above say why; look at the network and run "make lock" again

.PHONY: $(COMMANDS) $(COMMANDS:%=run-%) $(COMMANDS:%=steps-%) served
up: served
$(COMMANDS): %: run-%
	$(eval ADVICE := $(shell cat $(MAEDAL_ADVICE) 2>/dev/null; rm -f $(MAEDAL_ADVICE)))
	$(if $(ADVICE),$(error $(ADVICE)))
	@:

$(COMMANDS:%=run-%): run-%:
	@mkdir -p build; $(MAKE) --no-print-directory steps-$* || [ -s $(MAEDAL_ADVICE) ] || \
	$(call advise,The lines above say what failed; repair that and run "make $*" again) || true

steps-install: $(VENV)/.runtime-installed
	@echo 'maedal is installed: $(BIN)/maedal --help'

steps-up: $(VENV)/.runtime-installed
	@:

# Runs beside this shell and in its process group: Ctrl-C reaches it directly, a signal for make alone is passed on.
served: run-up
	@[ ! -s $(MAEDAL_ADVICE) ] || exit 0; \
	( trap - INT; exec $(BIN)/maedal dev $(ARGS) ) & server=$$!; \
	trap : INT; trap 'kill -TERM $$server 2>/dev/null' TERM; \
	while wait $$server; code=$$?; kill -0 $$server 2>/dev/null; do :; done; \
	case $$code in 0|130|143) ;; *) $(call advise,$(NO_START)) || true ;; esac

steps-test: $(VENV)/.dev-installed
	@set -o pipefail; $(BIN)/python tools/provide.py | tee $(MAEDAL_ADVICE).table || \
	{ tail -n 1 $(MAEDAL_ADVICE).table > $(MAEDAL_ADVICE); rm $(MAEDAL_ADVICE).table; exit 1; }; \
	rm $(MAEDAL_ADVICE).table
	@$(BIN)/python -m tools.run_tests --color=yes -n 6 --dist loadgroup $(ARGS) || $(call advise,$(NO_TESTS))

steps-lint: $(VENV)/.dev-installed
	@$(BIN)/ruff format --check || $(call advise,$(NO_FORMAT))
	@$(BIN)/ruff check || $(call advise,$(NO_RUFF))
	@{ $(BIN)/mypy && $(BIN)/mypy tools/provide.py tests/support/postgres.py; } || $(call advise,$(NO_TYPES))

steps-check: steps-lint
	@$(BIN)/pytest --color=yes -n 6 --dist loadgroup -m "not slow and not browser" -k "not postgresql" $(ARGS) || $(call advise,$(NO_TESTS))

steps-format: $(VENV)/.dev-installed
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix || $(call advise,$(NO_RUFF))

steps-bench: $(VENV)/.dev-installed
	@$(BIN)/python -m bench $(ARGS)

steps-torture: $(VENV)/.dev-installed
	@$(BIN)/python -m tests.torture $(ARGS) || $(call advise,$(NO_TORTURE))

steps-screenshots: $(VENV)/.dev-installed
	@$(BIN)/python -m tools.screenshots || $(call advise,$(NO_SCREENSHOTS))

steps-manual: $(VENV)/.dev-installed
	@$(BIN)/python -m mkdocs build --strict --quiet || $(call advise,$(NO_MANUAL))
	@echo 'the manual is built: build/manual/index.html; with search it is read at /manual of any gateway, such as that of `make up`'

steps-dist: $(VENV)/.dev-installed
	@$(BIN)/python -m tools.dist $(ARGS) || $(call advise,$(NO_DIST))

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url --no-header -q
steps-lock: $(VENV)/.dev-installed
	@{ $(COMPILE) pyproject.toml -o requirements/runtime.txt && \
	$(COMPILE) -c requirements/runtime.txt pyproject.toml --group dev -o requirements/dev.txt && \
	$(COMPILE) -c requirements/dev.txt requirements/build.in -o requirements/build.txt && \
	$(COMPILE) requirements/patroni.in -o requirements/patroni.txt && \
	$(COMPILE) requirements/receivers.in -o requirements/receivers.txt; } || $(call advise,$(NO_LOCK))


# The environment. Stamps keep a second `make up` from installing again.

# A name on PATH is not enough: a version manager leaves names that do not run, and Debian's python3 may lack venv.
RUNS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

$(BIN)/python:
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		if "$$python" -c '$(RUNS)' >/dev/null 2>&1; then \
			echo "creating $(VENV) with $$python"; exec "$$python" -m venv $(VENV); \
		fi; \
	done; \
	$(call advise,$(NO_PYTHON))

$(VENV)/.runtime-installed: requirements/build.txt requirements/runtime.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo 'installing what maedal needs'
	@{ $(PIP) install -q --require-hashes -r requirements/build.txt -r requirements/runtime.txt && \
	$(PIP) install -q --no-deps --no-build-isolation -e . ; } || $(call advise,$(NO_INSTALL))
	@touch $@

$(VENV)/.dev-installed: requirements/dev.txt $(VENV)/.runtime-installed
	@echo 'installing what the tests and checks need'
	@$(PIP) install -q --require-hashes -r requirements/dev.txt || $(call advise,$(NO_INSTALL))
	@touch $@
