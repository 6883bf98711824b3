"""A finding: what is wrong, where, and what repairs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something wrong. `kind`: a few words, the same for all of its kind; `where`: a file, a sweep or a run; `what` is
    wrong there; `remedy`: what `--fix` does about it, and what that costs, or what the user can do.

    `repair` repairs it, and does nothing where that is no longer safe; None where only the user can. It raises
    `UserError` or `OSError` where it fails.
    """

    kind: str
    where: str
    what: str
    remedy: str
    repair: Callable[[], object] | None = field(default=None, compare=False, repr=False)

    @property
    def repairable(self) -> bool:
        """Whether `--fix` repairs it."""
        return self.repair is not None
