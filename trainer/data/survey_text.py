"""A survey of a folder in words, as `thaw data check` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer.data.listing.folder import count
from trainer.data.survey import Survey

LISTED = 20


def text(survey: Survey) -> str:
    """The survey as plain lines for a terminal."""
    lines = [
        f"{survey.folder}: {survey.layout} layout, {survey.image_count} images, "
        f"{len(survey.names)} readable with their masks",
        *(f"pair       {pair}" for pair in survey.pairs),
        f"sizes      {size_of(survey.smallest)} smallest, {size_of(survey.median)} median, "
        f"{size_of(survey.largest)} largest",
        f"modes      images {counts(survey.image_modes)}; masks {counts(survey.mask_modes)}",
        f"classes    {counts(survey.classes)}",
        f"masks      {survey.several_masks} images with several masks (merged), {len(survey.empty)} with an empty mask",
        f"area       {areas_in_words(survey.areas)}",
        f"duplicates {sum(map(len, survey.duplicates))} images in {count(survey.duplicates, 'group')} "
        "of near-duplicates",
        *listed([" = ".join(group) for group in survey.duplicates]),
        *survey.readings,
        *survey.notes,
    ]
    fatal = [f"{problem.file}: {problem.message}" for problem in survey.problems if problem.fatal]
    odd = [f"{problem.file}: {problem.message}" for problem in survey.problems if not problem.fatal]
    lines += [f"to look at {len(odd)}", *listed(odd)] if odd else []
    # All fatal problems are listed, because this command saves people from fixing a folder one error at a time.
    lines += [f"problems   {len(fatal)}", *(f"  {line}" for line in fatal)] if fatal else []
    return "\n".join([*lines, verdict(survey)])


def verdict(survey: Survey) -> str:
    """The last line: whether `thaw run` would take the folder."""
    if survey.usable:
        return "ready to use"
    if not survey.areas:
        fatal = any(problem.fatal for problem in survey.problems)
        return "not usable: " + ("see the problems above" if fatal else "no mask has anything marked")
    alone = any(problem.fatal and problem.alone for problem in survey.problems)
    hint = " (--set data.skip_unpaired=true leaves out files without partner)" if alone else ""
    return f"not usable as it is: fix the problems above{hint}"


def areas_in_words(areas: tuple[float, ...]) -> str:
    """`0.3 % smallest, 2.6 / 5.3 / 12.1 % quartiles, 55.0 % largest`."""
    if not areas:
        return "nothing marked in any mask"
    low, first, median, third, high = (100 * area for area in areas)
    return (
        f"{low:.1f} % of the image smallest, {first:.1f} / {median:.1f} / {third:.1f} % quartiles, {high:.1f} % largest"
    )


def listed(lines: Sequence[str]) -> list[str]:
    """The first lines, indented, and how many more there are."""
    more = [f"  ... and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return [*(f"  {line}" for line in lines[:LISTED]), *more]


def counts(numbers: Mapping[str, int]) -> str:
    """`benign 437, malignant 210`."""
    return ", ".join(f"{name or 'unknown'} {number}" for name, number in sorted(numbers.items())) or "none"


def size_of(sides: tuple[int, int]) -> str:
    """`500x471`: width x height."""
    return f"{sides[0]}x{sides[1]}"
