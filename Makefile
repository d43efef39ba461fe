# Everything a person does with the sources. Each target makes the machine ready first; a second run starts at once.
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest

.PHONY: help setup setup-test demo test faults lint format bench translations openapi sounds clean

help:
	@echo "make demo    the whole product working: window with a display, a played scenario without"
	@echo "make test    all tests, against real SIP peers and a real server"
	@echo "make faults  line processes killed at 200 moments; KILLS=…, SEED=… for others"
	@echo "make lint    ruff and mypy --strict"
	@echo "make bench   speed and weight, as JSON"

setup:
	@installer/setup.sh run

setup-test:
	@installer/setup.sh test

demo: setup
	@$(PYTHON) -m agent_desktop demo $(ARGS)

# Most tests wait for real peers and real time; many at once disturb one another on two cores.
# What fails beside another test is tried once more by itself, and fails the run if it fails again.
WORKERS := 3
SIDE_BY_SIDE := -m "not alone" --cov --cov-report= $(ARGS)

test: setup-test
	@$(PYTEST) -n $(WORKERS) --dist loadfile $(SIDE_BY_SIDE) || \
		{ [ $$? = 1 ] && echo "• Trying by itself what failed" && $(PYTEST) --last-failed --last-failed-no-failures none --cov-append $(SIDE_BY_SIDE); }
	@$(PYTEST) -m alone --cov --cov-append --cov-report= $(ARGS)
	@$(PYTHON) -m coverage report --skip-covered --sort=cover | tail -n 40

faults: setup-test
	@KILLS=$(or $(KILLS),200) SEED=$(or $(SEED),$$(date +%s)) $(PYTEST) -s tests/faults $(ARGS)

lint: setup
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

format: setup
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

bench: setup-test
	@$(PYTHON) -m tests.benchmarks $(ARGS)

translations: setup
	@$(PYTHON) installer/translations.py

openapi: setup
	@$(PYTHON) -m collection_server.cli openapi

sounds: setup
	@$(PYTHON) resources/sounds/make_sounds.py

clean:
	rm -rf .venv build dist .coverage* .pytest_cache .mypy_cache .ruff_cache
