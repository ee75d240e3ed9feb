"""The version of this project: the Lambda layer has no package metadata to read it from."""

from typing import Final

# pyproject.toml repeats it for tools that read files only, such as the bill of materials; a test compares the two.
VERSION: Final = "0.1.0"
