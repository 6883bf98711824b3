"""Everything about a sweep that is known before its data are read: made once, here, after the look at the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.environment.gpus import unused_gpus
from sweeps.environment.keras_backend import chosen_backend, prepare_backend
from sweeps.spec.load import Spec, seeds_of
from sweeps.spec.search_section import Search
from sweeps.spec.space import Bare, Space, listed, space_of
from sweeps.spec.starts import further, start_seeds_of
from trainer.candidate import PRETRAINED, RANDOM_FROZEN, Candidate, Luck, origin_of
from trainer.config import Settings
from trainer.masks import Mask

if TYPE_CHECKING:
    from sweeps.environment.home import Home
    from sweeps.environment.terminal import Board


@dataclass(frozen=True)
class ResolvedSweep:
    """A spec on its network. Launcher, workers, dry run and a study of the user's own all read this.

    `spec` also holds what only the network can tell. `block_params` are the parameters of units 1..n that a mask
    chooses among, `always_params` those of what trains whatever the mask; `bare`: the units that a kind of tuning finds
    nothing in. `space` is every candidate that the spec
    allows on these units; `listed` are those known beforehand, in the order to train them; `seeds` every training seed,
    `start_seeds` every `Candidate.start_seed`.
    """

    spec: Spec
    block_params: tuple[int, ...]
    always_params: int
    space: Space
    listed: tuple[Candidate, ...]
    seeds: tuple[int, ...]
    start_seeds: tuple[int | None, ...] = (None,)
    bare: Bare = ()

    @property
    def settings(self) -> Settings:
        """What a score depends on besides the candidate."""
        return self.spec.settings

    @property
    def search(self) -> Search:
        """What is tried."""
        return self.spec.search

    @property
    def n_blocks(self) -> int:
        """How many units a mask chooses among."""
        return len(self.block_params)

    @property
    def parameters(self) -> int:
        """Of the whole network, trainable or not."""
        return sum(self.block_params) + self.always_params

    @property
    def repeats(self) -> int:
        """How often every candidate of a list is trained."""
        return len(self.seeds) * len(self.start_seeds)

    @property
    def further_starts(self) -> dict[str, tuple[str, int | None]]:
        """`Candidate.origin` -> what it is and its seed, of all weights that are made beside the sweep's own."""
        starts = [(PRETRAINED, ""), *further(self.search)]
        made = {origin_of(name, seed): (what, seed) for name, what in starts for seed in self.start_seeds}
        return {origin: start for origin, start in made.items() if origin != PRETRAINED}

    @property
    def lucks(self) -> tuple[Luck, ...]:
        """Every `Candidate.luck`; each has fresh weights of its own."""
        return tuple((seed, start_seed) for start_seed in self.start_seeds for seed in self.seeds)

    def competes(self, candidate: Candidate) -> bool:
        """Whether a candidate is one of those that a winner is chosen among: trained, on a start that is searched and
        no control, and not outside.
        """
        trained = candidate.epochs > 0 and candidate.plain and candidate.start != RANDOM_FROZEN
        return trained and candidate.start in self.space.starts and not self.outside(candidate)

    def outside(self, candidate: Candidate) -> bool:
        """Whether a candidate is trained but does not compete: outside of a space that is searched or constrained."""
        return (self.search.proposes or self.search.constrained) and candidate.mask not in self.space.written

    def thawed(self, mask: Mask) -> int:
        """Parameters that a mask thaws: 0 for the empty one, whatever else always trains."""
        return self.always_params + sum(self.block_params[block - 1] for block in mask.blocks) if mask.blocks else 0


def resolve(spec: Spec, block_params: Sequence[int], always_params: int = 0, bare: Bare = ()) -> ResolvedSweep:
    """A spec on units of so many parameters. Raises `UserError` where no mask keeps all constraints."""
    space = space_of(spec.search, block_params, spec.settings, always_params, bare)
    candidates, units = listed(spec.search, space, spec.settings), tuple(block_params)
    start_seeds = start_seeds_of(spec.search, spec.settings)
    return ResolvedSweep(spec, units, always_params, space, candidates, seeds_of(spec), start_seeds, space.bare)


def look_and_resolve(spec: Spec, home: Home, board: Board) -> tuple[ResolvedSweep, Any]:
    """Look at the spec's network, print the notes on it, and resolve the spec on its units.

    Also returns the Keras network, with its own weights or newly drawn ones. Prepares the backend: this is the one
    place where a launcher does. Raises `UserError` for a network that cannot be searched, and for masks and other
    settings that do not fit it.
    """
    with board.stage("looking at the network"):
        train = spec.settings.train
        prepare_backend(deterministic=train.deterministic, precision=train.precision, compiled=home.compiled)
        from sweeps.planning.user_network import look_at
        from trainer.network.blocks import unit_parameters
        from trainer.training.device import CPU, check_precision, device

        check_precision(train.precision)
        look = look_at(spec, home)
        gpu_note = unused_gpus(chosen_backend(), sees_one=device().kind != CPU)
    for note in (*look.notes, *filter(None, [gpu_note])):
        board.say(note)
    return resolve(look.spec, *unit_parameters(look.blocks), look.bare), look.network
