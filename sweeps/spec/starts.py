"""What fine-tuning may start from: `search.starts` and `search.start_seeds`, their rules, what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from sweeps.spec.search_section import Search
from trainer.candidate import PRETRAINED, RANDOM_STARTS, REFEREE, SCRATCH, own_start_of
from trainer.config import COMPOSITES, LARGEST_SEED, OWN, WEIGHT_FILES, ModelConfig, PretrainConfig, Settings

NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def name_of(start: str) -> str:
    """What a start is called that was given no name: its word, or the name of its folder or file.

    >>> name_of("composites"), name_of("data/chest x-rays"), name_of("imagenet.weights.h5")
    ('composites', 'chest-x-rays', 'imagenet')
    """
    stem = PurePath(start).name.split(".")[0]
    return re.sub("[^A-Za-z0-9_-]+", "-", stem).strip("-")[:32]


def recorded(search: Search) -> tuple[str, ...]:
    """Every start that is searched, as candidates name it; the sweep's own first."""
    own = own_start_of(search.starts)
    return (PRETRAINED, *(name for name, what in search.starts if (name, what) != own))


def further(search: Search) -> tuple[tuple[str, str], ...]:
    """(name, what) of the starts that are made beside the sweep's own; fresh weights are not made beforehand."""
    own = own_start_of(search.starts)
    return tuple(start for start in search.starts if start != own and start[1] not in RANDOM_STARTS)


def pretraining(settings: Settings, what: str) -> PretrainConfig:
    """How a start comes about: the sweep's pre-training on these images, or these weights."""
    default = OWN if settings.model.path is not None else COMPOSITES
    return replace(settings.pretrain, path=None if what == default else what, masks="")


def with_own_start(search: Search, settings: Settings) -> Settings:
    """The settings with the sweep's own start in `[pretrain]`."""
    own = own_start_of(search.starts)
    return settings if own is None else replace(settings, pretrain=pretraining(settings, own[1]))


def start_seeds_of(search: Search, settings: Settings) -> tuple[int | None, ...]:
    """`Candidate.start_seed` of every repeated pre-training: None is that with the sweep's own seed."""
    seeds = search.start_seeds or (settings.pretrain.seed,)
    return tuple(None if seed == settings.pretrain.seed else seed for seed in seeds)


def start_mistakes(search: Search, settings: Settings) -> Iterator[str]:
    """What is wrong with `search.starts` and `search.start_seeds`, one sentence each."""
    yield from _name_mistakes(search.starts)
    if search.starts and own_start_of(search.starts) is None:
        yield (
            "'search.starts' must name one start with weights, which all others are set against, but got only "
            f"{', '.join(what for _, what in search.starts)}. Add composites, phantoms, a folder or a weights file."
        )
    if OWN in (what for _, what in search.starts) and settings.model.path is None:
        yield f"'search.starts' = '{OWN}' are the weights in a network's own file, but there is no model.path."
    yield from _seed_mistakes(search, settings)


def pretrain_beside_starts(search: Search, config: PretrainConfig) -> Iterator[str]:
    """The mistake of saying in two places what the sweep starts from."""
    if search.starts and config.masks:
        yield (
            f"'pretrain.masks' ({config.masks}) says where one folder's masks lie, but 'search.starts' may name "
            "several: lay them out so that thaw finds them (docs/own-data.md), and leave it out."
        )
    if search.starts and config.path is not None:
        yield (
            f"'pretrain.path' ({config.path}) and 'search.starts' both say what the sweep starts from: name it in "
            "search.starts, and leave --pretrain out."
        )


def _name_mistakes(starts: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, what in starts:
        if not what.strip():
            yield f"'search.starts.{name}' must say what it is, but it is empty."
        elif what in RANDOM_STARTS and name != what:
            yield f"'search.starts': fresh weights must be called {what}, but got the name '{name}' for them."
        elif name in (PRETRAINED, REFEREE) or (name in RANDOM_STARTS and name != what):
            yield f"'search.starts.{name}' has a name with a meaning of its own, so it cannot be '{what}'."
        elif not NAME.fullmatch(name):
            yield (
                "A start's name must be 1 to 32 letters, digits, ., - and _, and begin with a letter or digit, but got "
                f"'{name}'."
            )
    for number, kind in ((0, "name"), (1, "start")):
        values = [start[number] for start in starts]
        if twice := sorted({value for value in values if values.count(value) > 1}):
            yield f"'search.starts' must list each {kind} once, but got {', '.join(twice)} more often."


def _seed_mistakes(search: Search, settings: Settings) -> Iterator[str]:
    seeds = list(search.start_seeds)
    if not seeds:
        return
    if len(set(seeds)) < len(seeds) or not all(0 <= seed < LARGEST_SEED for seed in seeds):
        yield f"'search.start_seeds' must be distinct numbers from 0 to {LARGEST_SEED - 1}, but got {seeds}."
    if settings.pretrain.seed not in seeds:
        yield (
            f"'search.start_seeds' must hold the seed of the sweep's own pre-training, 'pretrain.seed' = "
            f"{settings.pretrain.seed}, but got {seeds}."
        )
    if search.proposes:
        yield f"'search.start_seeds' repeats the trials of a list; '{search.strategy}' takes one: leave it out."
    given = [name for name, what in search.starts if is_given(what)]
    if not search.starts and is_given(settings.pretrain.path or "", settings.model):
        given = ["the sweep's own"]
    if given:
        yield (
            f"'search.start_seeds' repeats a pre-training, but the weights of {', '.join(given)} are given: leave it "
            "out, or list weights of other trainings as starts of their own."
        )


def is_given(what: str, model: ModelConfig | None = None) -> bool:
    """Whether a start's weights lie in a file: nothing is trained for it."""
    own = what == OWN or (not what and model is not None and model.path is not None)
    return own or what.endswith(WEIGHT_FILES)


def random_start_mistake(search: Search, *, has_all: bool) -> Iterator[str]:
    """`scratch` trains all blocks, so a space without that mask has no place for it."""
    if SCRATCH in dict(search.starts) and not has_all:
        yield (
            "'search.starts' names scratch, which trains all blocks, but this search has no mask all: leave scratch "
            "out (it is measured as a reference anyway), or add the mask."
        )
