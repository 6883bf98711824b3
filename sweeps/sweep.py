"""The story of a sweep: fix what is measured, list what is missing, let workers do it, read the answer back."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sweeps.board import Board
from sweeps.home import Home
from sweeps.launch import launch
from sweeps.plan import Plan, write_plan
from sweeps.space import listed
from sweeps.spec import Spec, as_table
from trainer.config import Candidate, Settings, UserError, digest


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
    from sweeps import engines
    from tracking.runs import Tracker

    tracker = Tracker.connect(home.tracking_uri, home.artifacts if home.own_tracking else None)
    plan, info = prepare(spec, home, board, tracker, name)
    plan = replace(plan, sweep_run=tracker.open_sweep(info))
    write_plan(home, plan)

    candidates = listed(spec.search, plan.n_blocks)
    missing = _missing(candidates, tracker.trials(plan.sweep_run), retry_failed)
    if retry_failed:
        _forget_failures(home)
    proposing = spec.search.strategy != "grid" and engines.proposed(home.storage_url, plan.name) < spec.search.trials
    if missing or proposing:
        engines.enqueue(home.storage_url, plan.name, missing, plan.n_blocks)
        board.say(f"{len(missing)} of {len(candidates)} trials to run, {workers} workers.")
        try:
            with board.training(missing, spec.settings.folds) as listen:
                launch(home, plan.name, workers, listen)
        finally:
            tracker.close_lost(plan.sweep_run)
    else:
        board.say(f"All {len(candidates)} trials of '{plan.name}' are recorded; nothing to train.")
    return _outcome(plan.name, candidates, missing, tracker.trials(plan.sweep_run))


def prepare(spec: Spec, home: Home, board: Board, tracker: Any, name: str | None) -> tuple[Plan, Any]:
    """Fix what the sweep measures: pictures, folds, starting weights; the digest of all of it is its identity."""
    from sweeps.worker import set_environment
    from tracking.record import SweepInfo
    from trainer.data import load_cases
    from trainer.folds import make_folds

    settings = spec.settings
    with board.stage("reading pictures") as step:
        cases = load_cases(settings.data, settings.model.size, home.data, progress=step)
    for note in cases.notes:
        board.say(f"Note: {note}")
    fold_of = make_folds(cases.groups, cases.labels, settings.folds, settings.seed)
    set_environment(settings)
    from trainer.blocks import partition
    from trainer.masks import named
    from trainer.pretrain import starting_weights
    from trainer.trial import versions
    from trainer.unet import unet

    with board.stage("starting weights") as step:
        weights = starting_weights(settings.pretrain, settings.model, home.weights, home.data, step)
    pretraining = (
        tracker.record_pretraining(
            weights.digest,
            {"source": weights.source, "best_epoch": weights.best_epoch, **asdict(settings.pretrain)},
            [row["loss"] for row in weights.curve],
            [row["held_out_dice"] for row in weights.curve],
        )
        if weights.curve
        else ""
    )
    blocks = partition(unet(settings.model))
    identity = digest(
        {
            "settings": _measured(settings),
            "data": cases.digest,
            "folds": [int(fold) for fold in fold_of],
            "weights": weights.digest,
        }
    )
    name = name or f"{spec.name}-{_label(settings)}-{identity[:6]}"
    info = SweepInfo(
        name=name,
        digest=identity,
        spec=as_table(spec),
        data={
            "synthetic": cases.synthetic,
            "source": cases.source,
            "layout": cases.layout,
            "images": len(cases.names),
            "groups": len(set(cases.groups.tolist())),
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
        n_blocks=len(blocks),
        block_params=[block.parameters for block in blocks],
        named_masks={word: str(mask) for word, mask in named(len(blocks))},
        weights={"digest": weights.digest, "source": weights.source, "pretraining_run": pretraining},
        versions=versions(),
        seed=settings.seed,
        commit=_commit(),
        command=shlex.join(["thaw", *sys.argv[1:]]),
        planned={candidate.key: candidate.name for candidate in listed(spec.search, len(blocks))},
    )
    plan = Plan(
        name=name,
        spec=as_table(spec),
        n_blocks=len(blocks),
        fold_of=[int(fold) for fold in fold_of],
        data_digest=cases.digest,
        weights=str(weights.path.resolve()),
        weights_digest=weights.digest,
        sweep_run="",
    )
    return plan, info


def _measured(settings: Settings) -> dict[str, Any]:
    """The settings that a score depends on, beside the pictures and the weights, which have digests of their own."""
    return {name: value for name, value in asdict(settings).items() if name not in ("data", "pretrain")}


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


def _label(settings: Settings) -> str:
    """What a default name says of the data: the folder's name, or `phantoms`."""
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


def check_workers(workers: int) -> int:
    """At least one worker; raises `UserError` otherwise."""
    if workers < 1:
        raise UserError(f"--workers must be at least 1, but got {workers}.")
    return workers
