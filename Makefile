# Thin names for the project's commands. The first use of any of them makes .venv.
# Another interpreter: make run PYTHON=/path/to/python3

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
RUNS := $(VENV)/installed-run
CHECKS := $(VENV)/installed-checks
SYSTEM_JOBS ?= 3
SECURITY = $(addprefix tests/web/test_, matrix.py csrf.py hostile.py headers.py audited.py limits.py refused_logins.py) \
	$(addprefix tests/system/test_, described.py first_registration.py login_flood.py)
BEHIND_NGINX = $(addprefix tests/system/test_,$(addsuffix .py,\
	crash drain duplicates first_use github_events lifecycle overload reload waiting_callers))
SYSTEM_TESTS = $(shell grep -rl 'mark\.system' tests --include='test_*.py')

.PHONY: run test check format demo security test-services test-system system-report bench bench-quick bench-instructions bench-accept bench-signals bench-growth bench-stores bench-tests clean

run: $(RUNS)  ## serve on http://localhost:8000, or on PORT
	@echo "Sluice will answer on http://localhost:$${PORT:-8000}; Ctrl-C stops it." >&2
	@exec $(BIN)/python -m gunicorn --config gunicorn.conf.py wsgi:app

test: $(CHECKS)  ## the quick tests; three at a time, for some wait
	@$(PYTEST) -n 3 -p no:schemathesis --junitxml=build/reports/unit.xml

check: $(CHECKS)  ## style, types, and the direction of imports
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

format: $(CHECKS)  ## put every file into the project's layout
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

demo: $(RUNS)  ## one event from the hook to the finished execution
	@$(BIN)/python -m app demo $(DEMO)

test-services: $(CHECKS)  ## what needs PostgreSQL or Redis; each run starts its own
	@$(PYTEST) -m "services and not system" -n 2 --junitxml=build/reports/services.xml

security: $(CHECKS)  ## the evidence of docs/security.md: the matrix, fuzzing, races, a flood of logins
	@$(PYTEST) $(SECURITY) -m "not services" --junitxml=build/reports/security.xml

test-system: $(CHECKS)  ## real server processes: those that wait side by side, those that measure, the runtime's once more behind nginx
	@$(PYTEST) $(SYSTEM_TESTS) -m "system and not alone" -n $(SYSTEM_JOBS) --dist loadfile --junitxml=build/reports/system.xml
	@$(PYTEST) $(SYSTEM_TESTS) -m "system and alone" --junitxml=build/reports/system-alone.xml
	@SLUICE_TESTS_BEHIND=nginx $(PYTEST) $(BEHIND_NGINX) -m "system and not direct" --junitxml=build/reports/behind-nginx.xml

system-report: test-system  ## the figures of the system tests, into docs/runtime.md and docs/scaling.md
	@$(BIN)/python -m tests.system.figures runtime build/reports/system*.xml > docs/runtime.md
	@$(BIN)/python -m tests.system.figures scaling build/reports/system*.xml > build/scaling.md
	@mv build/scaling.md docs/scaling.md

bench: $(CHECKS)  ## ten minutes on a quiet machine: figures and plot into docs/performance.md
	@$(BIN)/python -m bench.run full

bench-quick: $(CHECKS)  ## a minute: the same figures in short, into build/bench
	@$(BIN)/python -m bench.run quick

bench-instructions: $(CHECKS)  ## what an event takes; fails when it became a tenth more
	@$(BIN)/python -m bench.instructions

bench-accept: $(CHECKS)  ## take what an event takes now for what it may take
	@$(BIN)/python -m bench.instructions --accept

bench-signals: $(CHECKS)  ## what metrics and disabled tracing add to an event, at most 3 %
	@$(BIN)/python -m bench.signals

bench-growth: $(CHECKS)  ## the store with 1,000,000 executions beside one with few, into docs/performance.md
	@$(BIN)/python -m bench.growth

bench-stores: $(CHECKS)  ## executions a second on PostgreSQL, as a ratio to SQLite
	@PYTHONPATH=. $(BIN)/python bench/stores.py

bench-tests: $(CHECKS)  ## the store's contract tests: seconds in memory and on SQLite
	@$(BIN)/python bench/store_tests.py

clean:  ## remove what can be made again; data/ stays
	@rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNS): requirements.txt
	@PYTHON="$(PYTHON)" sh deploy/setup-venv.sh $(VENV) requirements.txt
	@touch $@

$(CHECKS): tests/requirements.txt $(RUNS)
	@PYTHON="$(PYTHON)" sh deploy/setup-venv.sh $(VENV) requirements.txt tests/requirements.txt
	@touch $@
