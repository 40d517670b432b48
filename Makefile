# make run        set up what is missing, then open the application
# make test       set up what is missing, then run every check (under 15 minutes on 2 cores)
# make test-full  the long checks as well: the whole catalogue, fuzz, many kills
# make bench      the figures, beside what a user would write by hand

PYTHON ?= python3
BIN := .venv/bin
TEST_ENV := QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1

.PHONY: run test test-full bench format system clean

run: .venv/installed system
	@$(BIN)/python -m playground

test: .venv/checks system
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TEST_ENV) $(BIN)/python -m pytest -q -n 2 --dist worksteal --durations=15

test-full: test
	$(TEST_ENV) $(BIN)/python -m pytest -q -m full --timeout=1800 --durations=15

bench: .venv/installed system
	$(BIN)/python -m playground bench

format: .venv/checks
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system:
	@bash .ci/system-packages

.venv/installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/checks: .venv/installed
	$(BIN)/python -m pip install --quiet "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	@touch $@

clean:
	rm -rf .venv *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
