"""The story of a sweep: fix what is measured, list what is missing, let workers do it, read the answer back."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.bases import log_bases
from sweeps.board import Board
from sweeps.home import Home
from sweeps.launch import launch
from sweeps.pictures import log_examples, log_pictures
from sweeps.plan import Plan, write_plan
from sweeps.space import listed
from sweeps.spec import Spec, as_table
from trainer.config import Candidate, Settings, UserError, digest
from trainer.files import locked, nobody_present

if TYPE_CHECKING:  # heavy: each is imported where the story needs it
    from tracking.record import SweepInfo
    from tracking.runs import Tracker
    from trainer.data import Cases
    from trainer.pretrain import StartingWeights


LONGEST_NAME = 100
RESERVED = ("thaw-pretraining", "Default")


@dataclass(frozen=True)
class Outcome:
    """What a run of a sweep did: its name, how many candidates it trained, those without a score."""

    name: str
    trained: int
    failed: tuple[str, ...]


def run_sweep(
    spec: Spec, home: Home, board: Board, *, workers: int, name: str | None = None, retry_failed: bool = False
) -> Outcome:
    """Run a sweep to its end, or go on with it; what is recorded in MLflow already is not done again."""
    from tracking.runs import Tracker

    with locked(home.launch_lock, waiting=board.waiting):
        cases, fold_of = read_cases(spec, home, board)
        warn_of_memory(spec, len(cases), workers, board)
        tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
        check_clash(spec, board, tracker, name, cases, fold_of)
        plan = _plan(spec, home, board, tracker, name, cases, fold_of)
        candidates = listed(spec.search, plan.n_blocks, spec.settings)
        missing = _missing(candidates, tracker.trials(plan.sweep_run), retry_failed)
        work_left = _enlist(spec, home, plan, missing, retry_failed)
    if work_left:
        board.say(f"{plan.name}: {len(missing)} of {len(candidates)} trials to run, {workers} workers.")
        try:
            with board.training(missing, spec.settings.folds) as listen:
                launch(home, plan.name, workers, listen)
        finally:
            if nobody_present(home.workers_lock(plan.name)):
                tracker.close_lost(plan.sweep_run)  # the sweep's own too; its report finishes that one
    else:
        board.say(f"{plan.name}: all {len(candidates)} trials are recorded; nothing to train.")
    return _outcome(plan.name, candidates, missing, tracker.trials(plan.sweep_run))


def _plan(
    spec: Spec, home: Home, board: Board, tracker: Tracker, name: str | None, cases: Cases, fold_of: list[int]
) -> Plan:
    """Find the starting weights, open the sweep's MLflow run and write down what its workers need."""
    weights, pretraining = find_weights(spec, home, board, tracker)
    made = {
        "digest": weights.digest,
        "source": weights.source,
        "notes": list(weights.notes),
        "pretraining_run": pretraining,
    }
    info = describe(spec, name, cases, fold_of, made)
    plan = Plan(
        name=info.name,
        spec=as_table(spec),
        n_blocks=info.n_blocks,
        fold_of=fold_of,
        data_digest=cases.digest,
        weights=str(weights.path.resolve()),
        weights_digest=weights.digest,
        sweep_run=tracker.open_sweep(info),
    )
    write_plan(home, plan)
    log_bases(tracker, plan.sweep_run, spec, weights)
    log_pictures(tracker, plan.sweep_run, cases)
    log_examples(tracker, plan.sweep_run, weights)
    return plan


def _enlist(spec: Spec, home: Home, plan: Plan, missing: list[Candidate], retry_failed: bool) -> bool:
    """Put what is missing on the study's list; whether there is anything to do, for this launcher or another."""
    from sweeps import engines

    if retry_failed:
        _forget_failures(home)
    searching = spec.search.strategy != "grid"
    if nobody_present(home.workers_lock(plan.name)):
        engines.release(home.storage_url, plan.name, searching=searching)
    engines.enqueue(home.storage_url, plan.name, missing, plan.n_blocks)
    proposing = searching and engines.proposed(home.storage_url, plan.name) < spec.search.trials
    return bool(missing) or proposing


def read_cases(spec: Spec, home: Home, board: Board) -> tuple[Cases, list[int]]:
    """The pictures, and the fold from 0 in which each of them validates: fixed for the whole sweep."""
    from trainer.data import load_cases
    from trainer.folds import make_folds

    settings = spec.settings
    with board.stage("reading pictures") as step:
        cases = load_cases(settings.data, settings.model.size, home.data, progress=step)
    for note in cases.notes:
        board.say(f"Note: {note}")
    if settings.augmentation.order == "leaky" and settings.augmentation.total <= len(cases):
        raise UserError(
            f"'augmentation.order' is 'leaky', but {settings.augmentation.total} images in total leave nothing to "
            f"augment of {len(cases)}. Set augmentation.total to more than that."
        )
    return cases, make_folds(cases.groups, cases.labels, settings.folds, settings.seed).tolist()


def warn_of_memory(spec: Spec, images: int, workers: int, board: Board) -> None:
    """Say before anything is trained that the workers will hardly fit; they are started all the same."""
    from sweeps.backend import prepare_backend

    prepare_backend(deterministic=spec.settings.train.deterministic)
    from sweeps.estimate import expected_shortage

    for line in expected_shortage(spec, images, workers):
        board.say(line)


def check_clash(spec: Spec, board: Board, tracker: Tracker, name: str | None, cases: Cases, fold_of: list[int]) -> None:
    """Raise `UserError` before anything is pre-trained when the name stands for other pictures, folds or settings."""
    from tracking.clash import differing_pretraining
    from tracking.runs import clash

    old = None if name is None else tracker.recorded(name)
    if old is None:
        return
    info = describe(spec, name, cases, fold_of, old.weights)  # as if the weights were the same: they are not made yet
    if info.digest != old.digest:
        raise clash(old, info)
    if changed := differing_pretraining(old.spec, info.spec):
        board.say(
            f"Note: {name!r} was recorded with other pre-training ({', '.join(changed)}). If that gives other weights, "
            "this sweep needs a --name of its own, and stops after pre-training."
        )


def find_weights(spec: Spec, home: Home, board: Board, tracker: Tracker) -> tuple[StartingWeights, str]:
    """The weights to start from, pre-trained now if need be, and the id of the MLflow run that records how."""
    from sweeps.backend import prepare_backend

    settings = spec.settings
    prepare_backend(deterministic=settings.train.deterministic)
    from trainer.pretrain import starting_weights

    with board.stage("starting weights") as step:
        weights = starting_weights(settings.pretrain, settings.model, home.weights, home.data, step)
    for note in weights.notes:
        board.say(f"Note on the pre-training pictures: {note}")
    if not weights.curve:
        return weights, ""
    params = {"source": weights.source, "best_epoch": weights.best_epoch, **asdict(settings.pretrain)}
    losses = [row["loss"] for row in weights.curve]
    held_out = [row["held_out_dice"] for row in weights.curve]
    return weights, tracker.record_pretraining(weights.digest, params, losses, held_out)


def describe(spec: Spec, name: str | None, cases: Cases, fold_of: list[int], weights: Mapping[str, Any]) -> SweepInfo:
    """What the sweep measures, in full. The digest of all that a score depends on is the sweep's identity.

    `weights`: `digest`, `source`, `notes` and `pretraining_run` of the starting weights.
    """
    from tracking.clash import measured
    from tracking.record import SweepInfo
    from tracking.redact import redact
    from trainer.blocks import ALWAYS, partition, searchable
    from trainer.masks import named
    from trainer.revision import versions
    from trainer.unet import unet

    settings = spec.settings
    blocks = partition(unet(settings.model), settings.partition)
    count = searchable(blocks)
    table = as_table(spec)
    identity = digest(
        {"settings": measured(table), "data": cases.digest, "folds": fold_of, "weights": weights["digest"]}
    )
    return SweepInfo(
        name=name or f"{spec.name}-{label(settings)}-{identity[:6]}",
        digest=identity,
        spec=table,
        data={
            "synthetic": cases.synthetic,
            "source": cases.source,
            "layout": cases.layout,
            "images": len(cases),
            "groups": cases.group_count,
            "duplicates": cases.duplicates,
            "empty_masks": cases.empty_masks,
            "notes": list(cases.notes),
            "digest": cases.digest,
            "classes": dict(Counter(label for label in cases.labels if label)),
        },
        folds=[
            [case for case, fold in zip(cases.names, fold_of, strict=True) if fold == number]
            for number in range(settings.folds)
        ],
        n_blocks=count,
        block_params=[block.parameters for block in blocks if block.number != ALWAYS],
        named_masks={word: str(mask) for word, mask in named(count)},
        always_params=sum(block.parameters for block in blocks if block.number == ALWAYS),
        weights=weights,
        versions=versions(),
        seed=settings.seed,
        commit=_commit(),
        command=redact(shlex.join(["thaw", *sys.argv[1:]])),
        planned={candidate.key: candidate.name for candidate in listed(spec.search, count, settings)},
    )


def _missing(candidates: Sequence[Candidate], trials: dict[str, Any], retry_failed: bool) -> list[Candidate]:
    done = {"FINISHED"} if retry_failed else {"FINISHED", "FAILED"}
    return [one for one in candidates if one.key not in trials or trials[one.key].status not in done]


def _forget_failures(home: Home) -> None:
    """Let the ledger forget every failure; those that still hold fail again, with the same reason."""
    for path in home.ledger.glob("*/*/failed.json"):
        path.unlink()


def _outcome(name: str, candidates: Sequence[Candidate], missing: list[Candidate], trials: dict[str, Any]) -> Outcome:
    scored = {key for key, state in trials.items() if state.status == "FINISHED"}
    without = tuple(one.name for one in candidates if one.key not in scored)
    return Outcome(name, sum(one.key in scored for one in missing), without)


def label(settings: Settings) -> str:
    """What default names say of the data: the folder's name, or `phantoms`."""
    if settings.data.path is None:
        return "phantoms"
    words = "".join(letter if letter.isalnum() else "-" for letter in Path(settings.data.path).resolve().name.lower())
    return "-".join(part for part in words.split("-") if part)[:30] or "data"


def _commit() -> str:
    """The commit of thaw's own checkout, where it runs from one."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def check_name(name: str | None) -> str | None:
    """A sweep's name becomes a folder and an MLflow experiment; raises `UserError` for one that cannot."""
    if name is None:
        return None
    odd = [letter for letter in name if letter in "/\\" or not letter.isprintable()]
    if not name.strip() or name.startswith(".") or odd or len(name.encode()) > LONGEST_NAME or name in RESERVED:
        raise UserError(
            f"--name must be 1 to {LONGEST_NAME} bytes long, without / and \\, not beginning with a dot, and none of "
            f"{', '.join(RESERVED)}, but got {name[:120]!r}."
        )
    return name


def check_workers(workers: int) -> int:
    """At least one worker; raises `UserError` otherwise."""
    if workers < 1:
        raise UserError(f"--workers must be at least 1, but got {workers}.")
    return workers
