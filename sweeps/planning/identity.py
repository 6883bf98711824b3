"""What a sweep is: its name, and the digest of all that its scores depend on."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweeps.planning.resolve import ResolvedSweep
from sweeps.planning.same_arithmetic import beside_versions
from sweeps.spec.load import as_table
from tracking.sweep_names import LONGEST, RESERVED, is_sweep_name
from trainer.candidate import REFEREE, SCRATCH, Candidate
from trainer.config import Settings
from trainer.errors import UserError
from trainer.keys import digest

if TYPE_CHECKING:  # heavy: each is imported where it is needed
    from tracking.record import SweepInfo
    from trainer.data.cases import Cases


def describe(
    resolved: ResolvedSweep,
    name: str | None,
    cases: Cases,
    fold_of: list[int],
    weights: Mapping[str, Any],
    external: Mapping[str, Cases],
) -> SweepInfo:
    """What the sweep measures, in full. The digest of all that a score depends on is the sweep's identity.

    `weights`: `digest`, `source`, `notes` and `pretraining_run` of the starting weights; `external`: the test sets.
    """
    from tracking.record import SweepInfo
    from tracking.redact import redact
    from tracking.store.same_sweep import measured
    from trainer.masks import named
    from trainer.training.distances import unit_of
    from trainer.training.versions import versions

    settings, count = resolved.settings, resolved.n_blocks
    table = as_table(resolved.spec)
    table["model"]["file"] = ""  # the path of this home's copy: MLflow keeps the file itself
    unit, spacing = unit_of(cases.known_spacing), spacing_digest(cases)
    identity = digest(
        {"settings": measured(table), "data": cases.digest, "folds": fold_of, "weights": weights["digest"]}
        | ({"spacing": spacing} if spacing else {})
        | ({"external": {name: one.digest for name, one in external.items()}} if external else {})
    )
    return SweepInfo(
        name=name or f"{resolved.spec.name}-{label(settings)}-{identity[:6]}",
        digest=identity,
        spec=table,
        data=_data_table(cases),
        folds=_by_fold(cases.names, fold_of, settings.folds),
        labels=_by_fold(cases.labels, fold_of, settings.folds),
        n_blocks=count,
        block_params=list(resolved.block_params),
        named_masks={word: str(mask) for word, mask in named(count)},
        always_params=resolved.always_params,
        weights=weights,
        versions=versions(),
        arithmetic=beside_versions(),
        seed=settings.seed,
        commit=_commit(),
        command=redact(shlex.join(["thaw", *sys.argv[1:]])),
        planned={candidate.key: candidate.name for candidate in resolved.listed},
        outside=[candidate.key for candidate in resolved.listed if resolved.outside(candidate)],
        distances={"unit": unit, "tolerance": settings.score.tolerance_in(unit), "spacing": spacing},
        external={name: _external_table(one) for name, one in external.items()},
    )


def spacing_digest(cases: Cases) -> str:
    """16 hex digits of the spacing in mm, to six digits, by which distances are measured; "" where they are in pixels.

    It makes a sweep, so that one holds distances of one kind, but no training: the ledger does not know it.
    """
    spacing = cases.known_spacing
    return "" if spacing is None else digest([[f"{step:.6g}" for step in steps] for steps in spacing.tolist()])[:16]


def _data_table(cases: Cases) -> dict[str, Any]:
    """The data as the record holds them."""
    return {
        "synthetic": cases.synthetic,
        "source": cases.source,
        "layout": cases.layout,
        "images": len(cases),
        "groups": cases.group_count,
        "duplicates": cases.duplicates,
        "empty_masks": cases.empty_masks,
        "readings": list(cases.readings),
        "notes": list(cases.notes),
        "digest": cases.digest,
        "intensity": cases.intensity.table(),
        "classes": dict(Counter(label for label in cases.labels if label)),
    }


def _external_table(cases: Cases) -> dict[str, Any]:
    """An external test set as the record holds it: the data, and of each image its name, its class and its group."""
    return _data_table(cases) | {
        "names": list(cases.names),
        "labels": list(cases.labels),
        "group_of": np.asarray(cases.groups).tolist(),
    }


def _by_fold(values: Sequence[str], fold_of: Sequence[int], folds: int) -> list[list[str]]:
    """A value per case, as one list per fold."""
    return [[value for value, fold in zip(values, fold_of, strict=True) if fold == number] for number in range(folds)]


def check_space(resolved: ResolvedSweep, name: str, past_candidates: Collection[Candidate]) -> None:
    """Raise `UserError` where a search would go on from trials outside its space: a space may grow, not shrink.

    Baselines do not count: all blocks, no training, from scratch, what the leaky order repeats and what trains on a
    part of the images.
    """
    if not resolved.search.proposes:
        return
    comparable = [one for one in past_candidates if one.plain and one.start not in (SCRATCH, REFEREE)]
    trials = [candidate for candidate in comparable if candidate.mask not in ("all", "none")]
    outside = sorted(candidate.name for candidate in trials if candidate not in resolved.space)
    if outside:
        raise UserError(
            f"A search goes on in the space that it began in, or in a larger one, but of the trials of '{name}' "
            f"{len(outside)} lie outside of this [search], such as {outside[0]}. Choose another --name (nothing is "
            "trained twice for that), or widen [search]."
        )


def label(settings: Settings) -> str:
    """What default names say of the data: the folder's name, or `phantoms`."""
    if settings.data.path is None:
        return "phantoms"
    from trainer.data.pairing.sources import place

    if settings.data.names == "hide":
        return "data"
    slug = "".join(letter if letter.isalnum() else "-" for letter in place(settings.data).name.lower())
    return "-".join(part for part in slug.split("-") if part)[:30] or "data"


def _commit() -> str:
    """The commit of thaw's own checkout, where it runs from one."""
    folder = Path(__file__).parent
    try:
        completed = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return completed.stdout.strip() if completed.returncode == 0 else ""


def check_name(name: str | None) -> str | None:
    """A sweep's name becomes a folder and an MLflow experiment; raises `UserError` for one that cannot."""
    if name is None:
        return None
    if not is_sweep_name(name):
        raise UserError(
            f"--name must be 1 to {LONGEST} bytes long, without / and \\, not beginning with a dot, and none of "
            f"{', '.join(RESERVED)}, but got {name[:120]!r}."
        )
    return name
