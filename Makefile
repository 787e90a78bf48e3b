# Two commands on a fresh machine:
#
#   make chaos          set everything up, run the experiments, build the report, say where it is   (FULL=1: all of them)
#   make test           set everything up, run every check and test of the project itself
#
# They need python3 (3.11 or newer), git and make; root or sudo is used for Debian packages and said before it is used.
# Run again, they do only what is left to do.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
say = @printf '\n== %s\n'

.DEFAULT_GOAL := help
.PHONY: help chaos chaos-docker test lint report servers mutation mutation-changed clean

help:
	@sed -n '3,4p' Makefile | sed 's/^#   //'
	@echo "make chaos-docker   on your container engine: the provider's tests and the Redis experiments, with a report of their own"
	@echo "make lint           ruff and mypy alone"
	@echo "make report         build the report of the last run again"
	@echo "make mutation       which changes of checkers and guarantees no test notices (MODULES=\"guarantees/recovers checkers/sets\")"
	@echo "make mutation-changed   the same for modules changed since BASE (by default origin/main or HEAD~1), in WITHIN_S=150"
	@echo "make clean          remove the environment and everything generated"

chaos: servers
	$(say) "what this machine can do"
	@$(BIN)/chaos doctor
	$(say) "experiments, then the report"
	@$(BIN)/chaos run $(if $(FULL),--full) $(if $(TREND),--trend) $(if $(SEED),--seed $(SEED))

# The results are kept apart: in one report with the local ones, each experiment would be taken for a second try of the other.
DOCKER_OUT := reports/out/docker
chaos-docker: $(READY)
	$(say) "images"
	@$(BIN)/chaos install toxiproxy valkey image:sidecar image:redis image:valkey
	@$(BIN)/chaos install node || echo "Going on without a report."
	$(say) "the docker provider's own tests"
	@CHAOS_TESTS_NEED=docker $(BIN)/python -m pytest -q tests/conformance tests/providers -k 'docker or containers'
	$(say) "the Redis experiments on containers, then their report"
	@$(BIN)/chaos run experiments/redis --provider docker --results $(DOCKER_OUT)/results --output $(DOCKER_OUT)/report \
		$(if $(FULL),--full) $(if $(TREND),--trend) $(if $(SEED),--seed $(SEED)) -- --chaos-out $(DOCKER_OUT)

test: lint servers
	$(say) "tests"
	@$(BIN)/python -m pytest -q

lint: $(READY)
	$(say) "ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(say) "mypy"
	@$(BIN)/mypy

report: $(READY)
	@$(BIN)/chaos report

# Takes a moment when all is there. What cannot be installed (no root, say) is told, and the rest goes on without it.
servers: $(READY)
	$(say) "server software (into your cache folder)"
	@$(BIN)/chaos install redis redis=6.2 valkey etcd etcd=3.5 etcd=3.4 etcd=3.5.1 client:etcd3 kafka strace node || echo "Going on with what is there."

mutation: $(VENV)/.mutation
	$(say) "mutation testing"
	@$(BIN)/python -m tests.mutation $(MODULES) $(if $(WITHIN_S),--within $(WITHIN_S))

mutation-changed: $(VENV)/.mutation
	$(say) "mutation testing of what changed"
	@$(BIN)/python -m tests.mutation --changed $(if $(BASE),--base $(BASE)) --within $(or $(WITHIN_S),150)

$(VENV)/.mutation: $(READY)
	$(say) "mutmut in $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,mutation]'
	@touch $@

$(READY): pyproject.toml .ci/venv
	$(say) "Python environment in $(VENV)"
	@bash .ci/venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mutation reports/out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find chaos fixtures experiments tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
