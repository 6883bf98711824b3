"""How numbers, masks and comparisons read in every report: one wording for terminal, Markdown and page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tracking.statistics import Comparison
from trainer.candidate import PRETRAINED

SYNTHETIC = "SYNTHETIC DATA: no claim about real images"
COMPARISON_HEADS = ["mean", "95 % interval", "p", "Holm p", "P(> 0.01)", "P(± 0.01)", "P(< −0.01)"]


def comparison_cells(comparison: Comparison) -> list[str]:
    """The cells under `COMPARISON_HEADS`, as text; where there is no test, its note."""
    if math.isnan(comparison.low):
        return [f"{comparison.mean:+.4f}", comparison.note, "", "", "", "", ""]
    interval = f"{comparison.low:+.4f} to {comparison.high:+.4f}"
    chances = [chance(p) for p in (comparison.p_above, comparison.p_within, comparison.p_below)]
    return [f"{comparison.mean:+.4f}", interval, p_value(comparison.p), p_value(comparison.p_holm), *chances]


def noise_words(sd: float, se: float) -> str:
    """`±0.0123 (0.0071)`: SD over seeds and standard error, with the digits of a comparison's mean."""
    return f"±{number(sd, 4)} ({number(se, 4)})"


def chance(p: float) -> str:
    """A probability in %, one digit; never a 0 or 100 that five folds cannot promise."""
    return "< 0.1 %" if p < 0.001 else "> 99.9 %" if p > 0.999 else f"{100 * p:.1f} %"


def counted(number: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def p_value(p: float) -> str:
    """Three digits; what is smaller says so."""
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def number(value: float, digits: int = 3) -> str:
    """A fixed number of digits, an en dash for what cannot be known."""
    return "–" if math.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"  # never -0.000


def from_start(mask: str, start: str) -> str:
    """`1-5`, or `1-5 from phantoms` where that is not the sweep's own start."""
    return mask if start == PRETRAINED else f"{mask} from {start}"


class NamedMask(Protocol):
    """Whatever has a mask: the written one and its other names."""

    @property
    def mask(self) -> str: ...
    @property
    def aliases(self) -> Sequence[str]: ...


def mask_name(named: NamedMask) -> str:
    """`1-5 (contracting)`: the written mask with its first other name."""
    shown = [alias for alias in named.aliases if alias != named.mask][:1]
    return f"{named.mask} ({shown[0]})" if shown else named.mask
