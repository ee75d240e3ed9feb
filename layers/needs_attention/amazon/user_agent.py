"""The User-Agent header that Amazon requires of every request."""

import sys
from collections.abc import Mapping
from typing import Final

from needs_attention.version import VERSION

_LIMIT: Final = 500


def user_agent(application: str, version: str, attributes: Mapping[str, str]) -> str:
    r"""Amazon's User-Agent, `Name/Version (Language=...; ...)`, each part with `\` before the sign that would end it.

    Amazon's page "Include a User-Agent header in all requests": Language is required, over 500 characters are rejected
    (ValueError here).
    """
    if "Language" not in attributes:
        raise ValueError("Amazon requires the attribute Language")
    listed = "; ".join(f"{_escaped(name, '=')}={_escaped(value, ');')}" for name, value in attributes.items())
    header = f"{_escaped(application, '/')}/{_escaped(version, '(')} ({listed})"
    if len(header) > _LIMIT:
        raise ValueError(f"Amazon rejects a User-Agent of more than {_LIMIT} characters")
    return header


def _escaped(text: str, endings: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\" + endings else sign for sign in text)


USER_AGENT: Final = user_agent(
    "NeedsAttention",
    VERSION,
    {"Language": f"Python/{sys.version_info.major}.{sys.version_info.minor}", "Platform": sys.platform},
)
