# Needs Python 3.10 or later, make and pip; all else is set up here.
# `make test` is what CI runs (.ci/run).

SHELL := /bin/bash
PYTHON ?= python3
# Not aio: aiobotocore pins an older botocore, and here we want the newest.
EXTRAS := saml,google,cli
WHEEL := dist/*.whl
# They have environments of their own: test-aio.
NOT_HERE := --ignore=tests/sessions/aio --ignore=tests/tools
CHECKED := botocore_conn_provider tests benchmarks examples

# Version 1 of the AWS CLI pins its own botocore, so it lives apart.
export AWS_CLI := $(CURDIR)/.venv-awscli/bin/aws

.PHONY: test test-aio lint demo bench stress pictures test-pythons clean wheel
.PHONY: venv venv-oldest venv-awscli system-packages

test: lint venv-awscli
	@echo "== tests on the newest botocore"
	rm -f .coverage .coverage.*
	.venv/bin/coverage run .venv/bin/pytest $(NOT_HERE)
	.venv/bin/coverage combine --quiet
	.venv/bin/coverage report
	@$(MAKE) --no-print-directory venv-oldest
	@echo "== tests on the oldest botocore ($$(grep ^botocore tests/oldest.txt))"
	.venv-oldest/bin/pytest $(NOT_HERE)
	@$(MAKE) --no-print-directory test-aio
	@echo "Done: wheel built and installed, style, types and layers checked," \
	    "tests passed on the newest and on the oldest botocore and aiobotocore."

# aiobotocore pins botocore, aioboto3 pins aiobotocore: each its own environment.
test-aio: system-packages wheel
	@for age in newest oldest; do \
	    echo "== tests on the $$age aiobotocore"; \
	    development/make-venv .venv-aio-$$age $(PYTHON) && \
	    development/install-wheel .venv-aio-$$age $(WHEEL) aio,saml,google \
	        -r requirements-test.txt --constraint tests/sessions/aio/$$age.txt && \
	    .venv-aio-$$age/bin/pytest tests/sessions/aio || exit 1; \
	done
	@echo "== users' tools"
	@development/make-venv .venv-tools $(PYTHON)
	@development/install-wheel .venv-tools $(WHEEL) aio,saml,google \
	    -r requirements-test.txt -r requirements-tools.txt
	.venv-tools/bin/pytest tests/tools

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
	@# Where these cannot be had, saml_flow.py says so and the demo is over.
	@development/system-packages tests/system-packages.txt >/dev/null 2>&1 && \
	    development/install-wheel .venv-demo $(WHEEL) cli,saml \
	    -r examples/demo/requirements.txt -r examples/demo/requirements-saml.txt; \
	.venv-demo/bin/python examples/demo/saml_flow.py
	@development/install-wheel .venv-demo $(WHEEL) cli,google \
	    -r examples/demo/requirements.txt -r examples/demo/requirements-google.txt
	@.venv-demo/bin/python examples/demo/google_flow.py

bench: venv venv-awscli
	.venv/bin/python -m compileall -q .venv/lib
	env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m benchmarks
	[ ! -x .venv-aio-newest/bin/python ] || .venv-aio-newest/bin/python -m benchmarks.async_renewal

# 1,000 killed writers of the store, then 20 processes of 64 threads for a minute.
stress: venv
	.venv/bin/python -m tests.stress.kill_writers
	.venv/bin/python -m tests.stress.crowd

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
