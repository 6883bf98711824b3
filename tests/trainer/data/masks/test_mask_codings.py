"""Every coding is read rightly or refused in words, alone and as a part of its set."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.data.masks.mask_codings import CODINGS, PARTS, Coding, agree, outcome, part_outcome, truths, written
from trainer.config import DataConfig

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
