# Two commands: `make briefing` and `make test`. Both set up .venv on their first run.
# The words below are taken from the command line only (make briefing PERIOD=2020-Q3): some systems
# have LANGUAGE in the environment, for another purpose.
WARD = phuc-dong
PERIOD = 2020-9M
LANGUAGE = vi
AS_OF =
PYTHON = python3
VENV = .venv

READY = $(VENV)/ready
BIN = $(VENV)/bin

.PHONY: briefing test lab lock clean

briefing: $(READY)
	@$(BIN)/ward run "$(PERIOD)" --ward "$(WARD)" --language "$(LANGUAGE)" --as-of "$(AS_OF)"

test: $(READY)
	@$(BIN)/python -m pytest

lab: $(READY)
	@$(BIN)/jupyter lab notebooks

# The stamp is written last: a set-up that was cut off starts anew.
$(READY): requirements.lock pyproject.toml $(wildcard wardlib/prefix/share/jupyter/kernels/*/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q wardlib
	@touch $(READY)

# Pin anew what pyproject.toml asks for, with hashes and no addresses; needs uv.
lock:
	printf 'flit_core >=3.9,<4\n' | uv pip compile pyproject.toml - --all-extras --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
	  --output-file requirements.lock

clean:
	rm -rf $(VENV) output/*
