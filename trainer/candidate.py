"""One point of the search: which blocks train, how, and what they start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from trainer.keys import digest, fields_in_key

PRETRAINED, SCRATCH, RANDOM_FROZEN, REFEREE = "pretrained", "scratch", "random-frozen", "referee"
RANDOM_STARTS = (SCRATCH, RANDOM_FROZEN)  # from fresh weights: all blocks train, or those of the mask alone
RESERVED_STARTS = (PRETRAINED, *RANDOM_STARTS, REFEREE)  # what nobody can call a start of his own
Split = Literal["grouped", "leaky"]
Luck = tuple[int, int | None]  # seed of the training, and of what it starts from (None: the sweep's own)
TrainValue = str | int | float | bool


@dataclass(frozen=True)
class Candidate:
    """One point of the search: which blocks train, for how many epochs, how fast, from which weights.

    `mask` is the written form (`1-5`, `all`, `none`, see `trainer.masks`); `none` is the zero-shot baseline and has
    `epochs=0`. `start`: `pretrained` is the sweep's own; `scratch` and `random-frozen` are fresh weights, of which all
    blocks train, or those of the mask alone; `referee` is no training of ours: `mask` is then what somebody calls his
    predictions (`thaw referee`); anything else is a start of that name (`search.starts`). `seed` draws augmentation,
    batches, dropout and fresh weights; the folds are the sweep's. `split="leaky"` is scored on folds cut after
    augmentation. `train` holds the searched training settings that differ from the sweep's, by name in `TrainConfig`,
    sorted: `(("batch", 8),)`. `start_seed`: the seed of what it starts from, where that is not the sweep's own.
    `images`: it trains as if so many images were labelled, 0 for all (`trainer.data.labelled_subsets`); it is scored on
    all.
    """

    mask: str
    epochs: int
    learning_rate: float
    start: str = PRETRAINED
    seed: int = 0
    split: Split = "grouped"
    train: tuple[tuple[str, TrainValue], ...] = ()
    start_seed: int | None = None
    images: int = 0

    @property
    def name(self) -> str:
        """What a person calls it: `1-5 · 12 epochs · lr 0.001`; what differs from the sweep's own settings is said."""
        if self.start == REFEREE:
            return self.mask
        start = "" if self.start == PRETRAINED else f"from {self.start} · "
        if self.epochs == 0:
            return f"{start}zero-shot"
        seed = f" · seed {self.seed}" if self.seed else ""
        start_seed = "" if self.start_seed is None else f" · start seed {self.start_seed}"
        leaky = " · leaky split" if self.split == "leaky" else ""
        images = f" · {self.images} images" if self.images else ""
        train = "".join(f" · {name} {value}" for name, value in self.train)
        length = f"{self.epochs} epochs · lr {self.learning_rate:g}"
        return f"{start}{self.mask} · {length}{train}{images}{seed}{start_seed}{leaky}"

    @property
    def training(self) -> str:
        """What candidates of one training have in common: it passes through the smaller epoch counts on its way."""
        return replace(self, epochs=1).key

    @property
    def recipe(self) -> tuple[str, float, str, tuple[tuple[str, TrainValue], ...], int]:
        """What is tried, apart from how long and with which luck: mask, learning rate, start, training settings, and on
        how many images.
        """
        return self.mask, self.learning_rate, self.start, self.train, self.images

    @property
    def plain(self) -> bool:
        """Whether it trains on the sweep's folds as they are: neither leaky nor on a part of the images. Only such ones
        are compared and chosen.
        """
        return self.split == "grouped" and not self.images

    @property
    def luck(self) -> Luck:
        """Which repetition of its recipe it is."""
        return self.seed, self.start_seed

    @property
    def origin(self) -> str:
        """The weights it starts from: `pretrained` or the name of another start, with the seed of a repeated
        pre-training behind a colon; fresh ones are those of its luck.
        """
        return fresh_origin(self.luck) if self.start in RANDOM_STARTS else origin_of(self.start, self.start_seed)

    @property
    def key(self) -> str:
        """Digest that identifies the candidate inside its sweep: 16 hex digits (`trainer.keys`)."""
        return digest(fields_in_key(asdict(self), Candidate))[:16]


def own_start_of(starts: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    """(name, what) of a sweep's own start among those of `search.starts`: the first with weights, which all others are
    set against and candidates call `pretrained`; None where there is none.

    >>> own_start_of([("scratch", "scratch"), ("photos", "composites"), ("sim", "phantoms")])
    ('photos', 'composites')
    """
    return next((start for start in starts if start[1] not in RANDOM_STARTS), None)


def fresh_origin(luck: Luck) -> str:
    """The `Candidate.origin` of fresh weights: a draw for every luck, so that repeats are repeats.

    >>> fresh_origin((0, None)), fresh_origin((0, 2))
    ('scratch:0', 'scratch:0:2')
    """
    seed, start_seed = luck
    return f"{SCRATCH}:{seed}" if start_seed is None else f"{SCRATCH}:{seed}:{start_seed}"


def origin_of(start: str, start_seed: int | None = None) -> str:
    """The `Candidate.origin` of weights that are made once for the sweep.

    >>> origin_of("phantoms"), origin_of("phantoms", 2)
    ('phantoms', 'phantoms:2')
    """
    return start if start_seed is None else f"{start}:{start_seed}"
