PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all docs kit release test-oldest test-newest bench bench-atlas bench-beside clean

demo: .venv/.runtime
	$(BIN)/lifecircle audit data/geo/haiyan --out results
	$(BIN)/lifecircle atlas data/geo/haiyan --results results --out maps/haiyan.html
	@echo
	@echo "Open maps/haiyan.html in a browser (it needs no network); the tables are in results/2025/."

test: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-all: .venv/.dev
	@! command -v apt-get >/dev/null || LIFECIRCLE_CAMPAIGN=all bash .ci/setup || echo "Tests of what is not installed are skipped."
	LIFECIRCLE_CAMPAIGN=all $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'pip>=25.1'

.venv/.runtime: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast,siting,print]'
	@touch $@

.venv/.dev: .venv/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev --editable '.[raster,postgis,flow,cluster]'
	@touch $@

docs: .venv/.docs
	$(BIN)/python tools/docs_site.py
	@echo "Open build/site/index.html in a browser (it needs no network)."

.venv/.docs: .venv/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group docs
	@touch $@

kit: .venv/.dev
	$(BIN)/python tools/make_kit.py

test-oldest test-newest: .venv/.dev
	$(BIN)/python tools/try_dependencies.py $(@:test-%=%)

release: .venv/.dev
	$(BIN)/python tools/build_release.py

bench: .venv-bench/.done
	.venv-bench/bin/python -m benchmarks
	.venv-bench/bin/python -m benchmarks.catchments

bench-atlas: .venv-bench/.done
	.venv-bench/bin/python -m benchmarks.atlas

bench-beside: .venv-bench/.done
	.venv-bench/bin/python -m benchmarks.beside

.venv-bench/.done: pyproject.toml constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'pip>=25.1'
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement benchmarks/requirements.txt --editable '.[fast,siting]'
	@touch $@

clean:
	rm -rf .venv results
