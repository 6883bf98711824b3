"""Secrets in addresses are never printed, logged or recorded.

Two rules together. Whatever looks like a secret goes: user and password of an address, a password or token after its
name. And whatever this process knows to be one goes wherever it stands: drivers cut an odd address up and quote pieces.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, unquote_plus

USER_INFO = re.compile(r"(://)\S*@")
NAMES = r"\w*(?:password|passwd|pwd|token|secret|key)"
QUERY = re.compile(rf"(?i)\b({NAMES}=)(?:'[^']*'|\"[^\"]*\"|[^&\s'\"]+)")
ENTRY = re.compile(r"(?i)(['\"]\w*(?:password|passwd|pwd|token|secret)['\"]\s*:\s*)(?:'[^']*'|\"[^\"]*\")")
HEADER = re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:basic\s+|bearer\s+)?)[^\s'\",}]+")
SHORTEST = 4  # characters: what is shorter stands in too many words

# Variables that hold an address, and those that hold a secret: of thaw, and of the libraries that it hands them to.
ADDRESS_VARIABLE = re.compile(r"(?i)THAW_STORAGE|MLFLOW_\w+_URI|\w*_PROXY")
SECRET_VARIABLE = re.compile(
    r"PGPASSWORD|MLFLOW_\w*(?:PASSWORD|TOKEN|SECRET|SECRET_KEY)|AWS_(?:SECRET_ACCESS_KEY|SESSION_TOKEN)"
    r"|AZURE_\w*(?:KEY|SECRET|STRING)|DATABRICKS_TOKEN"
)


def redact(text: str) -> str:
    """`text` with user, password and token of every address replaced by ***, and so every secret of the environment.

    Everything up to the last @ of an address goes, for a password may hold / and @ itself.

    >>> redact("postgresql://ann:s3c/r@t@host/db?password=secret&api_key=k")
    'postgresql://***@host/db?password=***&api_key=***'
    """
    for pattern in (USER_INFO, QUERY, ENTRY, HEADER):
        text = pattern.sub(r"\1***@" if pattern is USER_INFO else r"\1***", text)
    for secret in sorted(known_secrets(os.environ), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def known_secrets(environment: Mapping[str, str]) -> set[str]:
    """The secrets that stand in environment variables, in each form in which a message may quote them."""
    found: set[str] = set()
    for name, value in environment.items():
        if ADDRESS_VARIABLE.fullmatch(name):
            found.update(_of_address(value))
        elif SECRET_VARIABLE.fullmatch(name):
            found.update(_forms(value))
    return {secret for secret in found if len(secret) >= SHORTEST}


def _of_address(address: str) -> Iterator[str]:
    """Password, token and header of an address, wherever an @ may end them. A user alone is a token only in HTTP."""
    scheme, _, rest = address.partition("://")
    for ending in (rest, rest.partition("?")[0]):
        user_info, at, _ = ending.rpartition("@")
        if at:
            user, colon, password = user_info.partition(":")
            if colon or scheme.startswith("http"):
                yield from _forms(password if colon else user)
            plain = f"{unquote(user)}:{unquote(password)}"
            yield base64.b64encode(plain.encode()).decode()  # as HTTP sends it
    for match in QUERY.finditer(address):
        yield from _forms(match.group().partition("=")[2].strip("'\""))


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, percent-encoded and not, as Python and JSON write it, and what a driver takes for a host."""
    plain = {secret, unquote(secret), unquote_plus(secret)}
    for form in plain:
        yield from (form, quote(form, safe=""), quote_plus(form), repr(form)[1:-1], json.dumps(form)[1:-1])
        yield from re.split(r"[@/:?#]", form)
