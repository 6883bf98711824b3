"""The experimental setup of a sweep as its report lists it: images, folds, network, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracking.data_view import DataView, view_data
from tracking.record import SweepInfo, SweepRecord
from tracking.units import head_of, head_sentence, unit_of


@dataclass(frozen=True, kw_only=True)
class DataSummary(DataView):
    """The images in one sentence, their `statement`, which says first when they are synthetic; beside it the counts."""

    statement: str


@dataclass(frozen=True)
class Fold:
    """One fold: its number `fold`, counted from 1; how many original images `train` on it and how many `test` it; the
    names of those, `cases`.
    """

    fold: int
    train: int
    test: int
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """The network that masks count. `blocks`: how many units it has; `block_params`: the parameters of each, from the
    input on; `named_masks`: name -> mask. `unit`: what masks count, `block` or `conv`. `head`: where the head trains:
    `last` (with the last unit), `always` (whatever the mask), `own` (as a unit of its own); `always_params`: parameters
    that train whatever the mask; `head_sentence` says it in words.
    """

    blocks: int
    block_params: tuple[int, ...]
    named_masks: Mapping[str, str]
    unit: str
    head: str
    always_params: int
    head_sentence: str


@dataclass(frozen=True)
class DistanceScale:
    """How the distances between boundaries were measured: their `unit`, `mm` or `px` (pixels of the working size), and
    in it the `tolerance` of the surface Dice.
    """

    unit: str
    tolerance: float


@dataclass(frozen=True)
class Provenance:
    """What may differ between two equal sweeps: the `command` that began it, the `commit` of thaw, `versions` (library
    -> version), `arithmetic` (`thaw`: the version of its arithmetic; `precision`; `device`; empty where it was not
    recorded), MLflow's `run_id`, and when it `started` (ISO 8601, UTC).
    """

    command: str
    commit: str
    versions: Mapping[str, str]
    arithmetic: Mapping[str, str]
    run_id: str
    started: str


def describe_data(info: SweepInfo) -> DataSummary:
    """The images of a sweep."""
    view = view_data(info.data)
    return DataSummary(**vars(view), statement=_statement(view))


def folds_of(info: SweepInfo) -> tuple[Fold, ...]:
    """The folds of a sweep, in order."""
    folds = zip(info.fold_sizes, info.folds, strict=True)
    return tuple(Fold(number, train, test, tuple(cases)) for number, ((train, test), cases) in enumerate(folds, 1))


def model_of(info: SweepInfo) -> Model:
    """The network of a sweep."""
    return Model(
        blocks=info.n_blocks,
        block_params=tuple(info.block_params),
        named_masks=dict(info.named_masks),
        unit=unit_of(info.spec),
        head=head_of(info.spec),
        always_params=info.always_params,
        head_sentence=head_sentence(info),
    )


def distance_scale_of(info: SweepInfo) -> DistanceScale | None:
    """How the distances of a sweep were measured; None where it was recorded before there were any."""
    return DistanceScale(info.distances["unit"], info.distances["tolerance"]) if info.distances else None


def provenance_of(record: SweepRecord) -> Provenance:
    """Where and when a sweep ran."""
    info = record.info
    return Provenance(
        info.command, info.commit, dict(info.versions), dict(info.arithmetic), record.run_id, record.started
    )


def _statement(data: DataView) -> str:
    """Which images these are, in one sentence; synthetic ones say so first."""
    classes = ", ".join(f"{count} {label}" for label, count in data.counted_classes)
    counted = f"{data.images} images{f' ({classes})' if classes else ''} in {data.groups} groups"
    if data.synthetic:
        return f"SYNTHETIC data ({data.source}): {counted}. It carries no claim about any real image."
    return f"{counted} from {data.source} ({data.layout}); {data.duplicates} near-duplicates share a group."
