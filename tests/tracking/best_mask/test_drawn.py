"""Of very many candidates an even draw, the same every time; of fewer all."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import sample
from tests.tracking.made_up import subset_record
from tracking.best_mask import fanova, smoothed
from tracking.best_mask.drawn import drawn


def test_few_are_all_there_and_of_many_an_even_draw_in_their_order() -> None:
    assert drawn(range(5), 5) == [0, 1, 2, 3, 4]
    some = drawn(range(10_000), 1000)
    assert some == sorted(set(some)) == drawn(range(10_000), 1000) and len(some) == 1000
    assert min(np.histogram(some, 10, (0, 10_000))[0]) > 80, "every tenth is as likely as any other"


def test_the_answer_says_that_its_models_learn_from_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fanova, smoothed):
        monkeypatch.setattr(module, "drawn", partial(drawn, most=30))
    record = subset_record(sample(40), lambda blocks: 0.5 + 0.1 * (4 in blocks) - 0.1 * (5 in blocks), noise=0.0001)
    found = answer(record)
    assert f"fANOVA (30 of {found.candidates} trials, drawn evenly)" in found.importance.sentence
    assert next(iter(found.importance.shares)) in ("block 4", "block 5")
    assert found.smoothed is not None and found.smoothed.best == pytest.approx(found.best.dice, abs=0.02)
    assert f"30 of the {found.candidates} scores, drawn evenly, together speak for" in found.smoothed.sentence
