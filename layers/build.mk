# How `sam build` makes the layer, for the processor whose Makefile includes this; it calls that Makefile with a copy of
# this folder as the working directory. Not SAM's own way with Python packages, because that one leaves bytecode out:
# the layer's folder cannot be written to on Lambda, so each cold start would compile again everything it imports.

# The same version as on Lambda: the bytecode of any other is of no use there.
PYTHON := $(shell for candidate in python3.13 python3 python; do \
	"$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && { echo "$$candidate"; break; }; done)
LAYER := $(ARTIFACTS_DIR)/python
# Amazon Linux 2023, on which Lambda runs Python 3.13, has glibc 2.34 (its release notes): wheels for an older one run.
PLATFORMS := $(foreach glibc,2_34 2_28 2_17,--platform manylinux_$(glibc)_$(PROCESSOR))

build-NeedsAttentionLayer:
	@[ -n "$(PYTHON)" ] || { echo "No Python 3.13 on PATH: sam build needs it, and with it pip." >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
		--only-binary :all: --implementation cp --python-version 3.13 $(PLATFORMS) \
		--target "$(LAYER)" --requirement requirements.txt
	rm -rf "$(LAYER)/bin"
	$(PYTHON) endpoints.py "$(LAYER)"
	cp -R needs_attention "$(LAYER)"
	find "$(LAYER)" -name __pycache__ -prune -exec rm -rf {} +
	$(PYTHON) -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(LAYER)"
