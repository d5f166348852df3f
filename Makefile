# Everything a newcomer or the CI runs. Python 3.11 or later, git and make are all it takes.
#
# A target that needs packages sets up `.venv` first, from hashed pins; a stamp in it makes the next
# run quick. Programs run as `python -m`, so that a copied or moved folder still uses its own code.

VENV := .venv
PY := $(VENV)/bin/python
PIP := -m pip --disable-pip-version-check --no-input --quiet
# PYTHON=/path/to/python chooses another one.
PYTHON ?= $(shell for name in python3.11 python3 python3.14 python3.13 python3.12 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo "$$name" && break; done)
# What decides and does no IO: the source modules of the contract "pure" in pyproject.toml.
PURE := adapter/errors.py,adapter/types/*,adapter/dialects/*,adapter/tools/*,adapter/translate/*,adapter/stream/*
# ARGS is handed on: make test ARGS="tests/stream -k reasoning"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-clients clients lint format check coverage bench bench-full bench-micro bench-guard test-lowest test-vllm docs dist check-dist lock audit soak clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp  ## start the adapter on a demo model and print how to talk to it
	@$(PY) -m adapter demo $(ARGS)

# Where the clients cannot be fetched, all else is tested, and one test says that they are missing.
test: $(VENV)/dev.stamp  ## run all tests
	-@$(MAKE) --no-print-directory clients
	$(PY) -m pytest $(ARGS)

test-clients: $(VENV)/dev.stamp $(VENV)-clients/clients.stamp  ## run the agent clients alone
	$(PY) -m pytest tests/clients $(ARGS)

clients: $(VENV)-clients/clients.stamp  ## install the agent clients that tests/clients runs

lint: $(VENV)/dev.stamp  ## check style, types and layers
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) -m pyright --pythonpath $(PY)
	$(PY) -c 'from importlinter.cli import lint_imports_command as main; main()' --no-logo

format: $(VENV)/dev.stamp  ## mend what `lint` can mend by itself
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

check: lint test  ## lint and test

# The agent clients are programs apart: what they lead to has tests of its own.
coverage: $(VENV)/dev.stamp  ## run all tests; fail if a branch of what decides is never taken
	$(PY) -m pytest --ignore tests/clients --cov --cov-report=term $(ARGS)
	$(PY) -m coverage report --include '$(PURE)' --fail-under 100

bench: $(VENV)/dev.stamp  ## measure against pass-through servers, in a quarter of an hour
	$(PY) -m benchmarks.run $(ARGS)

bench-full: $(VENV)/dev.stamp  ## measure all: every store, peers, memory, ten minutes of load
	$(PY) -m benchmarks.run --full $(ARGS)

bench-micro: $(VENV)/dev.stamp  ## measure each pure stage by itself
	$(PY) -m benchmarks.micro $(ARGS)

bench-guard: $(VENV)/dev.stamp  ## fail if the hot path is much slower than it was
	$(PY) -m benchmarks.guard $(ARGS)

test-lowest: $(VENV)-lowest/dev.stamp  ## run our tests on the oldest dependencies that we allow
	$(VENV)-lowest/bin/python -m pytest --ignore tests/clients --ignore tests/deploy $(ARGS)

test-vllm: $(VENV)/dev.stamp  ## run the tests that need vLLM (a large download)
	PYTHON="$(PYTHON)" bash tests/vllm/run.sh $(ARGS)

docs: $(VENV)/dev.stamp  ## build the documentation into build/docs/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet $(ARGS)

dist: $(VENV)/dev.stamp  ## build the wheel and the source archive into dist/
	rm -rf dist
	$(PY) -m build --no-isolation >/dev/null

check-dist: dist  ## install the wheel alone and see that it works
	bash .ci/check-wheel "$(PY)"

lock: $(VENV)/dev.stamp  ## pin what pyproject.toml asks for (ARGS=--upgrade: the newest of it)
	PY=$(PY) bash requirements/compile $(ARGS)

# Wants the advisories of PyPI: what cannot be looked up there counts as a failure.
audit: $(VENV)/dev.stamp  ## look for known vulnerabilities in what is pinned
	$(PY) -m pip_audit --strict --disable-pip --require-hashes -r requirements/dev.txt $(ARGS)

soak: $(VENV)/dev.stamp  ## minutes of load with faults (ARGS: how many); fail if anything is left
	$(PY) -m benchmarks.soak $(ARGS)

clean:  ## remove what the other targets made
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-clients build dist htmlcov .coverage .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last: a set-up that was broken off is done again.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	$(call set-up,$(VENV),$<)

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml
	$(call set-up,$(VENV),$<)

$(VENV)-lowest/dev.stamp: requirements/lowest.txt pyproject.toml
	$(call set-up,$(VENV)-lowest,$<)

$(VENV)-clients/clients.stamp: requirements/clients.txt $(wildcard tests/clients/node/package*.json) \
		tests/clients/install.py | $(VENV)/dev.stamp
	@echo "Setting up $(VENV)-clients from $< and tests/clients/node ..."
	@$(PY) -m tests.clients.install $(VENV)-clients
	@touch $@

# $(1): the environment's folder, $(2): the pins. The project itself is installed without its
# dependencies (the pins hold them) and without a build environment (they hold hatchling too).
define set-up
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "This needs Python 3.11 or later; '$(or $(PYTHON),python3)' is not that." >&2; \
	echo "Install it, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
	exit 1; \
}
@echo "Setting up $(1) from $(2) ..."
@test -x $(1)/bin/python || "$(PYTHON)" -m venv $(1) || { \
	echo "No environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2; \
	rm -rf $(1); \
	exit 1; \
}
@$(1)/bin/python $(PIP) install --require-hashes --only-binary :all: -r $(2)
@$(1)/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
@touch $@
endef
