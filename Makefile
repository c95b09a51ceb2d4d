.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint format build
SHELL := /bin/bash

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/.ready  ## make .venv with everything from uv.lock, the command .venv/bin/inservice included

.venv/.ready: pyproject.toml uv.lock
	python3 -m venv .venv && .venv/bin/python -m pip install --quiet uv && .venv/bin/uv sync --frozen --quiet && touch $@

demo: .venv/.ready  ## deploy a request on the embedded stack and chat with it; REQUEST=path.json for another one
	@.venv/bin/python -m embedded.demo $(REQUEST)

up: .venv/.ready  ## the embedded stack in the foreground; TIME_SCALE=60 plays 60 times faster
	@exec .venv/bin/python -m embedded

test: .venv/.ready  ## run the whole suite; as root on Debian it installs Chromium for the page's tests
	@scripts/ensure_chromium.sh
	@.venv/bin/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not timed"; side_by_side=$$?; \
	.venv/bin/python -m pytest -m timed; alone=$$?; exit $$(( side_by_side || alone ))

lint: .venv/.ready  ## check style and types
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy layers/core/inservice cli embedded scripts simulator

format: .venv/.ready  ## format the sources
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

build: .venv/.ready  ## what `sam deploy` needs: arm64 and python3.13, without Docker
	SAM_CLI_TELEMETRY=0 .venv/bin/sam build

bench: .venv/.ready  ## measure what docs/performance.md claims
	.venv/bin/python scripts/bench.py
