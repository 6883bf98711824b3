"""Whether two contenders found the same scores: the differences of their Dice, cell by cell of the grid."""

from __future__ import annotations

from dataclasses import dataclass

Scores = dict[tuple[str, int], float]  # (mask, epochs) -> Dice, the mean over folds


@dataclass(frozen=True)
class Agreement:
    """Of one minus other over `cells`: mean, mean of the absolute values, and the largest of these; in Dice."""

    one: str
    other: str
    cells: int
    mean: float
    absolute: float
    largest: float

    def __str__(self) -> str:
        return f"{f'{self.one} - {self.other}':28}{self.mean:+10.4f}{self.absolute:10.4f}{self.largest:10.4f}"


HEAD = f"{'Dice, cell by cell':28}{'mean':>10}{'mean |d|':>10}{'largest':>10}"


def compare(names: tuple[str, str], one: Scores, other: Scores) -> Agreement:
    """Compare two; raises `ValueError` where they did not score the same cells.

    >>> str(compare(("a", "b"), {("all", 6): 0.5, ("1", 6): 0.2}, {("all", 6): 0.4, ("1", 6): 0.4})).split()
    ['a', '-', 'b', '-0.0500', '0.1500', '0.2000']
    """
    if one.keys() != other.keys():
        raise ValueError(f"{names[0]} and {names[1]} scored other cells: {sorted(one.keys() ^ other.keys())}")
    differences = [one[cell] - other[cell] for cell in one]
    sizes = [abs(difference) for difference in differences]
    cells = len(sizes)
    return Agreement(*names, cells, sum(differences) / cells, sum(sizes) / cells, max(sizes))
