"""The start of every test."""

import os

# A module's logger takes its name from here when the module is imported, which any test's file may do first.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
