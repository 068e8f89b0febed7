# Every command the project has, as CI runs it. The Python environment is made on first use and kept up to date with
# requirements/development.txt; nothing outside this folder is touched, except by "provision".
SHELL = /bin/sh
.DEFAULT_GOAL = help
# Where the locked packages are; another folder may be named.
VENV ?= .venv
PYTHON = $(VENV)/bin/python
TESTS ?= tests
SHELL_SCRIPTS = functions/entrypoint.sh images/bare_system.sh requirements/lock $(shell grep -lE '^\#!/bin/(ba)?sh' .ci/*)

.PHONY: help demo serve rehearse test check format provision images bench-cold bench-warm bench-images bench-batch soak docs up down lock clean environment sam-environment clients-environment rivals-environment simulator-environment checkov-environment audit-environment sbom licences audit

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

# "exec" puts Python in the shell's place, so that Ctrl-C reaches it and nothing is left between.
demo: environment  ## train on iris, publish, predict over HTTP, score a dropped CSV
	@exec $(PYTHON) -m local demo

serve: environment  ## the HTTP gateway alone, over MODEL_STORE, MODEL_NAME and PORT
	@exec $(PYTHON) -m local serve

rehearse: environment simulator-environment  ## the whole stack on an AWS simulator: deploy, train, drop, replay, promote, roll back
	@exec $(PYTHON) -m tests.rehearsal

# The tests type "make" as a person does, who is not inside another make.
test: environment $(if $(filter tests tests/integration% tests/e2e%,$(TESTS)),simulator-environment) $(if $(filter tests tests/clients%,$(TESTS)),clients-environment) $(if $(filter tests tests/e2e%,$(TESTS)),rivals-environment)  ## every test; TESTS=tests/unit for some
	@exec env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(PYTHON) -m pytest $(TESTS)

check: environment sam-environment checkov-environment audit-environment  ## format, lint, types, import arrows, template, scripts, Dockerfiles, workflows, what no file may hold
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m benchmarks table --check
	$(VENV)/bin/shellcheck $(SHELL_SCRIPTS)
	$(VENV)/bin/hadolint Dockerfile.lambda Dockerfile.train benchmarks/Dockerfile benchmarks/Dockerfile.device
	.ci/check-template
	$(PYTHON) -m tests.findings
	VENV=$(VENV) .ci/check-workflows
	.ci/check-tree $(PYTHON)

format: environment  ## put the code in its form
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

soak: environment  ## 100,000 random requests, events and files; batch killed hundreds of times (needs MinIO); recorded
	@$(PYTHON) -m tests.soak
	@exec $(PYTHON) -m tests.soak_batch

docs: environment  ## rewrite what docs/ has of the code, the template and real answers: tables, pictures, outputs
	@exec $(PYTHON) -m tests.documents

provision:  ## install and start Docker, the base image, MinIO and SAM (Debian, as root)
	@.ci/provision

images:  ## the function image and the training image
	.ci/docker build --file Dockerfile.lambda --tag serverless-sklearn-functions .
	.ci/docker build --file Dockerfile.train --tag serverless-sklearn-training .

sbom: environment images  ## what both images hold, as CycloneDX in build/sbom, and whether docs/licences.md lists every licence
	@$(PYTHON) -m images.sbom build/sbom functions=serverless-sklearn-functions training=serverless-sklearn-training
	@exec $(PYTHON) -m images.licences build/sbom/functions.cdx.json build/sbom/training.cdx.json

licences: environment  ## rewrite docs/licences.md from what "make sbom" wrote
	@exec $(PYTHON) -m images.licences --write build/sbom/functions.cdx.json build/sbom/training.cdx.json

# Of a database on the internet, so not part of "check".
audit: audit-environment  ## known holes in the locked packages of the images, by osv.dev
	@exec .ci/audit

bench-cold: environment  ## cold starts beside an empty and a plain handler, in the image (needs Docker, MinIO)
	@$(PYTHON) -m benchmarks cold
	@$(PYTHON) -m benchmarks parts
	@$(PYTHON) -m benchmarks table

bench-warm: environment  ## one-row requests, beside the same
	@$(PYTHON) -m benchmarks warm
	@$(PYTHON) -m benchmarks table

bench-images: environment  ## sizes of the function images beside a plain one, and what a cold start reads of each
	@$(PYTHON) -m benchmarks.images
	@$(PYTHON) -m benchmarks table

bench-batch: environment rivals-environment  ## whole files beside pandas, polars and pyarrow, up to 50 million rows (half an hour)
	@$(PYTHON) -m benchmarks.batch cases
	@$(PYTHON) -m benchmarks.batch scaling
	@$(PYTHON) -m benchmarks.batch blocks
	@$(PYTHON) -m benchmarks table

up:  ## MinIO, training and both functions in containers, with a model trained on iris
	@exec .ci/up

down:  ## end them and remove what they kept
	@exec .ci/down

lock:  ## rewrite the locked requirements (needs uv)
	requirements/lock

clean:  ## remove everything made here
	rm -rf $(VENV) .venv-audit .venv-checkov .venv-clients .venv-rivals .venv-sam .venv-simulator .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@.ci/environment $(VENV) requirements/development.txt

sam-environment:
	@.ci/environment .venv-sam requirements/sam.txt

clients-environment:
	@.ci/environment .venv-clients requirements/clients.txt

rivals-environment:
	@.ci/environment .venv-rivals requirements/rivals.txt

simulator-environment:
	@.ci/environment .venv-simulator requirements/simulator.txt

checkov-environment:
	@.ci/environment .venv-checkov requirements/checkov.txt

audit-environment:
	@.ci/environment .venv-audit requirements/audit.txt
