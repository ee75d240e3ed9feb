# Everything needs Python 3.13 and make, and nothing else; packages come from PyPI, pinned and checked by hash.
# Three environments, because their requirements contradict each other: .venv (development), .build/sam (AWS SAM CLI),
# .build/ministack (the embedded AWS); and one for each further tool, made when a command first needs it. Each is brought
# up to date when its requirements change.

SHELL := /bin/bash
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The first Python 3.13 found: on PATH, pyenv's or uv's. Or say: make PYTHON=/path/to/python3.13
PYTHON ?= $(shell for candidate in python3.13 python3 python ~/.pyenv/versions/3.13*/bin/python ~/.local/share/uv/python/cpython-3.13*/bin/python3.13; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && { echo "$$candidate"; break; }; done)

CODE := functions layers tests tools benchmarks
# `sam build` wants the runtime's Python on PATH.
SAM := PATH="$(CURDIR)/.venv/bin:$$PATH" .build/sam/bin/sam

.PHONY: help venv up down demo load chaos scale upgrade restore replay test e2e schemathesis fuzz model simulate compare bench coverage mutants lint types audit sbom secrets scan \
	openapi build requirements clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "%-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: .venv/up-to-date .build/sam/up-to-date .build/ministack/up-to-date ## the three environments

up: venv ## the whole system on this machine, left running; again: deploys what has changed
	.venv/bin/python -m tools.local_stack up

down: .venv/up-to-date ## ends what `make up` started
	.venv/bin/python -m tools.local_stack down

demo: venv ## the main story from nothing, on a stack of its own
	.venv/bin/python -m tools.local_stack demo

load: venv ## ten thousand orders through a stack of its own, every verdict checked (minutes)
	.venv/bin/python -m tools.local_stack load

chaos: venv ## kills, delays, repeats and fails everything under load, ten minutes long, on a stack of its own: MINUTES=3 SEED=17
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack chaos

scale: venv ## 50,000 orders beside 500, on two stacks of their own: what every route takes and reads (20 minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack scale

replay: .venv/up-to-date ## has done again what a deployed stack gave up: make replay STACK=needs-attention
	PYTHONPATH=layers .venv/bin/python -m tools.replay $(or $(STACK),$(error Say which stack: make replay STACK=needs-attention))

upgrade: venv ## deploys what is here over an earlier release in the middle of its work (minutes); RELEASE=a tag or commit
	.venv/bin/python -m tools.local_stack upgrade

restore: venv ## rehearses docs/restore.md: tables brought back from an earlier time (minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.local_stack restore

test: venv ## every test: on two processors, then the end-to-end ones on a stack of their own
	.venv/bin/python -m pytest -n 2 -m "not e2e"
	.venv/bin/python -m pytest -m e2e

e2e: venv ## the end-to-end tests alone, in a random order, which they must not mind: SEED=17
	.venv/bin/python -m pytest -m e2e --random-order $(if $(SEED),--random-order-seed=$(SEED))

schemathesis: venv .build/schemathesis/up-to-date ## thousands of calls, right and wrong, to a stack of its own: all answered as documented
	.venv/bin/python -m tools.local_stack schemathesis

fuzz: .build/atheris/up-to-date ## millions of cases for everything that parses (an hour); fewer: ARGUMENTS="--cases 100000 --only sheet"
	PYTHONPATH=.:layers .build/atheris/bin/python -m tests.fuzz $(ARGUMENTS)

model: .venv/up-to-date ## every history of one order, with all rules and without each (half an hour); one: ARGUMENTS="--without stop_auto"
	.venv/bin/python -m tests.model $(ARGUMENTS)

simulate: .venv/up-to-date ## thousands of sellers' lives, and a day of 40,000 updates (20 minutes); one: ARGUMENTS="--seed 17"
	PYTHONPATH=layers .venv/bin/python -m tools.simulation $(or $(ARGUMENTS),--life troubled --seeds 2000)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life busyDay --seeds 50)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation --life fullSize --seed 0)
	$(if $(ARGUMENTS),,PYTHONPATH=layers .venv/bin/python -m tools.simulation.many)

compare: .venv/up-to-date ## our downloads beside the old way and a rewound cursor, with Amazon's quotas (3 minutes)
	PYTHONPATH=layers .venv/bin/python -m tools.simulation.comparison

bench: venv .build/bench/up-to-date ## writes docs/benchmarks.md: starts, verdicts, downloads, queries, cost and memory beside the usual way (15 minutes)
	PYTHONPATH=layers .venv/bin/python -m benchmarks

coverage: .venv/up-to-date ## every statement and branch of the rules, by the unit tests alone
	.venv/bin/python -m pytest -q -n 2 --cov --cov-report=term tests/unit

mutants: .venv/up-to-date .build/cosmic-ray/up-to-date ## mutation tests of completeness and verdict (20 minutes)
	rm -rf .build/mutants && mkdir -p .build/mutants/tests
	cp -r layers tools pyproject.toml .build/mutants && cp -r tests/unit .build/mutants/tests
	cd .build/mutants && export PATH="$(CURDIR)/.venv/bin:$(CURDIR)/.build/cosmic-ray/bin:$$PATH" && \
		cosmic-ray init pyproject.toml session.sqlite && cr-filter-operators session.sqlite pyproject.toml && \
		cosmic-ray exec pyproject.toml session.sqlite && cr-report --surviving-only --show-diff session.sqlite

lint: venv ## ruff, the floors of the package, and the template through cfn-lint
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	PYTHONPATH=layers .venv/bin/lint-imports
	$(SAM) validate --lint --region us-east-1
	.venv/bin/python -m tools.local_stack.layer_digest --check

types: .venv/up-to-date ## mypy
	.venv/bin/mypy $(CODE)

audit: .venv/up-to-date .build/supply-chain/up-to-date ## known vulnerabilities of all that is pinned, and the bill of materials as it should be
	.venv/bin/python -m tools.supply_chain.audit
	.venv/bin/python -m tools.supply_chain.bill_of_materials --check

sbom: .venv/up-to-date .build/supply-chain/up-to-date ## writes the bill of materials, with licences, after a change of what the layer needs
	.venv/bin/python -m tools.supply_chain.bill_of_materials

secrets: .venv/up-to-date .build/supply-chain/up-to-date ## no secret in the files and their history
	.venv/bin/python -m tools.supply_chain.secret_scan

# Checkov leaves out what a condition leaves out by default, so it is shown the template without conditions.
scan: .build/checkov/up-to-date ## the template through checkov
	@mkdir -p .build/scanned && sed 's/^    Condition: .*/    #/' template.yaml > .build/scanned/template.yaml
	.build/checkov/bin/checkov --config-file security/checkov.yaml --file .build/scanned/template.yaml

openapi: .venv/up-to-date ## writes the API's OpenAPI document, after a change of what it takes or answers
	PYTHONPATH=.:layers .venv/bin/python -m tools.openapi

build: venv ## `sam build` for AWS (arm64)
	.venv/bin/python -m tools.local_stack.layer_digest
	$(SAM) build

requirements: .venv/up-to-date ## compiles requirements/*.in into the hashed files, after a change
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

clean: down ## removes everything that was made here
	rm -rf .aws-sam .build .local .venv

define compile
.venv/bin/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host --annotation-style=line --output-file $(2) requirements/$(1)

endef

define install
@[ -x $(@D)/bin/python ] || { [ -n "$(PYTHON)" ] || { \
	echo "No Python 3.13 found on PATH, in ~/.pyenv or in uv's folder. Install it, or say: make PYTHON=/path/to/python3.13" >&2; exit 1; }; \
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
