"""A table of patterns over layer paths, as plain text: which row a layer falls into, and what is refused."""

from __future__ import annotations

import pytest

from trainer.errors import UserError
from trainer.network.block_patterns import by_table

PATHS = ["stem", "down1", "down2", "up", "head"]


@pytest.mark.parametrize(
    ("table", "units"),
    [
        ([["*"]], [PATHS]),
        ([["stem", "down?"], ["*"]], [["stem", "down1", "down2"], ["up", "head"]]),
        ([["head"], ["*"]], [["head"], ["stem", "down1", "down2", "up"]]),
        ([["up"], ["down1"], ["*"]], [["up"], ["down1"], ["stem", "down2", "head"]]),
        ([["down1", "*2"], ["*"]], [["down1", "down2"], ["stem", "up", "head"]]),
    ],
)
def test_the_first_pattern_that_matches_decides_and_the_order_of_depth_stays(
    table: list[list[str]], units: list[list[str]]
) -> None:
    assert by_table(table, PATHS, "net") == units


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([["stem"], ["down*"]], r'of \'net\' it leaves out: up, head\. Add a pattern .* such as "up", or'),
        ([["stem", "STEM"], ["*"]], r"but 'STEM' match none of 'net'; `thaw masks`"),  # upper case is another name
        ([["stem", "dwn1", "x9"], ["*"]], r"but 'dwn1', 'x9' match none of 'net'; did you mean 'down1'\? `thaw"),
        ([["*"], ["stem"], ["up"]], r"but blocks \[2, 3\] are left with none"),
        ([["stem"], ["stem"], ["*"]], r"but blocks \[2\] are left with none"),
    ],
)
def test_a_table_that_does_not_fit_says_how(table: list[list[str]], words: str) -> None:
    with pytest.raises(UserError, match=words):
        by_table(table, PATHS, "net")


@pytest.mark.parametrize(
    ("count", "end"), [(8, r"layer8\. Add"), (9, r"layer8 and 1 more\. Add"), (1, r"layer1\. Add")]
)
def test_of_many_layers_left_out_eight_are_named(count: int, end: str) -> None:
    with pytest.raises(UserError, match=end):
        by_table([["stem"]], ["stem", *(f"layer{number}" for number in range(1, count + 1))], "net")
