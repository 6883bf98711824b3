from __future__ import annotations

from typing import Any

import pytest

from tracking.spec_view import SpecView, view_spec


@pytest.mark.parametrize(
    ("spec", "view"),
    [
        ({}, SpecView()),
        ({"search": None, "model": {"path": None, "blocks": []}}, SpecView()),
        ({"partition": {"unit": "conv", "head": "own"}}, SpecView(unit="conv", head="own")),
        ({"model": {"path": "nets/my.keras", "blocks": [["*"]]}}, SpecView(network="nets/my.keras", own_blocks=True)),
        ({"model": {"reads": [0, 255], "still": ["flip"]}}, SpecView(reads=(0, 255), left_out=("flip",))),
        ({"model": {"filters": 8}, "train": {"batch_norm": "adapt"}}, SpecView(filters=8, batch_norm="adapt")),
        (
            {"search": {"orders": ["outer-first"], "seeds": [0, 1], "space": "subsets"}},
            SpecView(orders=("outer-first",), seeds=(0, 1), space="subsets"),
        ),
    ],
)
def test_what_a_spec_leaves_out_has_its_default(spec: dict[str, Any], view: SpecView) -> None:
    assert view_spec(spec) == view
