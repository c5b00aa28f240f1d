# `make lab` opens the notebooks, `make test` runs every test; both set up .venv first, on any machine with Python.

PYTHON ?= $(firstword $(foreach version,3.13 3.12 3.11,$(shell command -v python$(version) 2>/dev/null)) python3)
RUN := .venv/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.PHONY: lab test demo notebooks links clean

lab: .venv/lab
	$(RUN)/jupyter lab notebooks/00_generate.ipynb

test: .venv/test
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/python -m pytest -q tests
	CGAN_BUDGET=smoke $(RUN)/python -m pytest -q -p no:cacheprovider --nbval-lax --nbval-current-env \
		--nbval-cell-timeout=300 $(NOTEBOOKS)

demo: .venv/lab
	@$(RUN)/cgan demo

# Runs every notebook from top to bottom, on the real data, and keeps what it shows.
notebooks: .venv/test
	$(RUN)/python tools/execute.py $(NOTEBOOKS)

# Puts the repository's address from pyproject.toml into badges and set-up cells.
links: .venv/test
	$(RUN)/python tools/links.py

clean:
	rm -rf .venv

.venv/lab .venv/test: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "$(PYTHON) is not Python 3.11 to 3.13; install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(RUN)/python || $(PYTHON) -m venv .venv
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(notdir $@)]"
	@touch $@
