"""The phases of a training: epochs in which the same weights train (`train.schedule`).

`at-once` is one phase. `head-first` has two: the head alone, then the mask, so that a head which fits nothing yet does
not distort what is pre-trained (Kumar, Raghunathan, Jones, Ma and Liang 2022, LP-FT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainer.config import TrainConfig
from trainer.errors import TrialFailed
from trainer.masks import Mask
from trainer.network.blocks import Partition, head_alone, head_of


@dataclass(frozen=True)
class Phase:
    """The `mask` over `blocks` that trains, and how, which is the same for every training that has such a phase.

    `head`: the path of the layer that trains alone; "" where the mask of the candidate does.
    """

    blocks: Partition
    mask: Mask
    config: TrainConfig
    head: str = ""

    def named(self, blocks: Sequence[int]) -> str:
        """Some of its blocks as a message names them."""
        return f"the head '{self.head}'" if self.head and [*blocks] == [*self.mask.blocks] else f"blocks {[*blocks]}"

    def __str__(self) -> str:
        return f"the head '{self.head}' alone" if self.head else f"mask {self.mask}"


@dataclass(frozen=True)
class Course:
    """The phases of one training, in order, and the epochs after which each but the last ends."""

    phases: tuple[Phase, ...]
    ends: tuple[int, ...] = ()

    @property
    def last(self) -> Phase:
        """That of the candidate's mask."""
        return self.phases[-1]

    def phase_at(self, epochs: int, steps: int = 0) -> int:
        """Which phase, from 0, a training is in after so many epochs and steps of the next one; where a phase ends it
        is still in that.
        """
        return sum((epochs, steps) > (end, 0) for end in self.ends)


def course_of(blocks: Partition, mask: Mask, config: TrainConfig) -> Course:
    """The phases of a mask's training; nothing trains under an empty mask, the head neither.

    In the first phase all of the head trains, at the candidate's rate: what of a block is tuned, and its rate, are the
    mask's.
    """
    plain = replace(config, schedule="at-once", head_epochs=TrainConfig.head_epochs)
    of_mask = Phase(blocks, mask, plain)
    if config.schedule == "at-once" or not mask.blocks:
        return Course((of_mask,))
    whole = replace(plain, tune="all", rate_decay=1.0, lora_rank=TrainConfig.lora_rank)
    return Course((Phase(*head_alone(blocks), whole, head_of(blocks)), of_mask), (config.head_epochs,))


def refuse_short(course: Course, epochs: int) -> None:
    """Raises `TrialFailed` where a budget ends before the last phase begins: the mask would never train."""
    if course.ends and epochs <= course.ends[-1]:
        raise TrialFailed(
            f"a budget must end after the head has trained alone (train.head_epochs = {course.ends[-1]}), but got "
            f"{epochs} epochs."
        )
