# Everything here is done by run.py with the standard library alone; make only saves typing.
# Pass arguments on with ARGS: make test ARGS="tests/stories -k ladder"
PYTHON ?= python3
UV ?= uv
ARGS ?=

.PHONY: help run test lint unit bench format install lock clean
.DEFAULT_GOAL := help

help:     ## this list
	@sed -n 's/^\([a-z]*\): *## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run:      ## set up everything and serve the demonstration; Ctrl-C stops it
	@$(PYTHON) run.py up $(ARGS)

test:     ## every check and the whole suite
	@$(PYTHON) run.py test $(ARGS)

lint:     ## the checks alone: ruff, import contracts, mypy, templates
	@$(PYTHON) run.py lint

unit:     ## the tests that need no database
	@$(PYTHON) run.py unit $(ARGS)

bench:    ## the measurements that the suite leaves out
	@$(PYTHON) run.py bench $(ARGS)

format:   ## rewrite the sources the way the checks want them
	@$(PYTHON) run.py format

install:  ## only set up .venv, tests included
	@$(PYTHON) run.py install

lock:     ## resolve requirements/*.in again (needs uv)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--only-binary :all: requirements/run.in --output-file requirements/run.txt
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--only-binary :all: --constraint requirements/run.txt requirements/test.in --output-file requirements/test.txt

clean:    ## forget the environment and caches; keeps the data in .sentinel
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
