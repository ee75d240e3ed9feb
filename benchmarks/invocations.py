"""The template's functions, invoked in this process on the embedded AWS, and what each invocation takes."""

import io
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from unittest.mock import patch

from needs_attention import aws
from tools.consumption import consumption_of
from tools.local_stack.deployment import PROJECT

CONTEXT: Any = SimpleNamespace(
    function_name="in-process",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda",
    aws_request_id="5b2f0c2e-7f1c-4d38-9c0e-0d2a6d1f7a11",
    get_remaining_time_in_millis=lambda: 100_000,
)


@dataclass(frozen=True)
class Usage:
    """The usage of an invocation, or of several together.

    `seconds` are of a processor. `calls` counts calls of AWS's services by operation, such as `SendMessageBatch`, and the
    events put on the bus as `PutEvents`; `written` the write units by table and index; `logged` bytes.
    """

    invocations: float = 0
    seconds: float = 0
    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    written: Counter[str] = field(default_factory=Counter)
    logged: float = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.invocations + other.invocations,
            self.seconds + other.seconds,
            self.calls + other.calls,
            self.read_units + other.read_units,
            self.written + other.written,
            self.logged + other.logged,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        """Nothing takes less than nothing: that is only how exactly it can be measured."""
        return Usage(
            max(self.invocations - other.invocations, 0),
            max(self.seconds - other.seconds, 0),
            self.calls - other.calls,
            max(self.read_units - other.read_units, 0),
            self.written - other.written,
            max(self.logged - other.logged, 0),
        )

    def times(self, factor: float) -> "Usage":
        return Usage(
            self.invocations * factor,
            self.seconds * factor,
            _times(self.calls, factor),
            self.read_units * factor,
            _times(self.written, factor),
            self.logged * factor,
        )

    @property
    def write_units(self) -> float:
        return self.written.total()


def _times(counts: Counter[str], factor: float) -> Counter[str]:
    # Counts may be any numbers, but are declared whole.
    return Counter({name: cast(int, count * factor) for name, count in counts.items()})


class Functions:
    """Loaded when they are first invoked, with what the template tells them through their environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._output = io.StringIO()
        self._calls: Counter[str] = Counter()
        self._loaded: dict[str, _Loaded] = {}

    def invoke(self, name: str, event: Mapping[str, Any]) -> tuple[Any, Usage]:
        """The function's answer, and its usage."""
        function = self._loaded.get(name) or self._load(name)
        self._calls.clear()
        logged = self._output.tell()
        with redirect_stdout(self._output), consumption_of(function.dynamodb) as consumption:
            began = time.thread_time()
            answer = function.handler(event, CONTEXT)
            seconds = time.thread_time() - began
        text = self._output.getvalue()[logged:]
        return answer, Usage(
            invocations=1,
            seconds=seconds,
            calls=Counter(self._calls),
            read_units=consumption.read_units,
            written=Counter(consumption.written),
            logged=len(text.encode()),
        )

    @property
    def output(self) -> str:
        """All that the functions have logged."""
        return self._output.getvalue()

    def _load(self, name: str) -> "_Loaded":
        spec = spec_from_file_location(f"measured_{name}", PROJECT / f"functions/{name}/app.py")
        if spec is None or spec.loader is None:
            raise RuntimeError(f"There is no function {name}")
        app, make, clients = module_from_spec(spec), aws.client, {}

        def client(service: str) -> Any:
            clients[service] = made = make(service)
            made.meta.events.register("before-parameter-build", self._count)
            return made

        with (
            patch.dict(os.environ, self._environment, clear=True),
            patch.object(aws, "client", client),
            redirect_stdout(self._output),
        ):
            spec.loader.exec_module(app)
        function = self._loaded[name] = _Loaded(app.handler, clients["dynamodb"])
        return function

    def _count(self, *, params: Mapping[str, Any], model: Any, **_: object) -> None:
        self._calls[model.name] += len(params["Entries"]) if model.name == "PutEvents" else 1


class _Loaded(NamedTuple):
    """A function: its handler, and the client by which it calls DynamoDB."""

    handler: Callable[[Mapping[str, Any], Any], Any]
    dynamodb: Any
