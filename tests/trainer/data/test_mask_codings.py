"""Every coding is read rightly or refused in words, alone and as a part of its set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.trainer.data.mask_codings import CODINGS, PARTS, Coding, agree, outcome, part_outcome, truths, written
from trainer.config import DataConfig


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
