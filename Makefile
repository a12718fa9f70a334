# Needs Python 3.10 or later, make, and pip or venv; all else is set up here.
# CONTRIBUTING.md says which of these to use when. CI runs .ci/run.

SHELL := /bin/bash
PYTHON ?= python3
UV := development/uv
# aiobotocore and users' tools pin a botocore each: noxfile.py has their environments.
NOT_HERE := --ignore=tests/sessions/aio --ignore=tests/tools --ignore=tests/engines \
    --ignore=tests/signers --ignore=tests/fleet
# A process for each core. One that is done takes over from one that is not.
PYTEST := .venv/bin/pytest --numprocesses=auto --dist=worksteal $(NOT_HERE)

# Compiled once, or each of the tests' child processes would compile for itself.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export AWS_CLI := $(CURDIR)/.venv-awscli/bin/aws
# What the machine trusts, as pip does, so that a company's own authority counts.
export UV_SYSTEM_CERTS := 1

.PHONY: check test test-all test-oldest test-python test-engines test-signers test-fleet \
    test-peers lint
.PHONY: system-packages demo demo-fleet bench stress pictures clean

check: lint .venv-awscli/installed
	@echo "== tests that need no system package"
	$(PYTEST) -m "not kerberos" --hypothesis-profile=quick

test: lint .venv-awscli/installed .venv/installed-kerberos
	@echo "== tests on the newest hosts"
	rm -f .coverage .coverage.*
	.venv/bin/coverage run $(PYTEST)
	.venv/bin/coverage combine --quiet
	@rm -f .coverage.*  # of children that a test killed while they wrote
	.venv/bin/coverage report
	@echo "== tests of aiobotocore, and of users' tools"
	.venv/bin/nox --session aio tools
	@echo "Done: style, types and layers checked; tests passed on the newest hosts," \
	    "the newest aiobotocore and users' tools."

test-oldest: .venv-awscli/installed .venv/installed-kerberos
	@echo "== tests on the oldest hosts"
	.venv/bin/nox --session oldest aio-oldest

# The engines that `botocore-conn whoami --everywhere` tries. Of the packages those are
# installed whose program (in the comment) is not on the path: CI has some of its own.
test-engines: .venv/installed
	@echo "== tests of engines beside botocore"
	@mkdir -p .nox
	@while read -r package _ program; do \
	    command -v "$$program" >/dev/null || echo "$$package"; \
	done < tests/engines/system-packages.txt > .nox/system-packages.txt
	@development/system-packages .nox/system-packages.txt
	.venv/bin/nox --session engines

# Libraries that sign with the keys that botocore finds: docs/signers.md.
test-signers: .venv/installed
	@echo "== tests of libraries that sign by themselves"
	.venv/bin/nox --session signers

# Clusters of several processes on this machine: docs/fleets.md.
test-fleet: .venv/installed
	@echo "== tests of fleets"
	@development/system-packages tests/fleet/system-packages.txt
	.venv/bin/nox --session fleet

# A suite of others' with the product active, three times. It is cloned, unless there is
# a checkout: make test-peers SUITE=boto3 SOURCES=/path
SUITE := botocore
test-peers: .venv/installed
	.venv/bin/nox --session "peers($(SUITE))" -- $(SOURCES)

# Those Pythons that are not on this machine are named and left out.
test-all: test test-oldest
	.venv/bin/nox --session tests

# make test-python VERSION=3.12
test-python: .venv-awscli/installed .venv/installed-kerberos
	.venv/bin/nox --error-on-missing-interpreters --session tests-$(VERSION)

lint: .venv/installed
	@echo "== style, types, layers"
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/mypy

.venv/installed: setup.cfg pyproject.toml
	@echo "== .venv: the checkout with its tools"
	@[ -x .venv/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip install --quiet --python .venv/bin/python -e '.[dev]'
	@touch $@

.venv/installed-kerberos: .venv/installed tests/system-packages.txt
	@development/system-packages tests/system-packages.txt
	@echo "== .venv: with Kerberos"
	@$(UV) pip install --quiet --python .venv/bin/python -e '.[dev,test-kerberos]'
	@touch $@

# Version 1 of the AWS CLI pins its own botocore, so it lives apart.
.venv-awscli/installed:
	@echo "== .venv-awscli: the AWS CLI"
	@[ -x .venv-awscli/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .venv-awscli
	@$(UV) pip install --quiet --python .venv-awscli/bin/python 'awscli>=1.42,<2'
	@touch $@

system-packages:
	@development/system-packages tests/system-packages.txt

DEMO := $(UV) pip install --quiet --python .venv-demo/bin/python
demo:
	@[ -x .venv-demo/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .venv-demo
	@$(DEMO) -e '.[cli]' -r examples/demo/requirements.txt
	@.venv-demo/bin/python examples/demo/demo.py
	@# Where these cannot be had, saml_flow.py says so and the demo is over.
	@development/system-packages tests/system-packages.txt >/dev/null 2>&1 && \
	    $(DEMO) -e '.[cli,saml]' -r examples/demo/requirements-saml.txt; \
	.venv-demo/bin/python examples/demo/saml_flow.py
	@$(DEMO) -e '.[cli,google]' -r examples/demo/requirements-google.txt
	@.venv-demo/bin/python examples/demo/google_flow.py

# A Dask job on two nodes, and who asks STS for it.
demo-fleet:
	@[ -x .venv-demo/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .venv-demo
	@$(DEMO) -e '.[cli,aio]' -r examples/fleet_dask/requirements.txt
	@.venv-demo/bin/python examples/fleet_dask/dask_demo.py

# The package is installed here as users have it: where it lies costs time too.
bench: .venv-awscli/installed system-packages
	@[ -x .venv-bench/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .venv-bench
	@$(UV) pip install --quiet --python .venv-bench/bin/python \
	    --reinstall-package botocore-conn-provider '.[test-kerberos]' pyarrow
	env -u PYTHONDONTWRITEBYTECODE .venv-bench/bin/python -m benchmarks
	[ ! -x .nox/aio/bin/python ] || .nox/aio/bin/python -m benchmarks.async_renewal

# 1,000 killed writers of the store, then 20 processes of 64 threads for a minute, then
# random orders of events around renewals, and random programs of two tenants.
stress: .venv/installed
	.venv/bin/python -m tests.stress.kill_writers
	.venv/bin/python -m tests.stress.crowd
	.venv/bin/python -m tests.stress.waiting
	.venv/bin/python -m tests.stress.identity

pictures: .venv/installed
	.venv/bin/python -m docs.pictures.draw
	.venv/bin/python -m docs.pictures.draw_fleet

clean:
	rm -rf .venv .venv-* .nox .tools build dist *.egg-info .hypothesis
	rm -rf .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
