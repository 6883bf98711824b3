"""A finding: what is wrong, where, and what mends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """Something wrong. `kind`: a few words, the same for all of its kind; `where`: a file, a sweep or a run; `what` is
    wrong there; `mend`: what `--fix` does about it, and what that costs, or what the user can do.

    `repair` mends it, and does nothing where that is no longer safe; None where only the user can. It raises
    `UserError` or `OSError` where it fails.
    """

    kind: str
    where: str
    what: str
    mend: str
    repair: Callable[[], object] | None = field(default=None, compare=False, repr=False)

    @property
    def mendable(self) -> bool:
        """Whether `--fix` mends it."""
        return self.repair is not None
