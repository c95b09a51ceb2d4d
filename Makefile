.DEFAULT_GOAL := help
.PHONY: help setup test lint format
SHELL := /bin/bash

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready  ## make .venv with everything from uv.lock, the command .venv/bin/inservice included

.venv/.ready: pyproject.toml uv.lock
	python3 -m venv .venv && .venv/bin/python -m pip install --quiet uv && .venv/bin/uv sync --frozen --quiet && touch $@

test: .venv/.ready  ## run the whole suite
	.venv/bin/python -m pytest

lint: .venv/.ready  ## check style
	.venv/bin/ruff check . && .venv/bin/ruff format --check .

format: .venv/.ready  ## format the sources
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .
