"""The weights that a sweep starts from, each made once: its own, those of `search.starts`, repeated pre-trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.equal_images import equal_images, shown_pairs
from sweeps.planning.resolve import ResolvedSweep
from sweeps.spec.starts import is_given, pretraining
from tracking.spec_view import view_spec
from trainer.candidate import PRETRAINED, RANDOM_STARTS, own_start_of
from trainer.config import COMPOSITES, OWN, PHANTOMS, PretrainConfig
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy: each is imported where it is needed
    from tracking.record import SweepInfo
    from tracking.store.writer import Tracker
    from trainer.data.cases import Cases
    from trainer.training.pretraining import StartingWeights


@dataclass(frozen=True)
class Start:
    """Weights to start from, and the id of the MLflow run that records how they were trained ("": not by thaw)."""

    weights: StartingWeights
    pretraining_run: str

    @property
    def table(self) -> dict[str, Any]:
        """As a sweep's record holds them."""
        return {
            "digest": self.weights.digest,
            "source": self.weights.source,
            "notes": list(self.weights.notes),
            "pretraining_run": self.pretraining_run,
        }


def words_of(origin: str, resolved: ResolvedSweep) -> str:
    """What the screen calls the weights of an origin, behind a space: the user's own name for a start, and the seed of
    a repeated pre-training; empty for the only start of a sweep.
    """
    name, _, seed = origin.partition(":")
    own = own_start_of(resolved.search.starts)
    if name == PRETRAINED:
        name = own[0] if own is not None else ""
    return "".join(f" {word}" for word in (name, f"(seed {seed})" if seed else "") if word)


def configs(resolved: ResolvedSweep) -> dict[str, PretrainConfig]:
    """`Candidate.origin` -> how these weights come about; the sweep's own first."""
    settings = resolved.settings
    own = replace(settings.pretrain, names=settings.data.names)
    found = {PRETRAINED: own}
    for origin, (what, seed) in resolved.further_starts.items():
        config = pretraining(replace(settings, pretrain=own), what) if what else own
        found[origin] = config if seed is None else replace(config, seed=seed)
    return found


def check_there(resolved: ResolvedSweep) -> None:
    """Raise `UserError` for the first start whose folder or file does not exist, before anything is trained."""
    for name, what in resolved.search.starts:
        is_word = what in (COMPOSITES, PHANTOMS, OWN, *RANDOM_STARTS)
        if is_word or Path(what).expanduser().exists() or any(letter in what for letter in "*?["):
            continue
        close = get_close_matches(what, (COMPOSITES, PHANTOMS, OWN, *RANDOM_STARTS), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else "."
        raise UserError(
            f"'search.starts.{name}' must be {COMPOSITES}, {PHANTOMS}, {OWN}, {', '.join(RANDOM_STARTS)}, or a folder "
            f"or weights file that exists, but got '{what}'{hint}"
        )


def make_starts(resolved: ResolvedSweep, home: Home, board: Board, tracker: Tracker) -> dict[str, Start]:
    """The weights of every origin but the fresh ones, pre-trained now if need be, each recorded in MLflow.

    Raises `UserError` where two starts are the same weights, and for weights of another network.
    """
    starts: dict[str, Start] = {}
    planned = configs(resolved)
    # Given weights first: what does not fit is refused before anything is trained.
    for origin, config in sorted(planned.items(), key=lambda item: not is_given(item[1].path or "")):
        starts[origin] = _make(resolved, origin, config, home, board, tracker)
        digest = starts[origin].weights.digest
        if same := [other for other in starts if other != origin and starts[other].weights.digest == digest]:
            raise UserError(
                f"The starts of a sweep must differ, but{words_of(origin, resolved)} and{words_of(same[0], resolved)} "
                "are the same weights. Take one out of search.starts."
            )
    return {origin: starts[origin] for origin in planned}


def _make(
    resolved: ResolvedSweep, origin: str, config: PretrainConfig, home: Home, board: Board, tracker: Tracker
) -> Start:
    from trainer.training.pretraining import starting_weights

    settings, name = resolved.settings, words_of(origin, resolved)
    try:
        with board.stage(f"preparing the starting weights{name}") as step:
            weights = starting_weights(config, settings.model, home.weights, home.data, step, settings.train.precision)
    except UserError as error:
        if not name:
            raise
        raise UserError(f"The start{name}: {error}") from error
    if config.path == PHANTOMS and settings.data.path is None:
        board.say(
            f"Note: the start{name or ' of this sweep'} is pre-trained on phantoms drawn like the sweep's own images: "
            "how well it does says nothing of real ones."
        )
    for note in weights.notes:
        board.say(f"Note on the pre-training images{name}: {note}")
    if not weights.curve:
        return Start(weights, "")
    params = {"source": weights.source, "best_epoch": weights.best_epoch, **asdict(config)}
    losses = [row["loss"] for row in weights.curve]
    held_out = [row["held_out_dice"] for row in weights.curve]
    return Start(weights, tracker.record_pretraining(weights.digest, params, losses, held_out))


def shared_with_pretraining(
    resolved: ResolvedSweep, home: Home, board: Board, tested: Mapping[str, Cases]
) -> list[str]:
    """A sentence, naming pairs, for every start that is pre-trained on images that it is scored on later. `tested`:
    what it is scored on, by the words for it.
    """
    from trainer.training.pretraining import pretraining_cases

    settings, sentences = resolved.settings, []
    for origin, config in configs(resolved).items():  # each pre-training of a start draws images of its own
        if not _reads_images(config):
            continue
        name = words_of(origin, resolved)
        with board.stage(f"comparing the images with those pre-trained on{f' for{name}' if name else ''}"):
            cases = pretraining_cases(config, settings.model, home.data)
            found = {words: equal_images(cases, scored) for words, scored in tested.items()}
        for words, pairs in found.items():
            if pairs:
                sentences.append(
                    f"Pre-training must see other images than those that it is scored on, but {len(pairs)} of "
                    f"{config.path} are equal or nearly equal to some of {words}: {shown_pairs(pairs)}. Take them out "
                    "of either."
                )
    return sentences


def refuse_shared(sentences: Sequence[str], recorded: SweepInfo | None, board: Board) -> None:
    """Raise `UserError` for the first of them; a sweep that is recorded already was let through by a thaw of before,
    and goes on with a warning.
    """
    if sentences and recorded is None:
        raise UserError(sentences[0])
    for sentence in sentences:
        board.say(f"Warning: its scores are too high. {sentence}")


def _reads_images(config: PretrainConfig) -> bool:
    """Whether it is pre-trained on images that somebody may also test on; composites are drawn from photographs."""
    return config.path not in (None, COMPOSITES) and not is_given(str(config.path))


def _own_name(info: SweepInfo) -> str:
    """What the user calls the sweep's own start; empty where it has no other."""
    return (own_start_of(view_spec(info.spec).starts) or ("", ""))[0]


def with_starts(info: SweepInfo, recorded: SweepInfo | None, starts: Mapping[str, Mapping[str, Any]]) -> SweepInfo:
    """The sweep with its further `starts`, those `recorded` before among them: they may grow under one name.

    Raises `UserError` where a name stands for other weights than were recorded.
    """
    mine = {origin: table for origin, table in starts.items() if origin != PRETRAINED}
    before = {} if recorded is None or recorded.digest != info.digest else dict(recorded.starts)
    for name, table in mine.items():
        same = [other for other, one in before.items() if other != name and one["digest"] == table["digest"]]
        if same and name not in before:
            raise UserError(
                f"The name of a start stands for the same weights as long as a sweep goes on, but those of {name} are "
                f"recorded in {info.name!r} as {same[0]}. Call it so, or give this sweep another --name."
            )
    changed = [name for name in mine if name in before and before[name]["digest"] != mine[name]["digest"]]
    changed += [name for name in [_own_name(info)] if name in before]
    if changed:
        raise UserError(
            f"The name of a start stands for the same weights as long as a sweep goes on, but {', '.join(changed)} of "
            f"{info.name!r} was recorded with others. Give it another name, or this sweep another --name."
        )
    return replace(info, starts=before | mine)
