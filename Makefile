# The two commands are `make run` and `make test`; both install what they need into .venv.
PYTHON ?= python3
BIN := .venv/bin
# Most tests wait for real processes and browsers: two at a time leave two cores idle for a third of the time.
TEST_PROCESSES ?= 3
# A test that hangs says where, and fails, instead of holding up all others for good.
HANGING := -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
# Which releases of what we depend on: the same on every machine that works on Lamplighter.
CONSTRAINTS := requirements/constraints.txt
WATCH := backend/lamplighter-watch
LIVING_MAP := backend/living-map
SOURCES := pyproject.toml $(WATCH)/pyproject.toml $(LIVING_MAP)/pyproject.toml build_frontend.py $(CONSTRAINTS)
# A test opens our Parquet with this package's own reader. Without what it depends on (sentence-transformers,
# litellm and more, gigabytes that the reader never imports); what the reader does import is in pyproject's dev.
ATLAS := 'embedding-atlas==0.26.*'

.PHONY: run test tour check check-python check-page install page browser bench gpu soak mutants ecosystem reference site gallery format schema constraints clean help

help:
	@echo "make run      install, build the page, start Lamplighter on a Lamptown run"
	@echo "make test     install what tests need (a browser too) and run those for which ten minutes are enough"
	@echo "make tour     the longer ones: the page's features one by one in a browser, the wheel in a clean"
	@echo "              environment, twenty kills"
	@echo "make check    formatting, lint, types, layers"
	@echo "make bench    every benchmark, a JSON line each"
	@echo "make gpu      all that needs a graphics card, a JSON line each (GPU='replay --device cpu': one check, and where)"
	@echo "make soak     200 kills across all processes, and a count of what was lost (KILLS=, SEED=);"
	@echo "              then the page watches a run: memory, and steps it has not heard of (MINUTES=10);"
	@echo "              then viewers join and leave a class for as long: memory and descriptors of the server"
	@echo "make reference  the reference of the Python API, from the docstrings, in .make/reference"
	@echo "make site     the documents as a site, with that reference, in .make/site (URL=: where it will be)"
	@echo "make gallery  six runs, trained and packed as a site, in .make/gallery (URL=: where it will be); ten minutes"
	@echo "make mutants  one operator changed at a time, and which changes no test notices (MUTANTS='wire --sample 20')"
	@echo "make ecosystem  the trainers of transformers, Lightning and accelerate, watched, and what opens a run's model, in an"
	@echo "              environment of their own"
	@echo "make format   format everything"
	@echo "make schema   write frontend/openapi.json, from which the page's types are made, anew from the routes"
	@echo "make constraints  write down the releases that are installed, for everybody who works on Lamplighter"

run: install page
	$(BIN)/lamplighter

install: .make/install

# pip keeps a torch that is already there and follows its own configuration (an index with CPU builds, say).
.make/install: $(SOURCES)
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable $(WATCH) --editable $(LIVING_MAP) --editable '.[page,parquet]'
	$(BIN)/lamplighter project --compile || true
	mkdir -p .make && touch $@

.make/develop: .make/install
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable $(WATCH) --editable $(LIVING_MAP) --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --no-deps $(ATLAS)
	touch $@

page: .make/install
	$(BIN)/python build_frontend.py

browser: .make/develop
	$(BIN)/python tests/browser/chromium.py

test: .make/develop page browser
	$(BIN)/python build_frontend.py test
	# Only failures of this run are run again.
	rm -f .pytest_cache/v/cache/lastfailed
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --durations=30 $(HANGING) -m "not tour"; $(BIN)/python -m tests.again $$?

# What a change of the page must pass too: all that each of its features does, of which `make test` makes one journey; every screen for barriers;
# all kinds of hostile zips; the wheel installed where nothing else is; and twenty kills. One process: browsers that draw in software take both cores.
tour: .make/develop page browser
	$(BIN)/python -m pytest -m tour

# Both sides of the wire at a time: types take longest in one, ESLint in the other.
check: .make/develop
	$(MAKE) --jobs 2 check-python check-page

check-python: .make/develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lines

check-page: .make/develop
	$(BIN)/python backend/write_openapi.py --check
	$(BIN)/python build_frontend.py check

format: .make/develop
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python build_frontend.py format

schema: .make/develop
	$(BIN)/python backend/write_openapi.py

reference: .make/develop
	$(BIN)/python docs/making/make_reference.py .make/reference

site: .make/develop
	$(BIN)/python docs/making/make_site.py .make/site $(URL)

gallery: .make/develop page
	rm -rf .make/gallery
	$(BIN)/python docs/making/make_gallery.py .make/gallery $(if $(URL),--url $(URL))

constraints: .make/develop
	$(BIN)/python requirements/write_constraints.py

bench: .make/develop page browser
	$(BIN)/python -m benchmarks

# Without a card it says so, and is content.
gpu: .make/develop
	$(BIN)/python -m benchmarks.gpu $(GPU)

# What is done to the processes follows from SEED; a quarter of an hour on two cores. Then MINUTES for the page, and for a class.
soak: .make/develop page browser
	$(BIN)/python -m tests.soak --kills $(or $(KILLS),200) --seed $(or $(SEED),0)
	$(BIN)/python -m tests.soak.watched --kills 50 --seed $(or $(SEED),0)
	$(BIN)/python -m tests.soak.pushed --kills 50 --seed $(or $(SEED),0)
	$(BIN)/python -m tests.soak.page --minutes $(or $(MINUTES),10)
	$(BIN)/python -m tests.soak.classroom --minutes $(or $(MINUTES),10)

# cosmic-ray makes the mutants, in an environment of its own; the tests run in that of the project.
mutants: .make/develop page requirements/mutants.txt
	test -x .make/mutants/bin/python || $(PYTHON) -m venv .make/mutants
	.make/mutants/bin/python -m pip install --quiet --requirement requirements/mutants.txt
	$(BIN)/python -m tests.mutants $(MUTANTS)

# Their own environment: none of them is needed by anything else here, and together they are gigabytes.
ecosystem: requirements/ecosystem.txt
	test -x .make/ecosystem/bin/python || $(PYTHON) -m venv .make/ecosystem
	.make/ecosystem/bin/python -m pip install --quiet --requirement requirements/ecosystem.txt
	.make/ecosystem/bin/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable $(WATCH)
	.make/ecosystem/bin/python -m pytest --noconftest tests/ecosystem -o filterwarnings=default $(HANGING)

clean:
	rm -rf .venv .make static/app frontend/node_modules
