# What people and CI run. `make help` lists it.
.DEFAULT_GOAL := install
SHELL := /bin/bash
PY := .venv/bin/python
export ESEAL_VECTORS ?= ../shared/vectors

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: install
install: .venv/installed ## make .venv with everything in it (Debian packages are added where missing)

.venv/installed: pyproject.toml clients/python/pyproject.toml sealcore/Cargo.toml sealcore/Cargo.lock $(shell find sealcore/src sealcore/cryptoki -name '*.rs')
	@tools/system-packages
	test -x $(PY) || python3 -m venv .venv
	.venv/bin/pip install --quiet --upgrade 'pip>=25.1'
	.venv/bin/pip install --quiet --group test --group check
	.venv/bin/pip install --quiet --editable . --editable clients/python
	touch $@

.PHONY: demo
demo: install ## set everything up and run the main job: 100 micro-credentials sealed under mandate and verified
	$(PY) clients/demo/demo.py demo

.PHONY: test
test: install ## everything, Rust and Python
	cargo test --quiet --release --manifest-path sealcore/Cargo.toml --no-default-features -p sealcore -p eseal-cryptoki
	$(PY) -m pytest -m 'not interop and not soak'

.PHONY: interop
interop: install ## other people's software on what we sealed: DSS, grpcurl, ghz
	$(PY) -m pytest -m interop

.PHONY: soak
soak: install ## the long runs
	cargo test --release --manifest-path sealcore/Cargo.toml --no-default-features --test outside -- --ignored --nocapture
	$(PY) -m pytest -m soak

.PHONY: bench
bench: install ## ratios within one run, written to standard output
	cargo bench --manifest-path sealcore/Cargo.toml --no-default-features
	for benchmark in benchmarks/*.py; do echo "== $$benchmark"; $(PY) $$benchmark || exit 1; done

.PHONY: check check-rust check-python
check: check-rust check-python ## format, lint, types, layers, generated code

check-rust: install
	cargo fmt --check --all --manifest-path sealcore/Cargo.toml
	cargo clippy --quiet --release --features extension-module --manifest-path sealcore/Cargo.toml -p sealcore -p eseal-cryptoki -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --release --no-deps --features extension-module --manifest-path sealcore/Cargo.toml

check-python: install
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) proto/generate.py --check
	$(PY) tools/settings-page --check

.PHONY: proto
proto: install ## write both wire/ folders from proto/
	$(PY) proto/generate.py

.PHONY: format
format: install ## format everything
	cargo fmt --all --manifest-path sealcore/Cargo.toml
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

.PHONY: clean
clean: ## remove what was built
	rm -rf .venv sealcore/target demo tests/interop/dss/target
