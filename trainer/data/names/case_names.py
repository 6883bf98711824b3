"""Names of images as files and other programs take them: without folders, each for one image."""

from __future__ import annotations

from collections.abc import Sequence


def case_names(names: Sequence[str]) -> list[str]:
    """The last part of each name where no two share it, else the whole name, its slashes replaced.

    >>> case_names(["benign/b (1)", "malignant/m (1)"]), case_names(["a/1", "b/1"])
    (['b (1)', 'm (1)'], ['a__1', 'b__1'])
    """
    last = [name.rpartition("/")[2] for name in names]
    return last if len({*last}) == len(names) else [name.replace("/", "__") for name in names]
