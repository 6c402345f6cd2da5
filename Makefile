# Creneau: `make run` serves demo data on 127.0.0.1:8080, `make test` runs everything. Both work from a clean clone.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DATA   := var
PYTEST_ARGS ?= -n 2 --dist loadfile --durations=10

.PHONY: run test test-postgres test-ha check bench torture soak reliability lint clean install install-tests

run: $(VENV)/.installed
	@mkdir -p $(DATA)
	@$(BIN)/creneau demo --if-empty --database sqlite:$(DATA)/demo.sqlite
	@$(BIN)/creneau serve --host 127.0.0.1 --port $${PORT:-8080} --database sqlite:$(DATA)/demo.sqlite --welcome

test: $(VENV)/.tests
	@.ci/postgres
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(PYTEST_ARGS)
	$(BIN)/python -m pytest $(PYTEST_ARGS) --store postgres tests/http tests/usecases $(wildcard tests/flows/test_f6*.py)

# Every test that starts a server or a store, on PostgreSQL; `make test` runs the most telling of them there.
test-postgres: $(VENV)/.tests
	@.ci/postgres
	$(BIN)/python -m pytest $(PYTEST_ARGS) --store postgres tests/http tests/flows tests/usecases tests/model tests/fuzz tests/store

# High availability: three PostgreSQL nodes under Patroni, etcd and HAProxy, on this machine; some 20 minutes (docs/reliability-ha.md).
test-ha: $(VENV)/.tests
	@.ci/ha
	$(BIN)/python -m tests.ha --report docs/reliability-ha.md

check lint: $(VENV)/.tests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.tests
	$(BIN)/python -m bench budget --out $(DATA)/bench

# Hours on two cores; `make torture SCENARIOS="one-winner resent"` runs a part, and the page keeps the rest with its date.
torture: $(VENV)/.tests
	$(BIN)/python -m torture --report docs/reliability.md $(SCENARIOS)
	$(BIN)/python -m torture --store postgres --report docs/reliability.md $(SCENARIOS)
	$(BIN)/python -m torture --store postgres --workers 4 --report docs/reliability.md $(SCENARIOS)

# Ten minutes each of half the load; memory, descriptors and connections must not grow.
soak: $(VENV)/.tests
	$(BIN)/python -m torture soak --report docs/reliability.md
	$(BIN)/python -m torture soak --store postgres --report docs/reliability.md
	$(BIN)/python -m torture soak --store postgres --workers 4 --report docs/reliability.md

# The whole page docs/reliability.md.
reliability: torture soak

install: $(VENV)/.installed
install-tests: $(VENV)/.tests

# The lock file says every version; uv reads it. Without a system uv, one is put in the venv.
$(VENV)/.installed: pyproject.toml uv.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import uv' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --no-dev --inexact --quiet
	@touch $@

$(VENV)/.tests: $(VENV)/.installed
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --frozen --inexact --quiet
	@touch $@

clean:
	rm -rf $(VENV) $(DATA) .mypy_cache .ruff_cache .pytest_cache .hypothesis
