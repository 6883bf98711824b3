"""Which candidates a spec asks for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from sweeps.spec import space as spaces
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, listed, longest_epochs, masks_of, space_of, warm_start
from trainer.candidate import Candidate
from trainer.config import AugmentConfig, Settings
from trainer.errors import UserError
from trainer.masks import parse

LEAKY = Settings(augmentation=AugmentConfig(total=9, order="leaky"), seed=4)
BOTH = Search(epochs=(6, 12), learning_rate=(1e-3,))


def listing(search: Search, settings: Settings | None = None) -> tuple[Candidate, ...]:
    settings = settings or Settings()
    return listed(search, space_of(search, [1] * 9, settings), settings)


def test_the_paper_asks_for_17_masks_at_every_budget_and_the_baselines() -> None:
    found = listing(BOTH)
    assert len(masks_of(BOTH, 9)) == 17
    assert len(found) == len(set(found)) == 17 * 2 + 2 + 1
    assert sum(one.start == "scratch" for one in found) == 2 and sum(one.epochs == 0 for one in found) == 1


def test_the_largest_budget_comes_first_and_masks_stand_together() -> None:
    found = listing(Search(epochs=(2, 4, 8), learning_rate=(1e-3, 1e-2)))
    epochs = [one.epochs for one in found]
    assert epochs == sorted(epochs, reverse=True)
    masks = [(one.mask, one.start) for one in found if one.epochs == 8]
    assert all(masks[i] == masks[i + 1] for i in range(0, len(masks), 2))


def test_baselines_are_always_there() -> None:
    few = Search(space="masks", masks=("9",), epochs=(3,))
    assert {(one.mask, one.epochs, one.start) for one in listing(few)} == {
        ("9", 3, "pretrained"),
        ("all", 3, "pretrained"),
        ("all", 3, "scratch"),
        ("none", 0, "pretrained"),
    }


def test_seeds_repeat_every_trial_and_leave_zero_shot_alone() -> None:
    once, thrice = listing(BOTH), listing(replace(BOTH, seeds=(5, 6, 7)))
    assert {one.seed for one in once} == {0} and len(thrice) == 3 * (len(once) - 1) + 1
    assert {replace(one, seed=0) for one in thrice} == set(once)
    assert {one.seed for one in listing(BOTH, Settings(seed=4))} == {4}


def test_the_leaky_order_adds_a_second_trial_to_every_trained_one() -> None:
    found = listing(BOTH, LEAKY)
    honest = [one for one in found if one.split == "grouped"]
    assert set(honest) == set(listing(BOTH, Settings(seed=4)))
    assert {replace(one, split="grouped") for one in found if one.split == "leaky"} == {
        one for one in honest if one.epochs
    }


def test_fewer_images_repeat_the_listed_trials_and_no_baseline() -> None:
    search = Search(space="masks", masks=("1-5", "9"), epochs=(6, 12), images=(20, 40), seeds=(0, 1))
    space = space_of(search, [1] * 9, Settings())
    found = listed(search, space, Settings())
    parts = [one for one in found if one.images]
    assert [one for one in found if not one.images] == list(listing(replace(search, images=())))
    assert {(one.mask, one.epochs, one.seed, one.images) for one in parts} == set(
        itertools.product(("1-5", "9"), (6, 12), (0, 1), (20, 40))
    )
    assert len(set(found)) == len(found) and not any(one in space for one in parts)
    assert len(longest_epochs(parts)) == 2 * 2 * 2  # each a training of its own, to be paid for


WEIGHTS = [100, 200, 300, 400, 500, 400, 300, 200, 100]


@pytest.mark.parametrize(
    ("search", "masks"),
    [
        (Search(), 17),
        (Search(space="subsets"), 511),
        (Search(space="single"), 9),
        (Search(space="masks", masks=("1-5", "none", "9")), 2),
        (Search(space="subsets", max_blocks=2), 9 + 36),
        (Search(space="subsets", max_parameters=100), 2),
        (Search(space="subsets", must_train=(1, 2), must_freeze=(9,)), 2**6),
        (Search(space="orders", max_blocks=3, must_train=(9,)), 3),
    ],
)
def test_a_space_holds_every_mask_that_keeps_the_constraints(search: Search, masks: int) -> None:
    search = replace(search, epochs=(3, 6), learning_rate=(1e-3, 1e-2), train=(("batch", (8, 16)),))
    space = space_of(search, WEIGHTS, Settings())
    found = list(space.candidates())
    assert len(space.masks) == len(set(space.masks)) == masks
    assert len(found) == len(set(found)) == len(space) == masks * 8
    assert all(one in space for one in found)
    assert space.parameters == tuple(sum(WEIGHTS[block - 1] for block in mask.blocks) for mask in space.masks)


def test_a_searched_setting_is_said_only_where_it_differs_from_the_sweeps_own() -> None:
    space = space_of(Search(space="single", train=(("loss", ("bce", "bce+dice")),)), WEIGHTS, Settings())
    assert set(space.settings()) == {(), (("loss", "bce"),)}


@pytest.mark.parametrize(
    "candidate",
    [
        Candidate("1-5", 12, 1e-3, "scratch"),
        Candidate("1,5", 12, 1e-3),
        Candidate("1-5", 11, 1e-3),
        Candidate("1-5", 12, 1e-3, seed=1),
        Candidate("1-5", 12, 1e-3, train=(("batch", 8),)),
    ],
)
def test_what_the_spec_does_not_ask_for_is_not_in_the_space(candidate: Candidate) -> None:
    space = space_of(Search(), WEIGHTS, Settings())
    assert Candidate("1-5", 12, 1e-3) in space and candidate not in space


def test_an_empty_space_and_one_too_large_to_list_are_refused() -> None:
    with pytest.raises(UserError, match=r"No mask keeps the constraints \(at most 99 parameters\): of 511 masks"):
        space_of(Search(space="subsets", max_parameters=99), WEIGHTS, Settings())
    with pytest.raises(UserError, match="can be searched up to 18 blocks, but this network has 30"):
        space_of(Search(space="subsets"), [1] * 30, Settings())


def test_a_search_starts_from_the_baselines_that_the_space_has() -> None:
    search = Search(space="subsets", strategy="tpe", trials=9, epochs=(3, 6), learning_rate=(1e-3, 1e-2))
    found = listing(search)
    assert [(one.mask, one.start) for one in found] == [
        ("all", "pretrained"),
        ("all", "scratch"),
        ("1-5", "pretrained"),
        ("6-9", "pretrained"),
        ("9", "pretrained"),
        ("none", "pretrained"),
    ]
    assert {one.epochs for one in found} == {6, 0} and {one.learning_rate for one in found} == {1e-3}
    assert {one.mask for one in listing(replace(search, must_freeze=(9,)))} == {"all", "1-5", "none"}


def test_a_search_starts_inside_its_space_whatever_settings_it_leaves_out() -> None:
    search = Search(space="subsets", strategy="tpe", trials=9, train=(("loss", ("bce",)),))
    space = space_of(search, WEIGHTS, Settings())
    assert {one.mask for one in listed(search, space) if one in space} == {"1-5", "6-9", "9"}


def test_blocks_that_no_mask_decides_do_not_vary() -> None:
    search = Search(space="subsets", must_train=(2,), must_freeze=(1, 9))
    assert space_of(search, WEIGHTS, Settings()).varied == (3, 4, 5, 6, 7, 8)


def test_a_factorial_design_measures_its_cells_and_the_baselines() -> None:
    found = listing(Search(space="subsets", strategy="factorial", cells=64, epochs=(12,)))
    assert len({one.mask for one in found if one.mask not in ("all", "none")}) in (62, 63)


def small(**changes: Any) -> Space:
    search = Search(space="subsets", epochs=(3, 6), learning_rate=(1e-2, 1e-3), train=(("batch", (16, 8)),))
    return space_of(replace(search, **changes), [5, 7, 11], Settings(seed=3), always=100)


def test_masks_with_a_block_that_has_nothing_to_tune_are_left_out() -> None:
    """Normalisation, say, of an encoder alone: its masks are tuned both ways, those of the decoder in one."""
    search = Search(space="masks", masks=("1", "2", "1-2", "3", "all"), train=(("tune", ("all", "norm")),))
    settings, bare = Settings(), (("norm", (3,)),)
    space = space_of(search, [5, 7, 11], settings, bare=bare)
    tuned = {one.mask for one in space.candidates() if one.train}
    assert tuned == {"1", "2", "1-2"} and {one.mask for one in space.candidates()} == {*tuned, "3", "all"}
    assert len(space) == len(list(space.candidates()))
    assert Candidate("3", search.epochs[0], search.learning_rate[0], train=(("tune", "norm"),)) not in space
    assert "of its blocks [3] have nothing" in space.why_not("all", (("tune", "norm"),))
    own = replace(settings, train=replace(settings.train, tune="norm"))
    plain = replace(search, train=())
    found = listed(plain, space_of(plain, [5, 7, 11], own, bare=bare), own)
    assert {one.mask for one in found} == {"1", "2", "1-2", "none"}, "the baselines of all blocks, too"
    with pytest.raises(UserError, match=r"blocks \[3\] of this network have nothing.*Add masks without"):
        space_of(replace(search, masks=("3", "all")), [5, 7, 11], settings, bare=bare)


def test_a_space_by_hand() -> None:
    made = small(max_blocks=2)
    assert [str(mask) for mask in made.masks] == ["1", "2", "1-2", "3", "1,3", "2-3"]
    assert made.parameters == (105, 107, 112, 111, 116, 118) and made.n_blocks == 3
    assert made.own == (("batch", 16),) and made.seed == 3 and made.orders == () and made.cost == "parameters"
    assert list(made.settings()) == [(), (("batch", 8),)] and len(made) == 6 * 2 * 2 * 2
    assert made.first(parse("2", 3)) == Candidate("2", 6, 1e-2, seed=3)
    assert made.candidate(parse("2", 3), 3, 1e-3, (("batch", 8),)) == Candidate(
        "2", 3, 1e-3, seed=3, train=(("batch", 8),)
    )
    assert [(one.epochs, one.mask, one.train != (), one.learning_rate) for one in list(made.candidates())[:5]] == [
        (6, "1", False, 1e-2),
        (6, "1", False, 1e-3),
        (6, "1", True, 1e-2),
        (6, "1", True, 1e-3),
        (6, "2", False, 1e-2),
    ]
    assert {one.epochs for one in list(made.candidates())[24:]} == {3}
    assert space_of(Search(), [1] * 3, Settings()).orders == ("shallow-first", "deep-first")


INSIDE = Candidate("1-2", 3, 1e-3, seed=3, train=(("batch", 8),))


@pytest.mark.parametrize(
    ("other", "inside"),
    [
        (INSIDE, True),
        (replace(INSIDE, train=()), True),
        (replace(INSIDE, train=(("batch", 16),)), False),  # the sweep's own value is not repeated
        (replace(INSIDE, mask="all"), False),
        (replace(INSIDE, epochs=4), False),
        (replace(INSIDE, learning_rate=1e-4), False),
        (replace(INSIDE, start="scratch"), False),
        (replace(INSIDE, seed=0), False),
        (replace(INSIDE, split="leaky"), False),
        ("1-2", False),
    ],
)
def test_each_part_of_a_candidate_must_be_in_the_space(other: object, inside: bool) -> None:
    assert (other in small(max_blocks=2)) is inside


@pytest.mark.parametrize(
    ("limits", "masks"),
    [
        ({"max_blocks": 1}, ["1", "2", "3"]),
        ({"max_parameters": 107}, ["1", "2"]),  # what always trains counts too
        ({"max_parameters": 106}, ["1"]),
        ({"must_train": (2,)}, ["2", "1-2", "2-3", "all"]),
        ({"must_freeze": (2, 3)}, ["1"]),
        ({"must_train": (1, 3)}, ["1,3", "all"]),
    ],
)
def test_limits_include_their_own_value(limits: dict[str, Any], masks: list[str]) -> None:
    assert [str(mask) for mask in small(**limits).masks] == masks


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_parameters": 104}, r"\(at most 104 parameters\): of 7 masks the smallest thaws 105 parameters"),
        (
            {"max_blocks": 1, "must_train": (1, 2), "must_freeze": (1,)},
            r"\(at most 1 blocks, blocks \[1, 2\] train, blocks \[1\] stay frozen\)",
        ),
        ({"space": "masks", "masks": ("none",)}, r"\(none\): of 0 masks the smallest thaws 0 parameters"),
    ],
)
def test_constraints_that_no_mask_keeps_are_named(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        small(**limits)


def test_as_many_blocks_as_the_limit_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    subsets = Search(space="subsets")
    assert spaces.LARGEST_SUBSETS == 18
    with pytest.raises(UserError, match=r"up to 18 blocks, but this network has 19 \(524,287 sets\)"):
        masks_of(subsets, 19)
    assert len(masks_of(Search(space="single"), 19)) == 19  # other spaces have no such limit
    monkeypatch.setattr(spaces, "LARGEST_SUBSETS", 4)
    assert len(masks_of(subsets, 4)) == 15
    with pytest.raises(UserError, match="up to 4 blocks, but this network has 5"):
        masks_of(subsets, 5)


@pytest.mark.parametrize(
    ("limits", "varied"),
    [
        ({}, (1, 2, 3)),
        ({"must_train": (2,)}, (1, 3)),
        ({"must_train": (1,), "must_freeze": (3,)}, (2,)),
        ({"must_train": (1, 2, 3)}, ()),
    ],
)
def test_varied_blocks_are_free(limits: dict[str, Any], varied: tuple[int, ...]) -> None:
    assert small(**limits).varied == varied


@pytest.mark.parametrize(("blocks", "starters"), [(1, []), (2, ["1", "2"]), (3, ["1-2", "3"])])
def test_a_search_on_few_blocks_starts_from_what_there_is(blocks: int, starters: list[str]) -> None:
    search = Search(space="subsets", strategy="tpe")
    space = space_of(search, [1] * blocks, Settings())
    found = warm_start(search, space, Settings(seed=5))
    assert [one.mask for one in found] == ["all", "all", *starters, "none"]
    assert {one.seed for one in found} == {5} or starters  # a space's own candidates have the space's seed
    assert [one.start for one in found[:2]] == ["pretrained", "scratch"] and found[-1].epochs == 0


def test_what_is_proposed_by_keras_tuner_lists_baselines_only_the_dearest_first() -> None:
    search = Search(engine="keras-tuner", strategy="grid", space="single", epochs=(3, 6))
    found = listed(search, space_of(search, [1] * 3, Settings()), Settings())
    assert [(one.mask, one.epochs) for one in found] == [("all", 6), ("all", 6), ("all", 3), ("all", 3), ("none", 0)]


def test_a_list_without_settings_of_its_own_takes_the_defaults() -> None:
    search = Search(space="single")
    space = space_of(search, [1] * 3, Settings())
    assert listed(search, space) == listed(search, space, Settings())
