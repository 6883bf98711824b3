"""Images that stand in two sets: what is tested must not have been trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # heavy
    from trainer.data.cases import Cases

SHOWN = 5  # pairs that a refusal names


def equal_images(others: Cases, cases: Cases) -> list[str]:
    """`name = name` of every image of `others` that is equal or nearly equal to one of the `cases`."""
    from trainer.data.near_duplicates import shared_images

    pairs = shared_images(cases.images, others.images)
    return [f"{others.names[there]} = {cases.names[here]}" for here, there in pairs]


def shown_pairs(pairs: list[str]) -> str:
    """The first of them."""
    return f"{', '.join(pairs[:SHOWN])}{', ...' if len(pairs) > SHOWN else ''}"
