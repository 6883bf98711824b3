"""What a pixel of a mask means: decided once, over the whole set, and said in a sentence (docs/masks.md).

A rule gives a file the same meaning whichever other files of the set are looked at, or there is no rule: what could be
read in two ways is refused, with the values that were found and the setting that chooses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.config import DataConfig
from trainer.data.masks.kinds import (
    Names,
    Totals,
    Value,
    along,
    as_kind,
    bands_of,
    common_kind,
    on_the_way,
    pixels_of,
    total,
    with_kind,
    without,
)
from trainer.data.masks.settings import asked_values, named_ignored
from trainer.data.masks.two_levels import upper_of_two
from trainer.data.masks.values import Kind, MaskValues
from trainer.data.masks.words import count_of, in_words, listed, listed_plainly, several
from trainer.errors import UserError
from trainer.keys import digest
from trainer.results import IGNORED, OBJECT

VOID = 255  # the label of pixels that nobody judged, by the custom of PASCAL VOC
LARGEST_LABEL = 32  # beside which 255 is taken for "void": labels are counted from 1
RARE = 0.25  # of a mask: what covers more of it was judged
NONZERO = "nonzero"
HEAD = "Masks: "
PLAIN_OBJECTS, PLAIN_CUT = (1.0, 255.0), 127.5  # what thaw read before there were rules: white, or label 1, on black


@dataclass(frozen=True)
class MaskRule:
    """Which values are the object: those in `objects`, or all above `cut`; `ignored` values take no part.

    `kind` is what the values are; with `towards`, a colour, they are how far a pixel is on the way from black to
    it, 0 to 255. `invert` makes the background the object. `fill`: holes in the object belong to it. `sentence`
    says all this.
    """

    kind: Kind
    objects: tuple[float, ...] = ()
    cut: float | None = None
    ignored: tuple[float, ...] = ()
    towards: int | None = None
    invert: bool = False
    fill: bool = False
    sentence: str = ""

    def meaning(self, pixels: NDArray[Any], kind: Kind) -> NDArray[np.uint8]:
        """0 background, 1 object, 255 ignored, for every value of a file of `kind`, in the shape of `pixels`."""
        values = as_kind(pixels, kind, self.kind)
        ignored = np.isin(values, self.ignored)
        if self.towards is not None:
            values = along(values, self.towards)[0]
        marked = np.isin(values, self.objects) if self.cut is None else values > self.cut
        return np.where(ignored, IGNORED, np.where(marked != self.invert, OBJECT, 0)).astype(np.uint8)

    @property
    def identity(self) -> str:
        """What stands in the identity of a set: nothing where white, or label 1, on black is the object.

        So a set keeps the identity that it had when thaw knew no other masks.
        """
        marks_nothing = not self.objects and self.cut is None
        plain = self.objects in [(value,) for value in PLAIN_OBJECTS] or self.cut == PLAIN_CUT or marks_nothing
        if plain and self.kind != "colours" and not (self.ignored or self.invert or self.fill):
            return ""
        # As with settings (`trainer.keys`), what is at its default stays out: fields may come later.
        chosen = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "sentence"}
        defaults = {item.name: item.default for item in fields(self)}
        return digest({name: value for name, value in chosen.items() if value != defaults[name]})


def decide_masks(masks: Sequence[MaskValues], config: DataConfig, names: Names | None = None) -> MaskRule:
    """The rule for a set of masks (one or more files an image).

    `names`: what the data set itself calls its labels (`dataset.json`). Raises `UserError` where the values can be read
    in more than one way, and for a setting that does not fit them.
    """
    kind = common_kind(masks)
    found = [with_kind(mask, kind) for mask in masks]
    ignored = asked_values(config.ignore, "data.ignore", kind, {}) or named_ignored(names)
    if not ignored and VOID not in config.foreground:
        ignored = void(found)
    rest = [without(mask, ignored) for mask in found]
    rule = chosen(rest, config, kind, names or {}) if config.foreground else read_off(rest, kind, names or {})
    ending = "; holes are filled as asked (data.fill)" if config.fill else ""
    if config.invert:
        ending += "; inverted as asked (data.invert): what this calls the object is the background"
    if ignored:
        ending += f"; {listed_plainly(ignored, kind)} is ignored: such pixels take no part in loss and scores"
    whole = replace(
        rule,
        ignored=ignored,
        invert=config.invert,
        fill=config.fill,
        sentence=f"{HEAD}{rule.sentence}{ending}.",
    )
    if len(masks) > 1 and not config.foreground:
        check_each(masks, whole, config, names)
    return whole


def check_each(masks: Sequence[MaskValues], whole: MaskRule, config: DataConfig, names: Names | None) -> None:
    """Raise `UserError` where a mask, looked at alone, would be read in another way than as one of the set."""
    for mask in masks:
        try:
            alone = decide_masks([mask], config, names)
        except UserError:
            continue  # alone it says too little: the set says the rest
        if not np.array_equal(alone.meaning(mask.values, mask.kind), whole.meaning(mask.values, mask.kind)):
            raise UserError(
                "All masks of a set must be read in one way, but these are not written in one. Together they say: "
                f"{whole.sentence[len(HEAD) :]} But {mask.path} alone says: {alone.sentence[len(HEAD) :]} Save all "
                "masks in one way, or say what the object is with --set data.foreground=[VALUE, ...]."
            )


def read_off(masks: Sequence[MaskValues], kind: Kind, names: Names) -> MaskRule:
    """The rule that the values themselves give. Raises `UserError` where they give none, or more than one."""
    totals = total(masks)
    objects = [value for value in totals if value]
    lossy = any(mask.lossy for mask in masks)
    if not objects:
        return MaskRule(kind, sentence="all are black: nothing is marked")
    if len(objects) == 1 and 0 in totals and not (lossy and objects[0] != 255):
        name = next((f" ({name})" for name, values in names.items() if values == (objects[0],)), "")
        return MaskRule(
            kind,
            (float(objects[0]),),
            sentence=f"{in_words(objects[0], kind)}{name} is the object and {in_words(0, kind)} the background, "
            "the only two values",
        )
    if kind == "colours":
        return along_one_colour(masks, totals, names)
    if kind == "grey" and (upper := upper_of_two(masks)) is not None:
        return MaskRule(
            kind,
            cut=upper / 2,
            sentence=f"what is above {upper / 2:g} is the object: two levels, 0 and {upper:g}, with "
            f"{'the noise of JPEG' if lossy else 'soft edges'} between them",
        )
    raise several(masks, totals, kind, names)


def along_one_colour(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], names: Names) -> MaskRule:
    """The rule for colours that all lie between black and one of them: soft edges, or JPEG's noise."""
    bright = [value for value in totals if max(bands_of(int(value))) >= 64]
    towards = int(max(bright, key=lambda value: (totals[value].flat, totals[value].pixels), default=0))
    if towards:
        lines = [on_the_way(mask, towards) for mask in masks]
        if all(lines) and (upper := upper_of_two([line for line in lines if line])) is not None:
            colour = in_words(towards, "colours")
            return MaskRule(
                "colours",
                cut=upper / 2,
                towards=towards,
                sentence=f"what is nearer to {colour} than to black is the object; all colours lie between these two",
            )
    raise several(masks, totals, "colours", names)


def chosen(masks: Sequence[MaskValues], config: DataConfig, kind: Kind, names: Names) -> MaskRule:
    """The rule that `data.foreground` asks for. Raises `UserError` where none of its values occurs."""
    totals = total(masks)
    lossy = next((mask for mask in masks if mask.lossy), None)
    if lossy is not None:
        raise UserError(
            f"'data.foreground' chooses exact values, but {lossy.path} is a JPEG, which does not keep them. Save the "
            "masks as PNG, or leave data.foreground out: two levels are told apart without it."
        )
    if config.foreground == (NONZERO,):
        count = sum(value != 0 for value in totals)
        return MaskRule(kind, cut=0.0, sentence=f"all but 0 is the object, as asked: {count} values (data.foreground)")
    values = asked_values(config.foreground, "data.foreground", kind, names)
    if not any(value in totals for value in values):
        raise UserError(
            f"'data.foreground' must name values that the masks hold, but {listed_plainly(values, kind)} never occurs. "
            f"They hold {listed(masks, totals, kind, names)}."
        )
    others = [value for value in totals if value and value not in values]
    share = sum(totals[value].pixels for value in others) / max(1, sum(entry.pixels for entry in totals.values()))
    background = (
        f"; {count_of(len(others), 'other value')} ({share:.1%} of the pixels) are background" if others else ""
    )
    absent = [value for value in values if value not in totals]
    missing = f"; {listed_plainly(absent, kind)} never occurs" if absent else ""
    return MaskRule(
        kind, tuple(values), sentence=f"{listed_plainly(values, kind)} is the object, as asked{background}{missing}"
    )


def void(masks: Sequence[MaskValues]) -> tuple[float, ...]:
    """(255,) where that is "void" beside labels; () where it is not there, or is a value like any other.

    Under VOC's palette it always is. Beside labels 1..k it is where each mask that holds it also holds a label, and
    it covers little; if it stands alone in some, two programs may have written the set: `UserError`.
    """
    totals = total(masks)
    labels = [value for value in totals if value not in (0, VOID)]
    if VOID not in totals or any(mask.lossy or mask.kind == "colours" for mask in masks):
        return ()
    holders = [mask for mask in masks if VOID in mask.values]
    if all(mask.voc for mask in holders):
        return (float(VOID),)
    if not labels or max(labels) > LARGEST_LABEL or any(value != int(value) for value in labels):
        return ()
    alone = [mask for mask in holders if not any(value in labels for value in mask.values)]
    large = [mask for mask in holders if pixels_of(mask, VOID) > RARE * mask.counts.sum()]
    if alone or large:
        mask = (alone or large)[0]
        why = "without any label beside it" if alone else f"in {pixels_of(mask, VOID) / mask.counts.sum():.0%} of it"
        raise UserError(
            f"255 beside labels from 1 on means 'ignore', where it is rare, but {mask.path} holds it {why} "
            f"({len(alone or large)} such masks). Found: {listed(masks, totals, 'grey', {})}. If it is to be ignored, "
            "say --set data.ignore=[255]; if it is an object, --set data.foreground=[1,255]."
        )
    return (float(VOID),)
