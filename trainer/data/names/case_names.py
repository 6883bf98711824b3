"""Names of images as files and other programs take them: without folders, each for one image."""

from __future__ import annotations

from collections.abc import Sequence


def case_names(names: Sequence[str]) -> list[str]:
    """The last part of each name where no two share it, else the whole name, its slashes replaced; where these are not
    told apart either, numbered.

    >>> case_names(["benign/b (1)", "malignant/m (1)"]), case_names(["a/1", "b/1"])
    (['b (1)', 'm (1)'], ['a__1', 'b__1'])
    >>> case_names(["a/1", "b/1", "a/b__1", "a__b/1"])
    ['1__a__1', '2__b__1', '3__a__b__1', '4__a__b__1']
    """
    last = [name.rpartition("/")[2] for name in names]
    whole = [name.replace("/", "__") for name in names]
    numbered = [f"{number}__{name}" for number, name in enumerate(whole, 1)]
    return next(spelled for spelled in (last, whole, numbered) if len({*spelled}) == len(names))
