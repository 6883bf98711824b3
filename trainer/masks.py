"""A mask is data: the set of blocks that train. Parsed from text, printed as short ranges, named where it has a name.

Words as in the paper (sections 2.2 and 3): blocks are numbered 1..n along the longest path from the input, and the
contracting part ends with the bottleneck. Nothing here knows Keras; `trainer.network.blocks` applies a mask to a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, zip_longest

from trainer.errors import UserError

ORDERS = ("shallow-first", "deep-first", "outer-first", "inner-first")


@dataclass(frozen=True, order=True)
class Mask:
    """The trainable blocks (sorted, distinct, 1-based) of a network that has `of` blocks; the rest is frozen.

    >>> str(Mask((1, 2, 3, 9), 9)), str(Mask((), 9)), str(Mask(tuple(range(1, 10)), 9))
    ('1-3,9', 'none', 'all')
    """

    blocks: tuple[int, ...]
    of: int

    def __post_init__(self) -> None:
        if list(self.blocks) != sorted(set(self.blocks)):
            raise UserError(f"The blocks of a mask must be sorted and distinct, but got {self.blocks}.")
        for block in self.blocks:
            if not 1 <= block <= self.of:
                raise UserError(f"A mask names blocks 1 to {self.of}, but got block {block}. {known_words(self.of)}")

    def __str__(self) -> str:
        if not self.blocks:
            return "none"
        if len(self.blocks) == self.of:
            return "all"
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in _runs(self.blocks))

    def __contains__(self, block: int) -> bool:
        return block in self.blocks


def parse(text: str, n_blocks: int) -> Mask:
    """Read a mask: `1-5`, `1,2,9`, `all`, `none`, `contracting`, `expanding`, `shallow-3`, `deep-2`, joined by commas.

    Raises `UserError` for an unknown word (with the nearest known one), a block that does not exist, a falling range.

    >>> str(parse("shallow-3, 9", 9)), str(parse("expanding", 9)), str(parse("deep-1", 9))
    ('1-3,9', '6-9', '9')
    """
    words = [word.strip().lower() for word in text.split(",")]
    return Mask(tuple(sorted({block for word in words for block in _blocks_of(word, text, n_blocks)})), n_blocks)


def order_of(name: str, n_blocks: int) -> tuple[int, ...]:
    """The sequence in which an order thaws the blocks (docs/design.md, Words).

    >>> order_of("outer-first", 9)
    (1, 9, 2, 8, 3, 7, 4, 6, 5)
    """
    shallow = tuple(range(1, n_blocks + 1))
    half = (n_blocks + 1) // 2
    pairs = zip_longest(shallow[:half], reversed(shallow[half:]))
    outer = tuple(block for block in chain.from_iterable(pairs) if block is not None)
    orders = dict(zip(ORDERS, (shallow, shallow[::-1], outer, outer[::-1]), strict=True))
    if name not in orders:
        raise UserError(f"Unknown order '{name}'{_nearest(name, ORDERS)} Orders: {', '.join(ORDERS)}.")
    return orders[name]


def at_depth(order: str, depth: int, n_blocks: int) -> Mask:
    """The mask after `depth` steps of an order; depth 0 is `none`, depth n is `all` in every order.

    >>> str(at_depth("deep-first", 4, 9))
    '6-9'
    """
    if not 0 <= depth <= n_blocks:
        raise UserError(f"The depth of an order must be 0 to {n_blocks}, but got {depth}.")
    return Mask(tuple(sorted(order_of(order, n_blocks)[:depth])), n_blocks)


def orders_and_depths(mask: Mask) -> tuple[tuple[str, int], ...]:
    """Every (order, depth) at which a mask lies; empty for a mask on no order, and for `none`.

    >>> orders_and_depths(parse("1-5", 9))
    (('shallow-first', 5),)
    """
    depth = len(mask.blocks)
    return tuple((order, depth) for order in ORDERS if depth and at_depth(order, depth, mask.of) == mask)


def names(mask: Mask) -> tuple[str, ...]:
    """The aliases of a mask, the simplest first: `contracting`, `shallow-5` for `1-5` of 9."""
    aliases = ["all", "none", "contracting", "expanding"]
    aliases += [f"{side}-{k}" for side in ("shallow", "deep") for k in range(1, mask.of)]
    return tuple(alias for alias in aliases if parse(alias, mask.of) == mask and alias != str(mask))


def named(n_blocks: int) -> Iterator[tuple[str, Mask]]:
    """The masks of the paper by name: both orders at every depth, `contracting`, `expanding`, `all`, `none`."""
    for name in ("none", "contracting", "expanding"):
        yield name, parse(name, n_blocks)
    for side in ("shallow", "deep"):
        for depth in range(1, n_blocks):
            yield f"{side}-{depth}", parse(f"{side}-{depth}", n_blocks)
    yield "all", parse("all", n_blocks)


def known_words(n_blocks: int) -> str:
    """One sentence that lists the blocks and words of a mask."""
    return (
        f"Blocks: 1-{n_blocks}; words: all, none, contracting (1-{(n_blocks + 1) // 2}), "
        f"expanding ({(n_blocks + 1) // 2 + 1}-{n_blocks}), shallow-k, deep-k."
    )


def _blocks_of(word: str, text: str, n: int) -> range:
    middle = (n + 1) // 2
    fixed = {"all": range(1, n + 1), "none": range(0), "contracting": range(1, middle + 1)}
    fixed["expanding"] = range(middle + 1, n + 1)
    if word in fixed:
        return fixed[word]
    if match := re.fullmatch(r"(shallow|deep)-(\d+)", word):
        depth = int(match[2])
        if not 1 <= depth <= n:
            raise UserError(f"'{word}': the network has {n} blocks, so k of {match[1]}-k must be 1 to {n}.")
        return range(1, depth + 1) if match[1] == "shallow" else range(n - depth + 1, n + 1)
    if match := re.fullmatch(r"(\d+)(?:-(\d+))?", word):
        low, high = int(match[1]), int(match[2] or match[1])
        if low > high:
            raise UserError(f"A range must rise, but '{word}' in mask '{text}' falls; write {high}-{low}.")
        for block in (low, high):
            if not 1 <= block <= n:
                raise UserError(f"Mask '{text}' names block {block}, which does not exist. {known_words(n)}")
        return range(low, high + 1)
    words = [*fixed, *(f"{side}-{k}" for side in ("shallow", "deep") for k in range(1, n + 1))]
    raise UserError(f"Unknown block or word '{word}' in mask '{text}'{_nearest(word, words)} {known_words(n)}")


def _nearest(word: str, words: list[str] | tuple[str, ...]) -> str:
    matches = get_close_matches(word, words, n=1)
    return f"; did you mean '{matches[0]}'?" if matches else "."


def _runs(blocks: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    low = high = blocks[0]
    for block in blocks[1:]:
        if block != high + 1:
            yield low, high
            low = block
        high = block
    yield low, high
