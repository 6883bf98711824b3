from __future__ import annotations

from collections import Counter

import pytest

from trainer.data.subsample import draw


@pytest.mark.parametrize(
    ("n", "shares"), [(5, {"a": 3, "b": 1, "c": 1}), (1, {"a": 1}), (90, {"a": 53, "b": 26, "c": 11})]
)
def test_each_class_gets_its_share(n: int, shares: dict[str, int]) -> None:
    labels = ["a"] * 60 + ["b"] * 30 + ["c"] * 12
    drawn = draw(labels, n, 0)
    assert len(set(drawn)) == n
    assert Counter(labels[case] for case in drawn) == shares
