"""The champion of a sweep: the candidate that scored highest, refitted on all images and registered in MLflow."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweeps.commands.price import price
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.locks import contract
from sweeps.planning.identity import label
from sweeps.planning.plan import Plan, read_plan
from sweeps.spec.load import Keep
from tracking.analysis.formatting import counted
from tracking.analysis.learning import learned_nothing
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import candidates_of, no_choice, setting_of
from tracking.best_mask.ranking import rank
from tracking.best_mask.sentences import no_training_is_best, sentence
from tracking.record import SweepRecord, TrialRecord
from tracking.statistics import spread
from trainer.candidate import Candidate
from trainer.channels import with_channels
from trainer.errors import UserError
from trainer.masks import parse

if TYPE_CHECKING:  # heavy
    from tracking.store.registry import Crowned
    from trainer.data.cases import Cases
    from trainer.results import FoldResult
    from trainer.training.ledger import Entry


def crown(
    home: Home,
    board: Board,
    sweep: str | None,
    mask: str | None = None,
    name: str | None = None,
    *,
    automatic: bool = False,
) -> Crowned | None:
    """Refit a sweep's winner, or the given mask, on all its images; log, register and alias it `champion`.

    `sweep`: its name, the newest by default. `name`: of the registered model, that of the data set by default. A
    champion that is registered already is not made again. `automatic`: no command asked for it, so it takes no other
    sweep's place, and a network that learned nothing, or scores no higher than without training, is not made (None).
    Raises `UserError` where nothing can be chosen.
    """
    from sweeps.environment.keras_backend import prepare_backend
    from tracking.store.writer import Tracker

    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    record = tracker.read_sweep(sweep)
    try:
        chosen, rivals = choose(record, mask)
    except UserError as nothing:
        if not automatic:
            raise
        board.say(f"No champion. {nothing}")  # a sweep whose time was up before anything was finished
        return None
    if failure := learning_failure(chosen) or (no_training(record) if mask is None else None):
        board.say(f"No champion. {failure}" if automatic else f"Warning: {failure}")
        if automatic:
            return None
    plan = read_plan(home, record.info.name)
    settings = plan.resolved.settings
    description = describe(record, chosen, rivals, asked=mask is not None)
    for line in (*description, *cautions(record, chosen)):
        board.say(line)
    train = settings.train
    prepare_backend(deterministic=train.deterministic, precision=train.precision, compiled=home.compiled)
    from tracking.store.registry import DICE, Champion, give_alias, known_champion, record_champion
    from trainer.training.versions import versions

    candidate, name = chosen.info.candidate, name or label(settings)
    with home.locks.held(contract.champion(record.info.name, candidate.key)):
        registered = known_champion(tracker, record.run_id, candidate, name)
        if registered is None:
            network, result, cases = _refit(home, board, plan, candidate, chosen.seconds / settings.folds)
            metrics = {DICE: chosen.mean_dice, "dice_on_training_images": result.mean("dice")}
            champion = Champion(
                record.run_id,
                candidate,
                " ".join(description),
                metrics,
                versions()["backend"],
                cases.intensity.table(),
            )
            registered = record_champion(tracker, champion, network, with_channels(cases.images[:1]), name)
        return give_alias(tracker, registered, record.info.name, always=not automatic)


def _let_go(entry: Entry, candidate: Candidate, keep: Keep) -> None:
    """MLflow is about to hold the refitted network: its weights stay in the ledger for another name, its state not."""
    if keep != "all":
        entry.lose_state()
        for epochs in entry.budgets():
            if keep == "none" or epochs != candidate.epochs:
                entry.lose_weights(epochs)


def _refit(
    home: Home, board: Board, plan: Plan, candidate: Candidate, fold_seconds: float
) -> tuple[Any, FoldResult, Cases]:
    """The candidate's network trained on all images, its result on them, and the images.

    `fold_seconds`: how long one fold of it took.
    """
    from sweeps.run.load_cross_validation import load_cross_validation, planned_cases
    from trainer.errors import TrialFailed
    from trainer.training.refit import all_cases, refit

    cross_validation = load_cross_validation(home, plan)
    cases = planned_cases(home, plan)
    settings = plan.resolved.settings
    entry = cross_validation.ledger.entry(cross_validation.key(candidate, all_cases(cases, settings, candidate.seed)))
    reached = entry.result(candidate.epochs)
    if reached is None or reached.weights_lost:
        board.say(price(candidate, 1, fold_seconds * settings.folds / (settings.folds - 1)))
    try:
        with board.stage(f"training {candidate.name} on all {len(cases)} images") as step:
            network, result = refit(cross_validation, cases, candidate, step)
    except TrialFailed as failed:
        raise UserError(f"The refit of {candidate.name} cannot be used: {failed} Try another --mask.") from failed
    _let_go(entry, candidate, plan.resolved.spec.keep)
    return network, result, cases


def choose(record: SweepRecord, mask: str | None) -> tuple[TrialRecord, Sequence[TrialRecord]]:
    """The trial to refit and all it was chosen among, best mean Dice first: the winner of the one answer
    (`tracking.best_mask`), or the given mask at its best setting.

    A champion needs no second mask to be chosen among: the only finished one will do. Trials repeated with several
    seeds are judged by the mean over those that all have done, and refitted with the first. Raises `UserError` where
    nothing is finished, and for a mask that is no candidate.
    """
    candidates = candidates_of(read(record))
    rivals = sorted(candidates.trials, key=lambda trial: -trial.mean_dice)  # of equal ones the cheapest stays first
    if not rivals:
        raise UserError(
            f"The best mask is chosen among finished trials, but the sweep '{record.info.name}' has none. "
            f"Finish it first; it was started with: {record.info.command}"
        )
    if mask is None:
        return candidates.winner, rivals
    mask_text = str(parse(mask, record.info.n_blocks))
    for trial in rivals:
        if trial.info.candidate.mask == mask_text:
            return trial, rivals
    raise UserError(
        f"--mask must be one of the candidates that the sweep '{record.info.name}' measured, but got '{mask}'. "
        f"Measured: {', '.join(sorted(candidates.masks))}."
    )


def describe(record: SweepRecord, chosen: TrialRecord, rivals: Sequence[TrialRecord], *, asked: bool) -> list[str]:
    """What the champion is and how far its score can be trusted; MLflow keeps these sentences beside the model."""
    info, repeats = record.info, read(record).repeats
    fold_spread = spread(chosen.folds["dice"])
    sentences = ["SYNTHETIC DATA: this network is no tool for real images."] if info.data.get("synthetic") else []
    sentences.append(
        f"{chosen.info.candidate.name}: mean Dice {fold_spread.mean:.3f} (SD over folds {fold_spread.sd:.3f}) in the "
        f"cross-validation of sweep {info.name}."
    )
    if len(repeats.lucks) > 1:
        sentences.append(f"Each fold's score is the mean over {repeats.words}; refitted with the first.")
    if asked:
        rank = 1 + [trial.run_id for trial in rivals].index(chosen.run_id)
        sentences.append(f"Chosen by hand; number {rank} of the {_counted(rivals)}.")
    elif len(rivals) > 1:
        sentences.append(
            f"The highest of {_counted(rivals)}, so its score looks better than it is; the next "
            f"({_named(rivals[1], rivals)}) has {rivals[1].mean_dice:.3f}."
        )
    sentences.append(f"Refitted on all {info.data['images']} images: no score of its own can be given.")
    return sentences


def _counted(rivals: Sequence[TrialRecord]) -> str:
    """`3 masks`, or `6 candidates` where more than one setting was searched."""
    return counted(len(rivals), "mask" if _one_setting(rivals) else "candidate")


def _named(trial: TrialRecord, rivals: Sequence[TrialRecord]) -> str:
    """A rival's mask, or the whole candidate where more than one setting was searched."""
    candidate = trial.info.candidate
    return candidate.mask if _one_setting(rivals) else candidate.name


def _one_setting(rivals: Sequence[TrialRecord]) -> bool:
    return len({setting_of(trial.info.candidate) for trial in rivals}) == 1


def cautions(record: SweepRecord, chosen: TrialRecord) -> list[str]:
    """What else to know before this network is used: baselines that scored higher, trials that are missing."""
    finished = read(record).honest.finished
    better = [trial for trial in finished if trial.info.role != "trial" and trial.mean_dice > chosen.mean_dice]
    notes = [f"Note: {trial.info.candidate.name} scored {trial.mean_dice:.3f}, which is higher." for trial in better]
    scored = {trial.info.candidate.key for trial in record.finished}
    if missing := [name for key, name in record.info.planned.items() if key not in scored]:
        notes.append(f"Note: {len(missing)} of {len(record.info.planned)} planned trials have no score yet.")
    return notes


def learning_failure(chosen: TrialRecord) -> str | None:
    """Why a candidate that misses nearly everything is of no use, in one sentence; None for any other."""
    if not learned_nothing(chosen.mean_dice):
        return None
    return (
        f"Nothing was learned: with a mean Dice of {chosen.mean_dice:.3f}, {chosen.info.candidate.name} predicts "
        "almost nothing; train longer, with another learning rate or from better starting weights."
    )


def no_training(record: SweepRecord) -> str | None:
    """The answer of a sweep where no training at all scores highest; None for any other."""
    candidates = candidates_of(read(record))
    if "zero-shot" not in candidates.references or no_choice(candidates):
        return None
    ranking = rank(candidates)
    return sentence(ranking, record.info) if no_training_is_best(ranking) else None


def outcome(crowned: Crowned, home_option: str = "") -> list[str]:
    """What became of the alias and how to use the network; `home_option`: the option that leads to this home."""
    registered, former_holder = crowned.made, crowned.before
    suffix = "" if registered.new else ", registered before"
    if not crowned.moved:
        return [
            f"Registered: models:/{registered.name}/{registered.version}{suffix}",
            f"{registered.uri} stays with {former_holder}",
            f"  to move it: thaw champion {shlex.quote(crowned.sweep)}{home_option}",
        ]
    replaced = [] if former_holder is None else [f"  replaces {former_holder}"]
    return [
        f"Champion: {registered.uri} (version {registered.version}{suffix})",
        *replaced,
        f"  thaw predict {shlex.quote(registered.uri)} IMAGES --out FOLDER{home_option}",
    ]
