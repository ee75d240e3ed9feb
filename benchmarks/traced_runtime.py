"""Lambda's Python runtime as it is, and the trace header that the emulator does not pass on.

On Lambda every request has one. Without it X-Ray's SDK takes its function for one that is still starting, and writes a
warning for each segment. Here the first request is sampled and the others are not, as X-Ray by default does with many
requests in a second. Nobody listens where the segments are sent to.
"""

import os
import sys
from itertools import count
from pathlib import Path

sys.path[0] = str(Path.cwd())  # the function's folder, as with `python -m awslambdaric`

from awslambdaric import __main__, bootstrap  # type: ignore[import-not-found]  # noqa: E402

requests = count()


def set_trace_header(_: str | None) -> None:
    number = next(requests)
    sampled = int(number == 0)
    os.environ["_X_AMZN_TRACE_ID"] = f"Root=1-6929df00-{number:024x};Parent=53995c3f42cd8ad8;Sampled={sampled}"


bootstrap.update_xray_env_variable = set_trace_header
__main__.main(sys.argv)
