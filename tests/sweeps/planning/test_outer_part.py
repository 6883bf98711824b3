"""The sweep of an outer part: the spec of the whole, on the images that are left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.outer_part import check_choice, check_outer_names, part_spec, read_held_out, read_own
from sweeps.planning.prepare import read_cases, read_external
from sweeps.planning.resolve import resolve
from sweeps.spec.load import HeldOut, as_table, from_table, load_spec
from tests.small import SMALL
from tests.tracking.made_up import sweep_info
from tracking.sweep_names import HELD_OUT
from trainer.errors import UserError

OUTER = [*SMALL, "outer=2"]


def test_a_part_is_searched_as_the_whole_is_and_adds_nothing_to_its_answer() -> None:
    more = ["augmentation.total=20", "augmentation.order=leaky", "search.neurons=[1]", "champion=true"]
    spec = load_spec("smoke", sets=[*OUTER, *more], test=["clinic=there"])
    part = part_spec(spec, "s", 2)
    assert part.held_out == HeldOut(2, 2, "s") and from_table(as_table(part)) == part
    assert (part.outer, part.champion, part.keep, part.test, part.search.neurons) == (0, False, "none", (), ())
    assert part_spec(load_spec("smoke", sets=[*OUTER, "search.images=[6]"]), "s", 1).search.images == ()
    assert part.settings.augmentation.order == "split-first" and part.settings.augmentation.total == 20
    assert (part.search.masks, part.search.epochs) == (spec.search.masks, spec.search.epochs)
    assert part_spec(load_spec("smoke", sets=[*OUTER, "keep=all"]), "s", 1).keep == "all"


def test_what_is_left_and_what_is_held_out_are_the_whole(tmp_path: Path) -> None:
    spec, board, home = load_spec("smoke", sets=OUTER), Board(Console(quiet=True)), Home(tmp_path)
    whole, _ = read_cases(spec, home, board)
    held_out: list[str] = []
    for part in (1, 2):
        inner = part_spec(spec, "s", part)
        left, fold_of = read_cases(inner, home, board)
        external = read_external(inner, home, board, left)
        assert external.keys() == {HELD_OUT} and len(fold_of) == len(left) == 4 and set(fold_of) == {0, 1}
        assert {*left.names} | {*external[HELD_OUT].names} == {*whole.names}
        held_out += external[HELD_OUT].names
    assert sorted(held_out) == sorted(whole.names)
    assert read_own(spec, home.data).digest == whole.digest and read_held_out(spec, home.data) == {}


def test_what_cannot_be_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    board, home = Board(Console(quiet=True)), Home(tmp_path)
    with pytest.raises(UserError, match="got outer=9 for 8 groups of 8 images"):
        read_cases(load_spec("smoke", sets=[*SMALL, "outer=9"]), home, board)
    with pytest.raises(UserError, match="without part 1 of outer=2 has 4 of 8 images"):
        read_cases(load_spec("smoke", sets=[*OUTER, "folds=5"]), home, board)
    with pytest.raises(UserError, match="more than 100 bytes"):
        check_outer_names(load_spec("smoke", sets=OUTER), "s" * 90, lambda name: None)
    check_outer_names(load_spec("smoke", sets=OUTER), "s" * 80, lambda name: None)
    taken = {"s-outer-1-of-2": sweep_info()}
    with pytest.raises(UserError, match="'s-outer-1-of-2' is another sweep already"):
        check_outer_names(load_spec("smoke", sets=OUTER), "s", taken.get)
    own = replace(sweep_info(), spec={"held_out": {"part": 1, "parts": 2, "of": "s"}})
    check_outer_names(load_spec("smoke", sets=OUTER), "s", {"s-outer-1-of-2": own}.get)


def test_a_choice_is_one_whatever_its_seeds() -> None:
    check_choice(resolve(load_spec("smoke", sets=["search.masks=['1','2']", "outer=2", "search.seeds=[1,2]"]), [1] * 9))


@pytest.mark.parametrize(
    ("masks", "outer", "refused"), [("['1-5']", 2, True), ("['1-5']", 0, False), ("['1','2']", 2, False)]
)
def test_one_mask_is_no_choice(masks: str, outer: int, refused: bool) -> None:
    resolved = resolve(load_spec("smoke", sets=[f"search.masks={masks}", f"outer={outer}"]), [1] * 9)
    if not refused:
        check_choice(resolved)
        return
    with pytest.raises(UserError, match="lists only 1-5"):
        check_choice(resolved)
