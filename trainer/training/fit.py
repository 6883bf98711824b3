"""Training and scoring: fold by fold, epoch by epoch, budget by budget, results streaming out.

One model per process. It is compiled once per mask; for every fold all variables are restored (weights, optimizer,
dropout's seed) and the traced function is reused (docs/design.md, decision 4; docs/facts.md, Keras 1-5).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.candidate import Candidate
from trainer.config import PartitionConfig, TrainConfig, train_config
from trainer.data.cases import Cases
from trainer.errors import Preempted, TrialFailed
from trainer.masks import parse
from trainer.network.block_patterns import Table
from trainer.network.blocks import leaf_layers, partition, searchable, seed_states
from trainer.network.precision import compute_in
from trainer.results import OBJECT, FoldResult, Reached, Score
from trainer.stopping import StopAsked, leave, leave_if, never
from trainer.training.changing import refuse_bare, trained_parameters, values
from trainer.training.compiled import CompiledSteps
from trainer.training.device import continued, device
from trainer.training.keeping import Clock, KeepPace
from trainer.training.ledger import Entry, Failure, State
from trainer.training.metrics import score
from trainer.training.passage import Passage
from trainer.training.phases import Course, course_of, refuse_short
from trainer.training.steps.batches import batches
from trainer.training.steps.contract import Steps
from trainer.training.steps.engine import steps_of

NOTHING_TRAINED = (-1, 0)  # epochs and steps: not even the starting weights were scored


@dataclass(frozen=True)
class FoldData:
    """One fold ready to train: images (n, H, W[, 3]) in [0, 1], masks (n, H, W) of 0, 1 and, where ignored, 255.

    `train_images` counts the original cases among the augmented `train_x`; `trained` names them where they are but a
    part of those that the fold does not score. `montage` are positions in `test_x`. `test_spacing` (n, 2) in mm between
    the pixels of the images that are scored; None: distances are in pixels.
    """

    number: int
    train_x: NDArray[np.float32]
    train_y: NDArray[np.uint8]
    train_images: int
    test_x: NDArray[np.float32]
    test_y: NDArray[np.uint8]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    montage: tuple[int, ...] = ()
    test_spacing: NDArray[np.float64] | None = None
    trained: tuple[str, ...] = ()


class Trainer:
    """The network of this process, with its blocks, its starting weights and the mask that it is compiled for."""

    def __init__(
        self,
        model: keras.Model,
        starts: Mapping[str, Sequence[NDArray[np.float32]]],
        config: TrainConfig,
        units: PartitionConfig | None = None,
        table: Table = (),
        *,
        ignoring: bool = False,
        stop_asked: StopAsked = never,
        clock: Clock = time.monotonic,
    ) -> None:
        """`starts`: weights in `model.get_weights()` order for every `Candidate.origin` to be trained.

        `units`, `table`: how the network is divided into blocks (`partition`). `ignoring`: some pixels of the masks are
        255 and take no part. `stop_asked` is asked between training steps; `clock` gives seconds, for `KeepPace`.
        """
        self.blocks = partition(model, units, table)
        self.config = config
        self.starts = starts
        self._ignoring = ignoring
        self._stop_asked, self._clock = stop_asked, clock
        compute_in(model, config.precision)
        self._model, self._steps = steps_of(model)
        self._compiled = CompiledSteps(self._model, self._steps, ignoring=ignoring)

    def parameters(self, candidate: Candidate) -> int:
        """How many parameters train under a candidate."""
        return trained_parameters(self._model, self._course(candidate))

    def _course(self, candidate: Candidate) -> Course:
        mask = parse(candidate.mask, searchable(self.blocks))
        return course_of(self.blocks, mask, train_config(self.config, candidate))

    def fold_results(
        self,
        candidate: Candidate,
        fold: FoldData,
        budgets: Sequence[int],
        entry: Entry,
        kept: Callable[[Reached], object] = lambda reached: None,
    ) -> Iterator[FoldResult]:
        """Yield the fold's results at the budgets up to the candidate's epochs, rising; the last is always among them.

        What the ledger has is not trained. Where it has the last budget, smaller ones that it has not are left out.
        `kept` is told how far the training is whenever its state was kept: at a budget, and every few minutes.
        Raises `TrialFailed` for a non-finite loss or a trainable block that did not move (recorded, so that it is not
        repeated), `FrozenBlockMoved` for a frozen one that did, and `Preempted` when a stop is asked for; what was
        trained until then is kept.
        """
        leave_if(self._stop_asked)
        refuse_short(self._course(candidate), candidate.epochs)

        def keep(state: State) -> None:
            entry.keep_state(state)
            kept(Reached(fold.number, state.epochs, state.steps))

        asked = sorted({budget for budget in budgets if budget < candidate.epochs} | {candidate.epochs})
        with entry.lease(lambda: leave_if(self._stop_asked)):
            results = {budget: entry.result(budget) for budget in asked}
            state = entry.state()
            if state is not None and state.position > (candidate.epochs, 0):
                state = None  # the run passed this budget without scoring it, so it is trained again
            reached = state.position if state else NOTHING_TRAINED
            if results[candidate.epochs]:
                reached = candidate.epochs, 0
            yield from (result for budget, result in results.items() if result and (budget, 0) <= reached)
            missing = [one for one in asked if (one, 0) > reached or ((one, 0) == reached and not results[one])]
            if not missing:
                return
            failure = entry.failure()
            if failure is not None and failure.epochs <= candidate.epochs:
                raise TrialFailed(failure.reason)
            try:
                for result, newest in self._train(candidate, fold, missing, state, keep):
                    entry.keep(result, newest)
                    kept(Reached(fold.number, result.epochs))
                    yield result
            except TrialFailed as failed:
                entry.keep_failure(Failure(candidate.epochs, str(failed)))
                raise

    def _train(
        self,
        candidate: Candidate,
        fold: FoldData,
        budgets: Sequence[int],
        state: State | None,
        keep: Callable[[State], None],
    ) -> Iterator[tuple[FoldResult, State]]:
        """Yield the result at each budget with the state it is read from; hand other states to `keep`."""
        started, pace = time.perf_counter(), KeepPace(self._clock)
        course, batch = self._course(candidate), train_config(self.config, candidate).batch
        if not self._ignoring and (fold.train_y > OBJECT).any():
            raise ValueError("masks with ignored pixels need a trainer that ignores them")
        for phase in course.phases:
            refuse_bare(self._model, phase)
        self._restore(candidate, fold.number)
        seed = candidate.seed, fold.number
        passage = Passage(self._model, self._compiled, course, candidate.learning_rate, seed)
        state = state or State(0, (), {})
        passage.begin(state)
        losses, begun, loss_sum = list(state.losses), state.steps, state.loss_sum
        started -= state.seconds
        processor = continued(state.processor, device().processor)

        def standing(steps: int = 0, loss_sum: float = 0.0) -> State:
            passage.settle()
            variables, seconds = passage.variables(), time.perf_counter() - started
            return State(len(losses), tuple(losses), variables, processor, steps, seconds, loss_sum)

        def pause(steps: int = 0, loss_sum: Callable[[], float] = lambda: 0.0) -> None:
            """Between two steps: keep the state where that is due, and leave when that is asked for."""
            stop = self._stop_asked()
            if stop or pace.is_due():
                pace.timed(lambda: keep(standing(steps, loss_sum())))
            if stop:
                leave()

        for budget in budgets:
            for epoch in range(len(losses), budget):
                passage.go_on(epoch)
                losses.append(self._epoch(passage.now.steps, fold, batch, seed, epoch, begun, loss_sum, pause))
                begun, loss_sum = 0, 0.0
                pause()
            passage.prove()
            try:
                scores, predictions = self._score(fold.test_x, fold.test_y, fold.names, fold.labels)
            except Preempted:
                keep(standing())
                raise
            result = FoldResult(
                fold=fold.number,
                epochs=budget,
                scores=scores,
                losses=tuple(losses),
                train_images=fold.train_images,
                seconds=time.perf_counter() - started,
                traces=passage.traces,
                predictions=predictions,
                weights=values(passage.weights()),
                processor=processor,
            )
            yield result, replace(standing(), seconds=0.0)

    def _restore(self, candidate: Candidate, fold: int) -> None:
        """Set weights and dropout's seeds as before a first training."""
        self._model.set_weights(self.starts[candidate.origin])
        for number, variable in enumerate(seed_states(self._model)):
            state = np.random.SeedSequence([candidate.seed, fold, number]).generate_state(math.prod(variable.shape))
            variable.assign(state.reshape(variable.shape).astype(variable.dtype))

    def _epoch(
        self,
        steps: Steps,
        fold: FoldData,
        batch_size: int,
        seed: tuple[int, int],
        epoch: int,
        begun: int,
        loss_sum: float,
        pause: Callable[[int, Callable[[], float]], None],
    ) -> float:
        """One epoch, from the step after the `begun` ones, whose losses add up to `loss_sum`; its mean training loss.

        `pause(steps, loss_sum)` is called between two steps. The mean is taken over the steps, each of as many images.
        """
        order = np.stack(list(batches(len(fold.train_x), batch_size, seed, epoch)))
        run = steps.epoch(fold.train_x, fold.train_y, order[begun:])

        def so_far() -> float:
            """Adds up in the order of the steps, so that an epoch in two parts has the bits of one in one."""
            total = loss_sum
            for loss in run.losses():
                if not math.isfinite(loss):
                    raise TrialFailed(
                        f"The training loss became {loss} in epoch {epoch + 1} of fold {fold.number}. "
                        "A smaller learning rate may help."
                    )
                total += loss
            return total

        try:
            for step in range(begun, len(order)):
                if step > begun:
                    pause(step, so_far)
                run.step()
            return so_far() / len(order)
        finally:
            steps.settle()

    def score_external(
        self, candidate: Candidate, weights: Mapping[str, NDArray[np.float32]], cases: Cases
    ) -> tuple[Score, ...]:
        """The scores of other images by a network that was trained before: the candidate's start with the `weights` of
        a result put in. Raises `TrialFailed` where its predictions are not finite.
        """
        self._model.set_weights(self.starts[candidate.origin])
        layers = leaf_layers(self._model)
        for name, value in weights.items():
            path, _, position = name.rpartition("/")
            layers[path].weights[int(position)].assign(value)
        return self._score(cases.images, cases.masks, cases.names, cases.labels)[0]

    def _score(
        self, images: NDArray[np.float32], masks: NDArray[np.uint8], names: Sequence[str], labels: Sequence[str]
    ) -> tuple[tuple[Score, ...], NDArray[np.uint8]]:
        probability = self._steps.predict(images, lambda: leave_if(self._stop_asked))
        if not np.isfinite(probability).all():  # the last update may diverge after the last loss was still finite
            raise TrialFailed(
                "The network's predictions are not finite: it diverged. A smaller learning rate may help."
            )
        scores = tuple(
            score(name, label, truth, predicted)
            for name, label, truth, predicted in zip(names, labels, masks, probability, strict=True)
        )
        return scores, (probability > 0.5).astype(np.uint8)
