# Each target does its own set-up: `make run` and `make test` work in a fresh clone with Python 3.11, make and git.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.complete

.PHONY: run test slow e2e bench lint format lock setup clean

run: $(SETUP)
	$(BIN)/tidecast up --demo

# What runs real components has timers of its own and the machine to itself; the rest shares its cores.
test: $(SETUP) lint
	$(BIN)/python -m pytest -m "not slow and not e2e" --numprocesses auto --dist loadfile $(ARGS)
	$(BIN)/python -m pytest -m "e2e and not slow" $(ARGS)

slow: $(SETUP)
	$(BIN)/python -m tests.slow $(ARGS)

e2e: $(SETUP)
	$(BIN)/python -m pytest -m "e2e and not slow" tests/e2e $(ARGS)

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(SETUP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Resolves pyproject.toml anew; needs uv (https://docs.astral.sh/uv).
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --only-binary :all: \
		--generate-hashes --no-header --quiet --output-file requirements.lock

setup: $(SETUP)

$(SETUP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .hypothesis
