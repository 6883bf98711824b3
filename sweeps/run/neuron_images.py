"""The same few neurons before and after every trial, from the same seed, so that MLflow can show what training did."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.candidate import PRETRAINED, Candidate
from trainer.network.blocks import leaf_layers, partition
from trainer.network.user_model import network_of
from trainer.neurons.contact_sheet import pair
from trainer.neurons.maximise import Artist, Maximised, Recipe
from trainer.results import FoldResult
from trainer.stopping import StopAsked, leave_if, never
from trainer.training.cross_validation import CrossValidation

# Fewer than docs/protocol.md's 256 steps, so that the default sweep keeps to ten minutes; `thaw visualize` takes all.
RECIPE = Recipe(steps=96)


class Gallery:
    """Draws one neuron of each of `blocks` for every trial; what a trial cannot have changed is drawn once."""

    def __init__(self, cross_validation: CrossValidation, blocks: Sequence[int], stop_asked: StopAsked = never) -> None:
        """`stop_asked` is asked between two drawings."""
        self._stop_asked = stop_asked
        self._cross_validation = cross_validation
        self._blocks = blocks
        self._before: dict[tuple[str, int], Maximised] = {}

    def drawings(self, candidate: Candidate, result: FoldResult) -> dict[str, bytes]:
        """`am/<block>/<filter>` -> PNG of that neuron before the trial and after it, in its first fold's network."""
        if not self._blocks:  # with model.blocks none are drawn, and layers may lie in two blocks of the network's own
            return {}
        shallowest, trained = self._shallowest_trained(result), self._weights(candidate, result)
        drawing_of = {}
        for block in self._blocks:
            before = self._draw_start(candidate, block)
            # A block sees nothing of the blocks behind it: if only those trained, its drawing is the same.
            changed = shallowest is not None and shallowest <= block
            after = self._draw(block, trained) if changed else before
            drawing_of[f"am/{block}/{before.neurons[0].filter}"] = pair(before, after)
        return drawing_of

    def _shallowest_trained(self, result: FoldResult) -> int | None:
        """The shallowest block that the trial changed, whatever units its mask counts in; None for no training."""
        block_of = {layer.path: block.number for block in partition(self._network) for layer in block.layers}
        return min((block_of[name.rsplit("/", 1)[0]] for name in result.weights), default=None)

    def _draw_start(self, candidate: Candidate, block: int) -> Maximised:
        key = (candidate.origin, block)
        if key not in self._before:
            self._before[key] = self._draw(block, self._cross_validation.trainer.starts[candidate.origin])
        return self._before[key]

    def _draw(self, block: int, weights: Sequence[NDArray[Any]]) -> Maximised:
        leave_if(self._stop_asked)
        artist, number = self._artists[block]
        artist.trunk.set_weights(weights)
        return artist.draw([number], self._images)

    def _weights(self, candidate: Candidate, result: FoldResult) -> list[NDArray[Any]]:
        """All weights after the trial: the starting ones with the fold's trained variables on top."""
        self._network.set_weights(self._cross_validation.trainer.starts[candidate.origin])
        layers = leaf_layers(self._network)
        for name, value in result.weights.items():
            path, number = name.rsplit("/", 1)
            layers[path].weights[int(number)].assign(value)
        return list(self._network.get_weights())

    @cached_property
    def _network(self) -> Any:
        return network_of(self._cross_validation.settings.model)

    @cached_property
    def _images(self) -> NDArray[np.float32]:
        """Every original image of the data set: each validates in one fold."""
        untrained = Candidate("none", 0, 0.0, seed=self._cross_validation.settings.seed)
        return np.concatenate([fold.test_x for fold in self._cross_validation.folds(untrained)])

    @cached_property
    def _artists(self) -> dict[int, tuple[Artist, int]]:
        """Block -> its artist, and the filter that the data excite most before any training."""
        self._network.set_weights(self._cross_validation.trainer.starts[PRETRAINED])
        artists = {block: Artist(self._network, block, RECIPE) for block in self._blocks}
        return {block: (artist, int(np.argmax(artist.largest(self._images)))) for block, artist in artists.items()}
