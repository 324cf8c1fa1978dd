# echobench: `make bench` measures, `make test` tests; both set themselves up in .venv first.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
ARGS ?=

.PHONY: bench test lint protocol trust clock-check gate perf clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/'

bench: $(READY) ## ten minutes of speech at chunk sizes 2, 4 and 8 s on whisper.cpp (ARGS=… adds options)
	$(RUN) -m pytest suites/ --provider whisper_cpp --scenario A --chunk-seconds 2,4,8 $(ARGS)

test: $(READY) ## all tests, on all cores (ARGS='-m "not slow"': most of them, in a minute)
	$(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(READY) ## style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

protocol: $(READY) ## the whole protocol: scenarios A, B, C and markers at chunk sizes 2, 4 and 8 s
	$(RUN) -m pytest suites/ --provider whisper_cpp --chunk-seconds 2,4,8 $(ARGS)

trust: $(READY) ## 25 planted defects, 20 seeds each, and 200 healthy trials (some half an hour)
	$(RUN) -m tests.planted.trust $(ARGS)

clock-check: $(READY) ## the same minutes on the virtual clock and in real time (some 30 minutes)
	$(RUN) -m tests.clock_check $(ARGS)

gate: $(READY) ## what does this tree cost against BASE? (BASE=revision; ARGS=… adds options)
	@test -n "$(BASE)" || { echo "gate: which revision to hold it to? make gate BASE=…" >&2; exit 3; }
	$(RUN) -m reports gate --base "$(BASE)" $(ARGS)

perf: $(READY) ## what the harness itself costs, measured in pairs
	$(RUN) -m pytest tests/benchmarks/bench_*.py $(ARGS)

clean: ## forget the set-up; runs are kept
	rm -rf $(VENV) build *.egg-info

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "echobench needs Python 3.11 or newer; none found on PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[all,test]'
	@touch $@
