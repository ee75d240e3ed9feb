"""`make deploy`: builds this release, and deploys it with a configuration of samconfig.toml.

Plain `sam deploy` takes whatever was built last; if nothing was built, it takes the sources, whose layer has no
packages. It also keeps the value that the stack has for each parameter that it is not given. So this always builds
first, and it always gives all parameters of the configuration, whichever others you add.
"""

import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.local_stack.deployment import PROJECT, Tools, path_with_this_python
from tools.local_stack.layer_digest import write_digest

SAM_CONFIG = PROJECT / "samconfig.toml"


class Deployment:
    """A deployment with the configuration of that name, with further parameters (`Name=value`) on top of its own.

    Raises ValueError if there is no such configuration, or if a further parameter is none.
    """

    def __init__(self, configuration: str, parameters: Sequence[str] = (), file: Path = SAM_CONFIG) -> None:
        known = tomllib.loads(file.read_text(encoding="utf-8"))
        if "deploy" not in known.get(configuration, {}):
            raise ValueError(f"{file.name} has no [{configuration}.deploy.parameters]")
        self._configuration = configuration
        self._parameters = dict(_pairs(_configured(known[configuration]["deploy"]["parameters"])))
        self._parameters |= dict(_pairs(parameters))

    def steps(self, arguments: Sequence[str] = ()) -> Iterator[list[str]]:
        """What SAM does, in this order. `arguments` are for its `deploy`."""
        overrides = [f'{name}="{value}"' for name, value in self._parameters.items()]
        common = ["--config-env", self._configuration, *(["--parameter-overrides", *overrides] if overrides else [])]
        yield ["build", *common]
        yield ["deploy", *arguments, *common]


def _configured(settings: Mapping[str, Any]) -> list[str]:
    """A guided deployment writes a text into samconfig.toml, people write a list."""
    overrides = settings.get("parameter_overrides", [])
    return shlex.split(overrides) if isinstance(overrides, str) else list(overrides)


def _pairs(parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    for one in parameters:
        name, is_pair, value = one.partition("=")
        if not is_pair or not name.isalnum():
            raise ValueError(f"A parameter looks like ScheduleState=DISABLED, and not like {one!r}")
        yield name, value


def main(configuration: str, parameters: str, *arguments: str) -> int:
    """Answers the exit code of the first step that fails, or 0."""
    try:
        deployment = Deployment(configuration, shlex.split(parameters))
    except ValueError as error:
        sys.exit(str(error))
    write_digest()
    for step in deployment.steps(arguments):
        command = ["env", f"PATH={path_with_this_python()}", str(Tools.sam), *step]
        if code := subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - this project's own SAM
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
