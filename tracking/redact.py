"""Secrets in addresses are never printed, logged or recorded."""

from __future__ import annotations

import re

USER_INFO = re.compile(r"(://)[^\s'\"]*@")
QUERY = re.compile(r"(?i)\b((?:password|passwd|pwd|token|secret|\w*key)=)[^&\s'\"]+")


def redact(text: str) -> str:
    """`text` with user, password and token of every address replaced by ***.

    Everything up to the last @ of an address goes, for a password may hold / and @ itself.

    >>> redact("postgresql://ann:s3c/r@t@host/db?password=secret&api_key=k")
    'postgresql://***@host/db?password=***&api_key=***'
    """
    return QUERY.sub(r"\1***", USER_INFO.sub(r"\1***@", text))
