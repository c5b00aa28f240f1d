# `make lab` opens the notebooks, `make test` runs every test. Each first sets up .venv, which needs nothing but Python.

PYTHONS := $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
FITS := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
RUN := .venv/bin
# Each process has whole files: the fixtures of a file are made once, and a notebook's cells stay in order.
PARALLEL := --dist=loadfile --no-loadscope-reorder --numprocesses
# As root, the user of many containers, Jupyter would refuse to start.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test demo notebooks html links page page-serve clean

# The link lets JupyterLab's File → Export make the same pages as `make html`.
lab: .venv/lab
	@mkdir -p .venv/etc/jupyter
	@ln -sf ../../../jupyter_nbconvert_config.py .venv/etc/jupyter/jupyter_server_config.py
	$(RUN)/jupyter lab $(AS_ROOT) notebooks/00_generate.ipynb

# A thread for the linear algebra of each process: two wait for one another in loops, which takes up to ten times as
# long beside other processes.
test: export OMP_NUM_THREADS = 1
# The longest notebooks start first, so that no process waits for them at the end. A third process keeps two cores busy
# while kernels start and stop.
test: .venv/test
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/pytest $(PARALLEL) 2 tests
	CGAN_BUDGET=smoke $(RUN)/pytest $(PARALLEL) 3 --nbval-lax --nbval-current-env --nbval-cell-timeout=300 \
		notebooks/1[6-8]*.ipynb notebooks

demo: .venv/lab
	@$(RUN)/cgan demo

# Runs every notebook from top to bottom, on the real data, and keeps what it shows, its widgets too.
notebooks: .venv/test
	CGAN_BUDGET=demo $(RUN)/python tools/execute.py notebooks/*.ipynb

# Makes a page of each notebook, beside it, that opens without Python and without a connection.
html: .venv/lab
	$(RUN)/jupyter nbconvert --config jupyter_nbconvert_config.py --to html notebooks/*.ipynb

# Puts the repository's address from pyproject.toml into badges, set-up cells and the READMEs, and the shipped runs'
# numbers into the READMEs.
links: .venv/test
	$(RUN)/python tools/links.py
	$(RUN)/python tools/results_table.py

# The web page that draws without Python, in page/dist. Its files come from npm, and so does nothing else here.
page: .venv/page page/node_modules
	$(RUN)/python tools/page.py

page-serve: .venv/page page/node_modules
	$(RUN)/python tools/page.py --serve $(PORT)

page/node_modules: page/package-lock.json
	@command -v npm >/dev/null || { echo "The page needs Node 18 or later, which brings npm: https://nodejs.org"; exit 1; }
	cd page && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# A user's own trainings, in runs/, stay.
clean:
	rm -rf .venv .pytest_cache .ruff_cache artifacts page/dist page/node_modules *.egg-info notebooks/[0-9]*.html

# One stamp for each extra of pyproject.toml, renewed when that file changes. The name of a Python proves little: it may
# be a shim that starts nothing, or lack `ensurepip`, without which there is no environment.
.venv/lab .venv/page .venv/test: pyproject.toml
	@test -x $(RUN)/python || { \
		for python in $(PYTHONS); do \
			$$python -c '$(FITS)' 2>/dev/null && exec $$python -m venv .venv; \
		done; \
		echo "No Python 3.11 to 3.13 with venv among: $(PYTHONS). Install one, or name it: make PYTHON=/path/to/python3.12"; \
		exit 1; }
	@echo "Setting up .venv; the first time this downloads about 800 MB and takes some minutes."
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(@F)]"
	@touch $@
