# You need Python 3.13 and make, and nothing else. Packages come from PyPI, pinned and checked by hash. There are three
# environments, because their requirements conflict: .venv (development), .build/sam (AWS SAM CLI) and .build/ministack
# (the embedded AWS). Each further tool has an environment of its own, made when a command first needs it. An
# environment is updated when its requirements change.

SHELL := /bin/bash
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python 3.13 found: on PATH, in pyenv or in uv. To choose another: make PYTHON=/path/to/python3.13
PYTHON ?= $(shell for candidate in python3.13 python3 python ~/.pyenv/versions/3.13*/bin/python ~/.local/share/uv/python/cpython-3.13*/bin/python3.13; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && { echo "$$candidate"; break; }; done)

CODE := functions layers tests tools benchmarks
# `sam build` wants the runtime's Python on PATH.
SAM := PATH="$(CURDIR)/.venv/bin:$$PATH" .build/sam/bin/sam

.PHONY: help venv up down demo load chaos scale upgrade restore replay test e2e schemathesis fuzz model simulate compare bench coverage sandbox sheets mutants lint types audit sbom secrets scan \
	openapi build deploy requirements clean

help: ## lists the commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "%-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: .venv/up-to-date .build/sam/up-to-date .build/ministack/up-to-date ## makes the three environments

up: venv ## starts the whole system on this machine and leaves it running; run again, it deploys your changes
	.venv/bin/python -m tools.local_stack up

down: .venv/up-to-date ## stops the system that `make up` started
	.venv/bin/python -m tools.local_stack down

demo: venv ## plays the main story from start to end, on a stack of its own
	.venv/bin/python -m tools.local_stack demo

load: venv ## sends ten thousand orders through a stack of its own and checks every verdict (minutes)
	.venv/bin/python -m tools.local_stack load

chaos: venv ## kills, delays, repeats and fails everything under load for ten minutes, on a stack of its own: MINUTES=3 SEED=17
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack chaos

scale: venv ## compares the time and the reads of every route with 50,000 and with 500 orders, on two stacks (20 minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack scale

replay: .venv/up-to-date ## repeats the work that a deployed stack gave up: make replay STACK=needs-attention
	PYTHONPATH=layers .venv/bin/python -m tools.replay $(or $(STACK),$(error Say which stack: make replay STACK=needs-attention))

upgrade: venv ## deploys this release over an earlier one in the middle of its work (minutes); RELEASE=a tag or commit
	.venv/bin/python -m tools.local_stack upgrade

restore: venv ## rehearses docs/restore.md: brings tables back from an earlier time (minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack restore

test: venv ## runs every test: first on two processors, then the end-to-end tests on a stack of their own
	.venv/bin/python -m pytest -n 2 --dist worksteal -m "not e2e"
	.venv/bin/python -m pytest -m e2e

e2e: venv ## runs the end-to-end tests alone, in a random order: SEED=17
	.venv/bin/python -m pytest -m e2e --random-order $(if $(SEED),--random-order-seed=$(SEED))

schemathesis: venv .build/schemathesis/up-to-date ## sends thousands of valid and invalid calls to a stack of its own and compares the answers with the document
	.venv/bin/python -m tools.local_stack schemathesis

fuzz: .build/atheris/up-to-date ## tries millions of cases on everything that parses (an hour); fewer: ARGUMENTS="--cases 100000 --only sheet"
	PYTHONPATH=.:layers .build/atheris/bin/python -m tests.fuzz $(ARGUMENTS)

model: .venv/up-to-date ## tries every history of one order, with all rules and without each (half an hour); one: ARGUMENTS="--without stop_auto"
	.venv/bin/python -m tests.model $(ARGUMENTS)

simulate: .venv/up-to-date ## simulates thousands of sellers, and a day of 40,000 updates (20 minutes); one: ARGUMENTS="--seed 17"
	PYTHONPATH=layers .venv/bin/python -m tools.simulation $(or $(ARGUMENTS),--life troubled --seeds 2000)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life busy --seeds 100)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life flooded --seeds 50)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life busyDay --seeds 50)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life fullSize --seed 0)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation.many)

compare: .venv/up-to-date ## compares our downloads with the old way and a rewound cursor, under Amazon's quotas (3 minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.simulation.comparison

bench: venv .build/bench/up-to-date ## writes docs/benchmarks.md: starts, verdicts, downloads, queries, cost, end to end and memory, against the usual way (20 minutes)
	PYTHONPATH=layers .venv/bin/python -m benchmarks

coverage: .venv/up-to-date ## checks that the unit tests alone run every statement and branch of the rules
	.venv/bin/python -m pytest -q -n 2 --cov --cov-report=term tests/unit

sandbox: .venv/up-to-date ## checks credentials, headers and reading against Amazon's static sandbox; REGION=EU, credentials in SP_API_CLIENT_ID, SP_API_CLIENT_SECRET, SP_API_REFRESH_TOKEN
	PYTHONPATH=.:layers .venv/bin/python -m tools.sandbox $(if $(REGION),--region $(REGION))

sheets: .venv/up-to-date ## writes down what LibreOffice does to the cells of a sheet, for the tests; needs LibreOffice Calc
	.venv/bin/python -m tools.sheets

mutants: .venv/up-to-date .build/cosmic-ray/up-to-date ## breaks the package in 300 places and expects tests to fail (an hour); SAMPLE=500 SEED=17, OF="orders/gate.py orders/edits.py"
	.build/cosmic-ray/bin/python -m tools.mutants $(if $(OF),--of $(OF)) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

lint: venv ## runs ruff, checks the floors of the package, and runs cfn-lint on the templates
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	PYTHONPATH=layers .venv/bin/lint-imports
	$(SAM) validate --lint --region us-east-1
	.build/sam/bin/cfn-lint docs/notifications.yaml
	.venv/bin/python -m tools.local_stack.layer_digest --check

types: .venv/up-to-date ## runs mypy
	.venv/bin/mypy $(CODE)

audit: .venv/up-to-date .build/supply-chain/up-to-date ## looks for known vulnerabilities of every pinned package, and checks the bill of materials
	.venv/bin/python -m tools.supply_chain.audit
	.venv/bin/python -m tools.supply_chain.bill_of_materials --check

sbom: .venv/up-to-date .build/supply-chain/up-to-date ## writes the bill of materials, with licences, after a change of the layer's requirements
	.venv/bin/python -m tools.supply_chain.bill_of_materials

secrets: .venv/up-to-date .build/supply-chain/up-to-date ## looks for secrets in the files and their history
	.venv/bin/python -m tools.supply_chain.secret_scan

# Checkov skips resources whose condition is false by default, so it gets the template without conditions.
scan: .build/checkov/up-to-date ## runs checkov on the template
	@mkdir -p .build/scanned && sed 's/^    Condition: .*/    #/' template.yaml > .build/scanned/template.yaml
	.build/checkov/bin/checkov --config-file security/checkov.yaml --file .build/scanned/template.yaml

openapi: .venv/up-to-date ## writes the API's OpenAPI document, after a change of its requests or answers
	PYTHONPATH=.:layers .venv/bin/python -m tools.openapi

build: venv ## runs `sam build` for AWS (arm64)
	.venv/bin/python -m tools.local_stack.layer_digest
	$(SAM) build

deploy: venv ## builds, and deploys to AWS: CONFIG=prod PARAMETERS="ScheduleState=DISABLED"; for the first time, with ARGUMENTS=--guided
	.venv/bin/python -m tools.deploy "$(or $(CONFIG),default)" "$(PARAMETERS)" $(ARGUMENTS)

requirements: .venv/up-to-date ## compiles requirements/*.in into the hashed files, after a change of them
	$(call compile,layer.in,layers/requirements.txt)
	$(call compile,dev.in,requirements/dev.txt)
	$(call compile,sam.in,requirements/sam.txt)
	$(call compile,ministack.in,requirements/ministack.txt)
	$(call compile,cosmic-ray.in,requirements/cosmic-ray.txt)
	$(call compile,schemathesis.in,requirements/schemathesis.txt)
	$(call compile,supply-chain.in,requirements/supply-chain.txt)
	$(call compile,checkov.in,requirements/checkov.txt)
	$(call compile,fuzz.in,requirements/fuzz.txt)
	$(call compile,bench.in,requirements/bench.txt)
	$(call compile,usual.in,benchmarks/usual/handler/orders/requirements.txt)

clean: down ## removes everything that these commands made here
	rm -rf .aws-sam .build .local .venv

define compile
.venv/bin/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host --annotation-style=line --output-file $(2) requirements/$(1)

endef

define install
@[ -x $(@D)/bin/python ] || { [ -n "$(PYTHON)" ] || { \
	echo "No Python 3.13 found on PATH, in ~/.pyenv or in uv's folder. Install it, or run: make PYTHON=/path/to/python3.13" >&2; exit 1; }; \
	"$(PYTHON)" -m venv $(@D); }
$(@D)/bin/python -m pip install --quiet --no-compile --require-hashes -r $<
@touch $@
endef

.venv/up-to-date: requirements/dev.txt
	$(install)

.build/sam/up-to-date: requirements/sam.txt
	$(install)

.build/ministack/up-to-date: requirements/ministack.txt
	$(install)

.build/cosmic-ray/up-to-date: requirements/cosmic-ray.txt
	$(install)

.build/schemathesis/up-to-date: requirements/schemathesis.txt
	$(install)

.build/supply-chain/up-to-date: requirements/supply-chain.txt
	$(install)

.build/checkov/up-to-date: requirements/checkov.txt
	$(install)

.build/atheris/up-to-date: requirements/fuzz.txt
	$(install)

.build/bench/up-to-date: requirements/bench.txt
	$(install)
