"""The weights that a sweep starts from: which are made, which are refused, how they may grow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.planning.starts import check_there, configs, refuse_shared, shared_with_pretraining, with_starts, words_of
from sweeps.spec.load import load_spec
from tests.tracking.made_up import sweep_info
from tests.trainer.data.drawn import Drawn
from trainer.data.cases import load_cases
from trainer.errors import UserError

QUIET = Board(Console(quiet=True))


def resolved(*sets: str, data: str | None = None) -> ResolvedSweep:
    return resolve(load_spec("smoke", sets=sets, data=data), [10] * 9)


def test_each_start_is_a_pre_training_of_its_own() -> None:
    starts = 'search.starts={photos="composites", mine="my-images", scratch="scratch"}'
    found = configs(resolved(starts, "search.start_seeds=[0, 3]", "search.masks=['all', '1-5']", "pretrain.epochs=7"))
    assert [(origin, config.path, config.seed) for origin, config in found.items()] == [
        ("pretrained", None, 0),
        ("pretrained:3", None, 3),
        ("mine", "my-images", 0),
        ("mine:3", "my-images", 3),
    ]
    assert {config.epochs for config in found.values()} == {7}
    assert list(configs(resolved())) == ["pretrained"]


def test_images_that_are_scored_are_not_pre_trained_on(drawn: Drawn, tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(8)]
    folder = drawn.put(tmp_path / "mine", [f"images/{name}" for name in names], [f"masks/{name}" for name in names])
    sweep = resolved(f'search.starts={{photos="composites", mine="{folder}"}}', data=str(folder))
    cases = load_cases(sweep.settings.data, 32, tmp_path)
    tested = {"the sweep's own images": cases}
    found = shared_with_pretraining(sweep, Home(tmp_path), QUIET, tested)
    with pytest.raises(UserError, match=r"must see other images than those that it is scored on, but 8 of .*mine are"):
        refuse_shared(found, None, QUIET)
    refuse_shared(found, sweep_info(), QUIET)  # recorded by a thaw of before
    other = resolved('search.starts=["composites", "phantoms"]', "pretrain.images=4", data=str(folder))
    assert not shared_with_pretraining(other, Home(tmp_path), QUIET, tested)


def test_starts_grow_under_a_name_and_never_change() -> None:
    info = sweep_info()
    first: dict[str, Any] = {"pretrained": {"digest": "p"}, "sim": {"digest": "a"}}
    recorded = with_starts(info, None, first)
    assert recorded.starts == {"sim": {"digest": "a"}}
    grown = with_starts(info, recorded, {"pretrained": {"digest": "p"}, "mine": {"digest": "b"}})
    assert set(grown.starts) == {"sim", "mine"}
    with pytest.raises(UserError, match="but sim of 'demo' was recorded with others"):
        with_starts(info, recorded, {"sim": {"digest": "c"}})
    with pytest.raises(UserError, match="those of other are recorded in 'demo' as sim"):
        with_starts(info, recorded, {"other": {"digest": "a"}})
    renamed = replace(info, spec={"search": {"starts": [["sim", "composites"], ["ph", "phantoms"]]}})
    with pytest.raises(UserError, match="but sim of 'demo' was recorded with others"):
        with_starts(renamed, recorded, {"ph": {"digest": "b"}})


@pytest.mark.parametrize(
    ("what", "words"), [("composits", "did you mean 'composites'"), ("nothere.h5", "weights file that exists")]
)
def test_a_start_that_is_not_there_is_said_before_anything_is_trained(what: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_there(resolved(f'search.starts={{a="phantoms", b="{what}"}}'))
    check_there(resolved('search.starts=["composites", "scratch"]', "search.masks=['all', '1-5']"))


def test_the_screen_calls_a_start_what_its_user_does() -> None:
    named = resolved('search.starts={photos="composites", sim="phantoms"}')
    words = [words_of(origin, named) for origin in ("pretrained", "pretrained:3", "sim", "sim:3")]
    assert words == [" photos", " photos (seed 3)", " sim", " sim (seed 3)"]
    assert [words_of(origin, resolved()) for origin in ("pretrained", "pretrained:3")] == ["", " (seed 3)"]
