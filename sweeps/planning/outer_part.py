"""A sweep of a nested cross-validation: the spec of its whole, on the images that are left when a part is held out.

Whoever needs the images of such a sweep reads those of the whole and takes the part out again: it follows from the
spec alone (docs/nested.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweeps.planning.resolve import ResolvedSweep
from sweeps.spec.load import HeldOut, Spec
from tracking.sweep_names import HELD_OUT, LONGEST, outer_name
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy: each is imported where it is needed
    from tracking.record import SweepInfo
    from trainer.data.cases import Cases, Progress


def part_spec(spec: Spec, sweep: str, part: int) -> Spec:
    """The spec of the search without `part`, from 1, of the sweep called `sweep`.

    It searches as the whole does. What it would add to the answer of the whole is left out: test sets, leaky trials,
    those on fewer images, drawings of neurons, a champion, and trained weights, unless all are kept.
    """
    settings = replace(spec.settings, augmentation=replace(spec.settings.augmentation, order="split-first"))
    return replace(
        spec,
        settings=settings,
        search=replace(spec.search, neurons=(), images=()),
        champion=False,
        keep="all" if spec.keep == "all" else "none",
        test=(),
        outer=0,
        held_out=HeldOut(part, spec.outer, sweep),
    )


def read_own(spec: Spec, cache: Path, progress: Progress | None = None) -> Cases:
    """The images of a sweep, by way of the folder `cache`: all that its spec names, but for a part that is held out."""
    from trainer.data.cases import load_cases
    from trainer.data.outer_parts import some_cases

    cases = load_cases(spec.settings.data, spec.settings.model.size, cache, progress=progress)
    return cases if spec.held_out is None else some_cases(cases, np.flatnonzero(~_held_out(spec, spec.held_out, cases)))


def read_held_out(spec: Spec, cache: Path) -> dict[str, Cases]:
    """The part that is held out, as an external test set of that name; nothing for any other sweep."""
    from trainer.data.cases import load_cases
    from trainer.data.outer_parts import some_cases

    if spec.held_out is None:
        return {}
    cases = load_cases(spec.settings.data, spec.settings.model.size, cache)
    return {HELD_OUT: some_cases(cases, np.flatnonzero(_held_out(spec, spec.held_out, cases)))}


def _held_out(spec: Spec, held_out: HeldOut, cases: Cases) -> NDArray[np.bool_]:
    from trainer.data.outer_parts import make_parts

    settings = spec.settings
    part_of = make_parts(cases, held_out.parts, settings.folds, settings.seed)
    return np.equal(part_of, held_out.part - 1)


def check_parts(spec: Spec, cases: Cases) -> None:
    """Raise `UserError`, before anything is trained, where the parts that a spec asks for cannot be."""
    from trainer.data.outer_parts import check_intensity, make_parts

    if spec.outer:
        part_of = make_parts(cases, spec.outer, spec.settings.folds, spec.settings.seed)
        check_intensity(cases, part_of, spec.settings.data)


def check_choice(resolved: ResolvedSweep) -> None:
    """Raise `UserError` where a nested cross-validation is asked for of a sweep that has nothing to choose among."""
    masks = sorted({one.mask for one in resolved.listed if one.epochs} & set(resolved.space.written))
    if resolved.spec.outer and not resolved.search.proposes and len(masks) < 2:
        raise UserError(
            f"'outer' says how good a choice among masks is, but this spec lists only {masks[0] if masks else 'none'}. "
            "List more, or set outer=0."
        )


def check_outer_names(spec: Spec, sweep: str, recorded: Callable[[str], SweepInfo | None]) -> None:
    """Raise `UserError` where the name of a sweep is too long for those of its parts, or one of these is `recorded` as
    another sweep.
    """
    for part in range(1, spec.outer + 1):
        name = outer_name(sweep, part, spec.outer)
        found = recorded(name)
        if found is not None and dict(found.spec.get("held_out") or {}).get("of") != sweep:
            raise UserError(
                f"The sweeps of the outer parts are named after the whole, but {name!r} is another sweep already. Give "
                "this one another --name."
            )
    longest = outer_name(sweep, spec.outer, spec.outer)
    if spec.outer and len(longest.encode()) > LONGEST:
        raise UserError(
            f"The sweeps of the outer parts are named after the whole, such as {longest!r}, which has more than "
            f"{LONGEST} bytes. Give a shorter --name."
        )
