"""Every coding is read rightly or refused in words, alone and as a part of its set."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.data.masks.mask_codings import CODINGS, PARTS, Coding, agree, outcome, part_outcome, truths, written
from trainer.config import DataConfig
from trainer.data.masks.rule import MaskRule

MIXABLE = [coding for coding in CODINGS if coding.says and not (coding.settings or coding.hidden)]


@pytest.mark.parametrize("coding", CODINGS, ids=[coding.name for coding in CODINGS])
def test_every_coding_is_read_rightly_or_refused(tmp_path: Path, coding: Coding) -> None:
    paths = written(tmp_path, coding.save, truths())
    config = DataConfig(**coding.settings)  # type: ignore[arg-type]
    whole = outcome(paths, config)
    if coding.refused:
        assert isinstance(whole, str), whole[0].sentence
        assert re.search(coding.refused, whole), whole
        return
    assert not isinstance(whole, str), whole
    rule, meanings = whole
    assert re.search(coding.says, rule.sentence), rule.sentence
    for number, (meaning, truth) in enumerate(zip(meanings, truths(), strict=True)):
        assert agree(meaning, truth & (number not in coding.hidden))
    for part in PARTS:
        assert part_outcome([paths[number] for number in part], part, whole, config) in ("same", "refused")


@pytest.mark.parametrize("seed", range(12))
def test_masks_of_several_programs_are_read_rightly_or_refused(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    two = [MIXABLE[number] for number in rng.choice(len(MIXABLE), 2, replace=False)]
    for number, truth in enumerate(truths()):
        two[int(rng.integers(2))].save(tmp_path / f"m{number}", truth, number)
    paths = sorted(tmp_path.iterdir())
    whole = outcome(paths, DataConfig())
    if isinstance(whole, str):
        return
    assert all(agree(meaning, truth) for meaning, truth in zip(whole[1], truths(), strict=True)), two
    for part in PARTS:
        assert part_outcome([paths[number] for number in part], part, whole, DataConfig()) in ("same", "refused")


@pytest.mark.parametrize(
    ("rule", "plain"),
    [
        (MaskRule("grey", (255.0,)), True),
        (MaskRule("labels", (1.0,)), True),
        (MaskRule("grey", cut=127.5), True),
        (MaskRule("grey", (2.0,)), False),
        (MaskRule("grey", cut=50.0), False),
        (MaskRule("grey", cut=0.0), False),
        (MaskRule("grey"), True),
        (MaskRule("colours", (255.0,)), False),
        (MaskRule("grey", (255.0,), invert=True), False),
        (MaskRule("grey", (255.0,), fill=True), False),
        (MaskRule("grey", (1.0,), ignored=(255.0,)), False),
    ],
)
def test_only_rules_that_are_not_plain_stand_in_an_identity(rule: MaskRule, plain: bool) -> None:
    """So a set of white, or of label 1, on black keeps the identity that it had before there were rules."""
    assert (rule.identity == "") == plain
    assert replace(rule, sentence="In other words.").identity == rule.identity


def test_rules_that_differ_have_other_identities() -> None:
    one = MaskRule("grey", (1.0, 2.0))
    others = [replace(one, objects=(1.0,), cut=0.0), replace(one, fill=True), replace(one, ignored=(3.0,))]
    assert len({rule.identity for rule in (one, *others)}) == 4
    assert one.identity.startswith("9f09131cfd59")  # recorded sweeps hold it
