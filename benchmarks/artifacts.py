"""The output of `sam build` for a template, for this machine's processor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.local_stack.deployment import PROJECT, Tools, architecture, path_with_this_python

ARTIFACTS = PROJECT / ".build/bench-artifacts"


def built(template: Path, name: str) -> Path:
    """The folder with the artifacts of each of the template's functions and layers, freshly built.

    Raises RuntimeError with the end of what SAM said if it fails.
    """
    folder = ARTIFACTS / name
    command = ["build", "--template", str(template), "--build-dir", str(folder), "--no-cached"]
    finished = subprocess.run(  # noqa: S603 - SAM, from this project's own environment
        [str(Tools.sam), *command, "--parameter-overrides", f"Architecture={architecture()}"],
        cwd=template.parent,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PATH": path_with_this_python()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"sam build of {template} failed:\n{finished.stderr[-6000:]}")
    return folder


def with_bytecode(artifact: Path) -> Path:
    """A copy of a function's artifact in which each module is compiled, as it is not after a plain `sam build`."""
    copy = artifact.with_name(f"{artifact.name}WithBytecode")
    shutil.copytree(artifact, copy)
    compile_modules(copy, python=Path(sys.executable))
    return copy


def compile_modules(folder: Path, python: Path) -> None:
    """Leaves valid bytecode, whatever the files' dates, of every module below for this Python."""
    subprocess.run(  # noqa: S603 - ours
        [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)], check=True
    )
