"""What a refitted winner scores on the outer part that its search never saw, as the artifact `refit.json`."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict

from tracking.record import Refit
from tracking.store.external_tags import external_from_text, external_text
from tracking.store.schema import candidate_from_json

FILE = "refit.json"
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)


def refit_to_text(refit: Refit) -> str:
    """The artifact: the candidate as of a trial, and the counts in the form of `thaw.external`."""
    table = {"candidate": asdict(refit.candidate), "external": json.loads(external_text(refit.external))}
    return json.dumps(table, separators=(",", ":"))


def refit_from_text(text: str) -> Refit | None:
    """The inverse; None for a damaged one, which is then made again."""
    try:
        table = json.loads(text)
        return Refit(candidate_from_json(table["candidate"]), external_from_text(json.dumps(table["external"])))
    except DAMAGED:
        return None
