# WonderCam: `make run` and `make test` do everything from a fresh clone; `make help` lists the rest.
# Nothing is done twice: each finished step leaves a stamp file, newer than what it was made from.

# HOST and PORT may come from the command line, the environment or `.env`: `serve` reads them, and has their defaults.
TEST_WORKERS ?= 3

VENV := .venv
NEXT := .venv-next
AUDIT := .venv-audit
PY := $(VENV)/bin/python
PACKAGES := deploy/setup/packages.py
WITH_NODE := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
QUIET_SITE := DEBUG=1 WONDERCAM_DATA_DIR=$(VENV)/lint-data
UV := env -u PIP_FIND_LINKS $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command 'make lock'

# A migration costs a second even when there is nothing to do. For the database file of the data folder a stamp beside
# it tells; any other database is asked. (`serve` refuses a database that is behind, so a wrong stamp does no harm.)
MIGRATE := $(PY) manage.py migrate --noinput --verbosity 0
MIGRATE_UNLESS_DONE = data="$${WONDERCAM_DATA_DIR:-data}"; \
	if [ -n "$${DATABASE_URL:-}" ] || grep -Eqs '^[^\#]*(DATABASE_URL|WONDERCAM_DATA_DIR) *=' .env; then $(MIGRATE); \
	elif [ -f "$$data/wondercam.sqlite3" ] && [ -f "$$data/.migrated" ] && [ -z "$$(find chat/migrations \
		$(VENV)/.runtime \( -name '*.py' -o -name .runtime \) -newer "$$data/.migrated")" ]; then :; \
	else $(MIGRATE) && touch "$$data/.migrated"; fi

# A clone that `make run` has set up is for development, so DEBUG is on there where neither the environment nor `.env`
# says anything else. The stamp tells manage.py (wondercam/settings.py), which goes by it only as long as no SECRET_KEY
# is set: whoever has made a key is in production.
DEVELOPMENT = if [ -z "$${DEBUG+set}" ] && ! grep -qs '^ *\(export \)\{0,1\}DEBUG *=' .env; \
	then export DEBUG=1; touch $(VENV)/.development; fi

# Of the package with the network for boxes only that is used; the rest is 38 MB.
ONLY_NETWORKS := find node_modules/@vladmandic/human -type f ! -name 'centernet.*' ! -name LICENSE ! -name package.json \
	-delete

# Not --quiet, which lets warnings pass.
DOCS := said=$$(NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --config-file deploy/docs.yml 2>&1) \
	|| { echo "$$said" >&2; exit 1; }

FAILED := build/tests/failed.txt
LINTS := lint-types lint-style lint-imports lint-page lint-site lint-docs

.DEFAULT_GOAL := help
.PHONY: help run superuser test test-unit test-core test-project test-next install install-dev port programs lint $(LINTS) format bench bench-quick bench-sight soak simulate \
	audit conformance docs films wheel translations lock clean

help: ## this list
	@awk -F ': .*## |## ' '/^[a-z-]+:.*## / { split($$1, target, ":"); printf "  make %-12s %s\n", target[1], $$2 }' Makefile

run: port install ## set up what is missing, then serve on http://127.0.0.1:18000 (HOST=, PORT= choose another address)
	@$(DEVELOPMENT); \
	case "$${DEBUG:-}" in 1|true|yes|on) ;; *) $(PY) manage.py collectstatic --noinput --verbosity 0;; esac && \
	$(MIGRATE_UNLESS_DONE) && \
	exec $(PY) manage.py serve

superuser: install ## make an account that may do everything, for the review at /admin/
	@$(DEVELOPMENT); $(MIGRATE_UNLESS_DONE) && exec $(PY) manage.py createsuperuser

port: # said now, not after minutes of set-up; where there is no python3 yet, the set-up will say so
	@python=$$(command -v "$(PYTHON)" || command -v python3 || command -v $(PY)) || exit 0; "$$python" deploy/setup/port.py

# Compiled files are kept: without them each process of the tests, and each server, compiles everything anew.
test test-unit test-core test-project test-next: export PYTHONDONTWRITEBYTECODE =

test: install-dev programs ## set up what is missing, then run every test
	@$(WITH_NODE) npm test --silent
	@$(PY) -m compileall -q chat wondercam tests
	@mkdir -p build/tests && rm -f $(FAILED)
	@$(PY) -m pytest -n $(TEST_WORKERS) --dist loadgroup --max-worker-restart 0 || { [ $$? -eq 1 ] && [ -s $(FAILED) ] && \
	echo "Once more, one after the other; what passes only now is flaky, and to be mended:" && cat $(FAILED) && \
	$(PY) -m pytest @$(FAILED); }

test-unit: install-dev ## the quick tests of single modules: no server, no process, no photo, no database
	@$(PY) -m pytest tests/unit -m "not servers and not slow and not core" -n 2 --maxschedchunk 100

test-core: install-dev ## the tests of single modules with a database, and of the log and the turns with threads and commits
	@$(PY) -m pytest tests/unit -m "core and not servers and not slow" -n 2

test-project: install-dev ## what the project's files say of each other: architecture, docs, translations, manifests
	@$(PY) -m pytest tests/project -m "not slow"

test-next: install-dev programs $(NEXT)/.dev ## the Python tests with the next Django, in an environment beside (.venv-next)
	@$(NEXT)/bin/python -m pytest -n $(TEST_WORKERS) --dist loadgroup --max-worker-restart 0 $(TESTS)

install: $(VENV)/.libraries node_modules/.installed ## set-up only

install-dev: install $(VENV)/.dev

programs: # chromium, Firefox, PostgreSQL, Redis and nginx for the tests, where they can be installed without asking
	@sh tests/servers/programs.sh

lint: install-dev ## style, types, import direction, migrations, Django's checks, links of the docs
	@$(MAKE) --no-print-directory -j 2 -O $(LINTS)

lint-types: # the longest comes first
	@$(QUIET_SITE) $(PY) -m mypy

lint-style:
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

lint-imports:
	@$(QUIET_SITE) $(VENV)/bin/lint-imports

lint-page:
	@$(WITH_NODE) npm run --silent lint

lint-site:
	@$(QUIET_SITE) $(PY) manage.py makemigrations --check --dry-run
	@$(QUIET_SITE) $(PY) manage.py check

lint-docs:
	@$(DOCS)

format: install-dev ## put the code into its form
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .
	@$(WITH_NODE) npm run --silent format

bench: $(VENV)/.bench programs ## measure beside other servers, and write docs/performance.md (10 minutes)
	@$(PY) -m bench

bench-quick: $(VENV)/.bench ## the main figures only, to the terminal (2 minutes)
	@$(PY) -m bench --quick

bench-sight: install ## ask about every photo in PHOTOS=folder (with labels), and print how many answers are right
	@$(PY) -m bench.sight "$(PHOTOS)"

soak: install-dev programs ## the faults of the tests for many more rounds, and what needs a quiet machine
	@WONDERCAM_TEST_SOAK=1 sh tests/servers/programs.sh
	@WONDERCAM_TEST_SOAK=1 $(PY) -m pytest tests/faults tests/servers/test_paths.py tests/servers/test_real_proxies.py \
		tests/browser/test_answers.py tests/browser/test_code.py tests/browser/test_receipts.py tests/browser/test_tasks.py tests/unit/test_wheel.py tests/project/test_weakenings.py --timeout=7200

simulate: install-dev ## the core on simulated time, network and disk: TICKS=1000000; SEED= EACH= replays one history; MUTATIONS=1
	@mkdir -p build/simulation
	@$(PY) -m tests.simulation --ticks $(or $(TICKS),1000000) --ticks-each $(or $(EACH),8000) \
		$(if $(SEED),--seed $(SEED) --trace build/simulation/trace.txt) $(if $(MUTATIONS),--mutations)

audit: $(AUDIT)/.made $(VENV)/.node ## run bandit, detect-secrets and gixy, and ask the databases of advisories about every locked package (needs the network)
	@$(WITH_NODE) $(AUDIT)/bin/python -m deploy.audit

conformance: install-dev programs tests/conformance/others/node_modules/.installed ## write the table of docs/conformance.md: the same checks here and on others (5 minutes)
	@$(WITH_NODE) $(PY) -m tests.conformance.others --write

docs: install-dev ## the documentation as a site, in build/docs; a warning is an error
	@$(DOCS)

films: install-dev programs ## record the moving pictures of docs/ anew (tests/films)
	@$(PY) -m pytest tests/films/*.py -p no:randomly

wheel: install-dev ## write dist/wondercam-….whl: the site with its page's files and the networks that look at photos
	@$(PY) deploy/setup/bundle.py && $(PY) -m hatchling build --target wheel

translations: install-dev ## bring the catalogues of the page's languages up to the sources, and compile them
	@$(QUIET_SITE) $(PY) -m deploy.catalogues

lock: install-dev ## make the lock files again from the *.in files, within the newest versions
	@$(UV) --upgrade requirements.in -o requirements.txt
	@$(UV) --upgrade requirements-dev.in -o requirements-dev.txt
	@$(UV) --upgrade requirements-bench.in -o requirements-bench.txt
	@$(UV) --upgrade --no-deps requirements-model.in -o requirements-model.txt
	@$(subst 3.11,3.12,$(UV)) --upgrade --no-deps requirements-next.in -o requirements-next.txt
	@$(UV) --upgrade requirements-node.in -o requirements-node.txt
	@$(UV) --upgrade requirements-audit.in -o requirements-audit.txt

clean: ## remove what the set-up made (never data/)
	rm -rf $(VENV) $(NEXT) $(AUDIT) node_modules staticfiles build dist

$(VENV)/.made:
	@python=$$(sh deploy/setup/python.sh $(PYTHON)) || exit 1; \
	echo "Making the virtual environment with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV) && touch $@

$(VENV)/.runtime: requirements.txt requirements-model.txt | $(VENV)/.made
	@echo "Installing the Python packages and the embedded model (some 330 MB, once)"
	@$(PY) $(PACKAGES) requirements.txt requirements-model.txt
	@touch $@

# Looked at again by each `make run` until the library is there.
$(VENV)/.libraries: | $(VENV)/.runtime
	@sh deploy/setup/libraries.sh $(PY) && touch $@ || true

$(VENV)/.dev: requirements-dev.txt | $(VENV)/.runtime
	@echo "Installing the tools for tests and checks"
	@$(PY) $(PACKAGES) requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt | $(VENV)/.runtime
	@echo "Installing what is measured beside WonderCam"
	@$(PY) $(PACKAGES) requirements-bench.txt
	@touch $@

# The same packages, but for those of requirements-next.txt.
$(NEXT)/.dev: requirements.txt requirements-model.txt requirements-dev.txt requirements-next.txt
	@python=$$(OLDEST=3.12 sh deploy/setup/python.sh $(PYTHON)) || exit 1; \
	echo "Making the environment of the next Django with $$("$$python" --version)"; "$$python" -m venv $(NEXT)
	@$(NEXT)/bin/python $(PACKAGES) requirements.txt requirements-model.txt
	@$(NEXT)/bin/python $(PACKAGES) requirements-dev.txt
	@$(NEXT)/bin/python $(PACKAGES) requirements-next.txt
	@touch $@

$(AUDIT)/.made: requirements-audit.txt
	@python=$$(sh deploy/setup/python.sh $(PYTHON)) || exit 1; \
	echo "Making the environment of the audit"; "$$python" -m venv $(AUDIT)
	@$(AUDIT)/bin/python $(PACKAGES) requirements-audit.txt
	@touch $@

# A Node of the machine serves where it is new enough and brings npm; else a package brings both into the venv.
$(VENV)/.node: requirements-node.txt | $(VENV)/.made
	@if node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && npm --version >/dev/null 2>&1; \
	then echo "Using the machine's Node $$(node --version)"; \
	else echo "Installing Node into the virtual environment (60 MB)"; $(PY) $(PACKAGES) requirements-node.txt; fi
	@touch $@

tests/conformance/others/node_modules/.installed: tests/conformance/others/package-lock.json | $(VENV)/.node
	@cd tests/conformance/others && $(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

node_modules/.installed: package.json package-lock.json | $(VENV)/.node
	@echo "Installing the page's packages"
	@$(WITH_NODE) npm ci --no-audit --no-fund --loglevel=error
	@$(ONLY_NETWORKS)
	@touch $@
