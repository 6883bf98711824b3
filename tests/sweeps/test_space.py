"""Which candidates a spec asks for."""

from __future__ import annotations

from dataclasses import replace

import optuna
import pytest

from sweeps.rules import Search
from sweeps.space import baselines, listed, masks_of, proposer_of
from trainer.config import AugmentConfig, Settings

LEAKY = Settings(augmentation=AugmentConfig(total=9, order="leaky"), seed=4)
BOTH = Search(epochs=(6, 12), learning_rate=(1e-3,))


def test_the_study_asks_for_17_masks_at_every_budget_and_the_baselines() -> None:
    found = listed(BOTH, 9)
    assert len(masks_of(BOTH, 9)) == 17
    assert len(found) == len(set(found)) == 17 * 2 + 2 + 1
    assert sum(one.start == "scratch" for one in found) == 2 and sum(one.epochs == 0 for one in found) == 1


def test_the_largest_budget_comes_first_and_masks_stand_together() -> None:
    found = listed(Search(epochs=(2, 4, 8), learning_rate=(1e-3, 1e-2)), 9)
    epochs = [one.epochs for one in found]
    assert epochs == sorted(epochs, reverse=True)
    masks = [(one.mask, one.start) for one in found if one.epochs == 8]
    assert all(masks[i] == masks[i + 1] for i in range(0, len(masks), 2))


def test_baselines_are_always_there() -> None:
    few = Search(space="masks", masks=("9",), epochs=(3,))
    assert {(one.mask, one.epochs, one.start) for one in listed(few, 9)} == {
        ("9", 3, "pretrained"),
        ("all", 3, "pretrained"),
        ("all", 3, "scratch"),
        ("none", 0, "pretrained"),
    }
    assert set(listed(Search(strategy="tpe", trials=3), 9)) == set(baselines(Search(), Settings()))


def test_seeds_repeat_every_trial_and_leave_zero_shot_alone() -> None:
    once, thrice = listed(BOTH, 9), listed(replace(BOTH, seeds=(5, 6, 7)), 9)
    assert {one.seed for one in once} == {0} and len(thrice) == 3 * (len(once) - 1) + 1
    assert {replace(one, seed=0) for one in thrice} == set(once)
    assert {one.seed for one in listed(BOTH, 9, Settings(seed=4))} == {4}


def test_the_leaky_order_adds_a_second_trial_to_every_trained_one() -> None:
    found = listed(BOTH, 9, LEAKY)
    honest = [one for one in found if one.split == "grouped"]
    assert set(honest) == set(listed(BOTH, 9, Settings(seed=4)))
    assert {replace(one, split="grouped") for one in found if one.split == "leaky"} == {
        one for one in honest if one.epochs
    }


@pytest.mark.parametrize(
    "search",
    [BOTH, Search(space="masks", masks=("1-5", "expanding"), epochs=(1, 5, 9), learning_rate=(1e-4, 1e-3))],
)
def test_proposals_lie_in_the_space(search: Search) -> None:
    propose = proposer_of(search, 9)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    grid = {(str(mask), epochs, rate) for mask in masks_of(search, 9) for epochs in search.epochs
            for rate in search.learning_rate}  # fmt: skip
    drawn = [propose(study.ask()) for _ in range(200)]
    assert {(one.mask, one.epochs, one.learning_rate) for one in drawn} <= grid
    assert len(set(drawn)) > len(grid) / 2
