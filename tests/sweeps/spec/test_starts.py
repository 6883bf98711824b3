"""What fine-tuning may start from, as a spec says it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sweeps.spec.load import as_table, from_table, load_spec
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, listed, space_of, warm_start
from sweeps.spec.starts import further, pretraining, recorded, start_mistakes, start_seeds_of
from trainer.candidate import Candidate
from trainer.config import ModelConfig, PretrainConfig, Settings
from trainer.errors import UserError
from trainer.masks import parse

STARTS = (("photos", "composites"), ("sim", "phantoms"), ("scratch", "scratch"), ("random-frozen", "random-frozen"))
MASKS = ("contracting", "expanding", "all")
SEARCH = Search(space="masks", masks=MASKS, starts=STARTS)
OWN_NETWORK = Settings(model=ModelConfig(path="net.keras"))


def space(search: Search = SEARCH) -> Space:
    return space_of(search, [1] * 9, Settings())


def test_the_first_with_weights_is_the_sweeps_own() -> None:
    turned = replace(SEARCH, starts=(STARTS[2], *STARTS[:2]))
    assert recorded(SEARCH) == ("pretrained", "sim", "scratch", "random-frozen")
    assert recorded(turned) == ("pretrained", "scratch", "sim") and further(turned) == (("sim", "phantoms"),)
    assert recorded(Search()) == ("pretrained",) and further(Search()) == ()


@pytest.mark.parametrize(
    ("settings", "what", "path"),
    [
        (Settings(), "composites", None),
        (Settings(), "phantoms", "phantoms"),
        (Settings(pretrain=PretrainConfig(masks="m/*.png")), "folder", "folder"),
        (OWN_NETWORK, "own", None),
        (OWN_NETWORK, "composites", "composites"),
    ],
)
def test_a_start_is_a_pre_training_of_the_sweep_on_its_images(settings: Settings, what: str, path: str | None) -> None:
    assert pretraining(settings, what) == replace(settings.pretrain, path=path, masks="")


@pytest.mark.parametrize(
    ("written", "starts"),
    [
        ('{a="composites", b="phantoms"}', (("a", "composites"), ("b", "phantoms"))),
        (
            '["composites", "data/my scans", "net.h5"]',
            (("composites",) * 2, ("my-scans", "data/my scans"), ("net", "net.h5")),
        ),
    ],
)
def test_a_section_or_a_list_says_them_and_the_record_gives_them_back(written: str, starts: Any) -> None:
    spec = load_spec("smoke", sets=[f"search.starts={written}"])
    assert spec.search.starts == starts and from_table(as_table(spec)) == spec
    assert spec.settings.pretrain.path is None  # composites


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts": (("b", "composites"), ("a", "scratch"))}, "must be called scratch, but got the name 'a'"),
        ({"starts": (("scratch", "composites"),)}, "a meaning of its own, so it cannot be 'composites'"),
        ({"starts": (("pretrained", "pretrained"), ("a", "composites"))}, "a meaning of its own"),
        ({"starts": (("a b", "composites"),)}, "1 to 32 letters, digits"),
        ({"starts": (("a", " "),)}, "'search.starts.a' must say what it is"),
        ({"starts": (("a", "composites"), ("b", "composites"))}, "each start once, but got composites"),
        ({"starts": (("a", "composites"), ("a", "phantoms"))}, "each name once, but got a"),
        ({"starts": (("scratch", "scratch"),)}, "one start with weights"),
        ({"starts": (("a", "own"),)}, "there is no model.path"),
        ({"start_seeds": (1, 2)}, "must hold the seed of the sweep's own pre-training, 'pretrain.seed' = 0"),
        ({"start_seeds": (0, 0)}, "must be distinct numbers"),
        ({"start_seeds": (0, 1), "strategy": "tpe"}, "'tpe' takes one"),
        ({"start_seeds": (0, 1), "starts": (("a", "net.h5"),)}, "the weights of a are given"),
    ],
)
def test_what_cannot_be_meant_is_refused(changes: dict[str, Any], words: str) -> None:
    (mistake,) = start_mistakes(replace(Search(), **changes), Settings())
    assert words in mistake


def test_what_the_sweep_starts_from_is_said_in_one_place() -> None:
    with pytest.raises(UserError, match="both say what the sweep starts from"):
        load_spec("smoke", sets=['search.starts=["phantoms"]'], pretrain="folder")


@pytest.mark.parametrize(
    "text", ["3", '"composites"', "[1, 2]", '{a=["composites"]}', '[["a", "b", "c"]]'], ids=lambda text: text
)
def test_other_shapes_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"'search\.starts' must be a section of name"):
        load_spec("smoke", sets=[f"search.starts={text}"])


def test_fresh_weights_have_a_place_of_their_own_in_the_space() -> None:
    there = space()
    pairs = [(one.start, one.mask) for one in there.candidates()]
    assert len(there) == len(pairs) == len(set(pairs)) == 3 + 3 + 1 + 2
    assert ("scratch", "all") in pairs and ("random-frozen", "all") not in pairs and ("scratch", "1-5") not in pairs
    assert all(one in there for one in there.candidates())
    for start, mask in (("scratch", "1-5"), ("random-frozen", "all"), ("elsewhere", "all")):
        assert Candidate(mask, 12, 1e-3, start) not in there
    one = Candidate("1-5", 12, 1e-3, "sim")
    assert there.candidate(parse("1-5", 9), 12, 1e-3, there.setting_of(one)) == one


def test_scratch_needs_the_mask_that_it_is() -> None:
    with pytest.raises(UserError, match="this search has no mask all"):
        space(replace(SEARCH, masks=("1-5", "6-9")))


def test_a_list_has_every_start_untrained_too() -> None:
    found = listed(SEARCH, space(), Settings())
    assert {one.start for one in found if not one.epochs} == {"pretrained", "sim"}
    assert {one.name for one in found if one.start == "sim"} >= {
        "from sim · zero-shot",
        "from sim · 1-5 · 12 epochs · lr 0.001",
    }


def test_a_search_begins_with_every_start() -> None:
    guided = replace(SEARCH, strategy="guided", trials=20)
    found = warm_start(guided, space(guided), Settings())
    assert {(one.mask, one.start) for one in found} >= {("all", "pretrained"), ("all", "sim"), ("all", "scratch")}


def test_every_pre_training_repeats_the_list() -> None:
    once = listed(SEARCH, space(), Settings())
    twice = listed(replace(SEARCH, start_seeds=(0, 4)), space(), Settings())
    trained = [one for one in once if one.epochs]
    assert len(twice) == len(once) + len(trained)
    assert {replace(one, start_seed=None) for one in twice} == set(once)
    assert {one.origin for one in twice} == {"pretrained", "pretrained:4", "sim", "sim:4", "scratch:0", "scratch:0:4"}
    assert start_seeds_of(Search(start_seeds=(4, 7)), Settings(pretrain=PretrainConfig(seed=4))) == (None, 7)
