# Needs Python 3.10 or later, make and pip; all else is set up here.
# `make test` is what CI runs (.ci/run).

SHELL := /bin/bash
PYTHON ?= python3
# Not aio: aiobotocore pins an older botocore, and here we want the newest.
EXTRAS := saml,google,cli
WHEEL := dist/*.whl
CHECKED := botocore_conn_provider tests benchmarks examples

# Version 1 of the AWS CLI pins its own botocore, so it lives apart.
export AWS_CLI := $(CURDIR)/.venv-awscli/bin/aws

.PHONY: venv-awscli pictures test lint demo bench test-pythons clean wheel venv venv-oldest system-packages

test: lint venv-awscli
	@echo "== tests on the newest botocore"
	rm -f .coverage .coverage.*
	.venv/bin/coverage run .venv/bin/pytest
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report
	@$(MAKE) --no-print-directory venv-oldest
	@echo "== tests on the oldest botocore ($$(grep ^botocore tests/oldest.txt))"
	.venv-oldest/bin/pytest
	@echo "Done: wheel built and installed, style, types and layers checked," \
	    "tests passed on the newest and on the oldest botocore."

lint: venv
	@echo "== style, types, layers"
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

demo:
	@$(MAKE) --no-print-directory wheel
	@development/make-venv .venv-demo $(PYTHON)
	@development/install-wheel .venv-demo $(WHEEL) cli -r examples/demo/requirements.txt
	@.venv-demo/bin/python examples/demo/demo.py

bench: venv venv-awscli
	.venv/bin/python -m compileall -q .venv/lib
	env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m benchmarks

test-pythons: system-packages wheel venv-awscli
	@development/test-pythons $(EXTRAS) $(WHEEL)

# Without build/ and *.egg-info a module that is gone stays gone.
wheel:
	@development/make-venv .venv $(PYTHON)
	@echo "== the wheel"
	@rm -rf build dist *.egg-info
	@.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@rm -rf build *.egg-info
	@ls dist

venv: system-packages wheel
	@development/install-wheel .venv $(WHEEL) $(EXTRAS) \
	    -r requirements-test.txt -r requirements-lint.txt

venv-oldest: system-packages
	@development/make-venv .venv-oldest $(PYTHON)
	@development/install-wheel .venv-oldest $(WHEEL) $(EXTRAS) \
	    -r requirements-test.txt --constraint tests/oldest.txt

venv-awscli:
	@development/make-venv .venv-awscli $(PYTHON)
	@.venv-awscli/bin/python -m pip install --quiet awscli

pictures: venv
	.venv/bin/python -m docs.pictures.draw

system-packages:
	@development/system-packages tests/system-packages.txt

clean:
	rm -rf .venv .venv-* build dist *.egg-info .coverage .coverage.* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
