"""What a pixel of a mask means: decided once, over the whole set, and said in a sentence (docs/masks.md).

A rule gives a file the same meaning whichever other files of the set are looked at, or there is no rule: what could be
read in two ways is refused, with the values that were found and the setting that chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from trainer.config import DataConfig
from trainer.data.mask_files import Kind, MaskValues
from trainer.data.two_levels import cut_between
from trainer.errors import UserError
from trainer.results import IGNORED, OBJECT

VOID = 255  # the label of pixels that nobody judged, by the custom of PASCAL VOC
LARGEST_LABEL = 32  # beside which 255 is taken for "void": labels are counted from 1
RARE = 0.25  # of a mask: what covers more of it was judged
LISTED = 8  # values in a message
NONZERO = "nonzero"
HEAD = "Masks: "
STRAY, STRAY_LOSSY, STRAYS = 24, 80, 0.002  # JPEG keeps colour at half the resolution: edges stray far, areas do not
PLAIN_OBJECTS = (1.0, 255.0)  # what thaw read before there were rules: white, or label 1, on black

Value = int | float
Names = Mapping[str, tuple[int, ...]]


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
        plain = (
            self.objects in [(value,) for value in PLAIN_OBJECTS] or self.cut == 127.5 or not (self.objects or self.cut)
        )
        plain = plain and self.kind != "colours" and not (self.ignored or self.invert or self.fill)
        return "" if plain else repr(replace(self, sentence=""))


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
    if kind == "grey" and (cut := cut_between(masks)) is not None:
        return MaskRule(
            kind,
            cut=cut.at,
            sentence=f"what is above {cut.at:g} is the object: two levels, {cut.low:g} and {cut.high:g}, with "
            f"{'the noise of JPEG' if lossy else 'soft edges'} between them",
        )
    raise several(masks, totals, kind, names)


def along_one_colour(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], names: Names) -> MaskRule:
    """The rule for colours that all lie between black and one of them: soft edges, or JPEG's noise."""
    bright = [value for value in totals if max(bands_of(int(value))) >= 64]
    towards = int(max(bright, key=lambda value: (totals[value].flat, totals[value].pixels), default=0))
    if towards:
        lines = [on_the_way(mask, towards) for mask in masks]
        if all(lines) and (cut := cut_between([line for line in lines if line])) is not None:
            colour = in_words(towards, "colours")
            return MaskRule(
                "colours",
                cut=cut.at,
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


def common_kind(masks: Sequence[MaskValues]) -> Kind:
    """What the values of a set are: colours if any file holds some, else labels by a palette, else greys."""
    kinds: dict[Kind, MaskValues] = {}
    for mask in masks:
        if mask.values[-1] > 0:  # black is black in every kind
            kinds.setdefault(mask.kind, mask)
    if "labels" in kinds and "colours" in kinds:
        raise UserError(
            f"The masks of a set must be of one kind, but {kinds['labels'].path} holds labels by a palette and "
            f"{kinds['colours'].path} colours. Save all in one way."
        )
    deep = next((mask for mask in masks if mask.kind == "grey" and mask.values[-1] > 255), None)
    if "colours" in kinds and deep:
        raise UserError(
            f"The masks of a set must be of one kind, but {deep.path} holds values up to {deep.values[-1]:g} and "
            f"{kinds['colours'].path} colours. Save all in one way."
        )
    return "colours" if "colours" in kinds else "labels" if "labels" in kinds else "grey"


def with_kind(mask: MaskValues, kind: Kind) -> MaskValues:
    """The mask with its values as those of another kind."""
    return replace(mask, values=as_kind(mask.values, mask.kind, kind), kind=kind)


def as_kind(values: NDArray[Any], kind: Kind, wanted: Kind) -> NDArray[Any]:
    """Values of one kind as those of another: a grey as the colour that it is; labels and greys are numbers alike."""
    if wanted == "colours" and kind != "colours":
        grey = values.astype(np.int64)
        return grey << 16 | grey << 8 | grey
    return values


def without(mask: MaskValues, ignored: Sequence[float]) -> MaskValues:
    """The mask without the values that take no part; nothing may be left of it but black."""
    kept = ~np.isin(mask.values, ignored)
    if not kept.any():
        nothing = np.zeros(1, np.int64)
        return replace(mask, values=nothing, counts=nothing, flat=nothing, sloped=nothing)
    parts = {name: getattr(mask, name)[kept] for name in ("values", "counts", "flat", "sloped")}
    return replace(mask, **parts)


@dataclass(frozen=True)
class Totals:
    """Of one value over the set: its pixels, how many of them are flat, and in how many masks it occurs."""

    pixels: int
    flat: int
    masks: int


def total(masks: Iterable[MaskValues]) -> dict[Value, Totals]:
    """Every value of the set, rising, with its totals."""
    sums: dict[Value, list[int]] = {}
    for mask in masks:
        for value, pixels, flat in zip(mask.values.tolist(), mask.counts.tolist(), mask.flat.tolist(), strict=True):
            entry = sums.setdefault(value, [0, 0, 0])
            entry[0] += pixels
            entry[1] += flat
            entry[2] += 1
    return {value: Totals(*sums[value]) for value in sorted(sums)}


def pixels_of(mask: MaskValues, value: Value) -> int:
    """How many pixels of a mask hold a value."""
    return int(mask.counts[mask.values == value].sum())


def along(colours: NDArray[Any], towards: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How far each colour is on the way from black to `towards`, 0 to 255, and its largest distance from that way."""
    bands = np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=-1).astype(float)
    aim = np.array(bands_of(towards), float)
    shares = bands @ aim / (aim @ aim)
    off = np.abs(bands - shares[..., None] * aim).max(axis=-1)
    return np.rint(np.clip(255 * shares, 0, 255)).astype(np.int64), off


def on_the_way(mask: MaskValues, towards: int) -> MaskValues | None:
    """A mask of colours as greys, by how far each is from black to `towards`; None where some lie elsewhere."""
    shares, off = along(mask.values, towards)
    strangers = off > (STRAY_LOSSY if mask.lossy else STRAY)
    if mask.counts[strangers].sum() > STRAYS * mask.counts.sum():
        return None
    values, position = np.unique(shares, return_inverse=True)
    counts, flat, sloped = (
        np.bincount(position, weights=each).astype(np.int64) for each in (mask.counts, mask.flat, mask.sloped)
    )
    return replace(mask, kind="grey", values=values, counts=counts, flat=flat, sloped=sloped)


def asked_values(settings: Sequence[int | str], key: str, kind: Kind, names: Names) -> tuple[float, ...]:
    """The values that a setting names: numbers, colours, or names from `dataset.json`; `UserError` for others."""
    values: list[float] = []
    for setting in settings:
        if isinstance(setting, str) and setting in names:
            values.extend(map(float, names[setting]))
        elif isinstance(setting, str) and kind == "colours":
            values.append(float(colour_value(setting, key)))
        elif isinstance(setting, str) and setting.isdecimal():
            values.append(float(setting))
        elif isinstance(setting, str):
            known = f"the names {', '.join(names)}" if names else "numbers: no dataset.json names them"
            raise UserError(
                f"'{key}' must hold values of the masks, but got '{setting}', and their values are {known}."
            )
        elif kind == "colours":
            raise UserError(
                f'\'{key}\' must hold colours, such as "#ff0000" or "red", because these masks are in colour, but got '
                f"{setting}."
            )
        else:
            values.append(float(setting))
    return tuple(values)


def named_ignored(names: Names | None) -> tuple[float, ...]:
    """The label that a data set itself calls `ignore`, as nnU-Net does."""
    return tuple(map(float, names["ignore"])) if names and "ignore" in names else ()


def colour_value(colour: str, key: str) -> int:
    """0xRRGGBB of `#ff0000`, `red` and the like."""
    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError as error:
        raise UserError(f"'{key}' must hold colours, such as \"#ff0000\" or \"red\", but got '{colour}'.") from error
    return red << 16 | green << 8 | blue


def several(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], kind: Kind, names: Names) -> UserError:
    """The refusal of masks that can be read in more than one way, or in none."""
    objects = [value for value in totals if value]
    folder = common_folder(mask.path for mask in masks)
    found = listed(masks, totals, kind, names)
    if any(mask.lossy for mask in masks):
        fault = "are JPEGs, and their values do not lie around two levels that are far apart"
        advice = "Save them as PNG with one value for the object and 0 for the rest"
    elif 0 not in totals:
        fault = "hold no black (0), so nothing says what the background is"
        advice = f"Say what the object is: --set 'data.foreground=[{written(objects[0], kind)}]'"
    else:
        fault = f"hold {len(objects)} values besides {in_words(0, kind)}"
        advice = (
            f"Say which are the object: --set 'data.foreground=[{written(objects[0], kind)}]' (one or more), or "
            "--set data.foreground=nonzero for all of them"
        )
        if names:
            known = ", ".join(f"{name} ({numbered(values)})" for name, values in names.items())
            advice += f"; dataset.json calls them {known}"
    return UserError(
        f"A mask has one value for the object and black for the rest, but the masks in {folder} {fault}: {found}. "
        f"{advice}."
    )


def listed(masks: Sequence[MaskValues], totals: Mapping[Value, Totals], kind: Kind, names: Names) -> str:
    """`0 (93.1 % of the pixels, in 8 of 8 masks), 1 (...)`, the most frequent values first."""
    everything = max(1, sum(entry.pixels for entry in totals.values()))
    shown = sorted(totals, key=lambda value: -totals[value].pixels)[:LISTED]
    more = f" and {len(totals) - LISTED} more" if len(totals) > LISTED else ""
    by_value = {numbers[0]: f" {name}" for name, numbers in names.items() if len(numbers) == 1}
    return (
        ", ".join(
            f"{in_words(value, kind)}{by_value.get(int(value), '')} ({100 * totals[value].pixels / everything:.1f} % "
            f"of the pixels, in {totals[value].masks} of {len(masks)} masks)"
            for value in shown
        )
        + more
    )


def numbered(values: Sequence[int]) -> str:
    """`1, 2`."""
    return ", ".join(map(str, values))


def listed_plainly(values: Sequence[Value], kind: Kind) -> str:
    """`1 and 2`."""
    return " and ".join(in_words(value, kind) for value in values)


def in_words(value: Value, kind: Kind) -> str:
    """A value as people write it: `255`, or the colour `#ff0000`."""
    return f"#{int(value):06x}" if kind == "colours" else f"{value:g}"


def written(value: Value, kind: Kind) -> str:
    """A value as a setting holds it."""
    return f'"{in_words(value, kind)}"' if kind == "colours" else in_words(value, kind)


def bands_of(colour: int) -> tuple[int, int, int]:
    """Red, green and blue of 0xRRGGBB."""
    return colour >> 16 & 255, colour >> 8 & 255, colour & 255


def common_folder(paths: Iterable[Path]) -> Path:
    """The folder of all paths, or of the first where they have several."""
    folders = sorted({path.parent for path in paths})
    return folders[0] if len(folders) == 1 else folders[0].parent


def count_of(number: int, noun: str) -> str:
    """`1 other value`, `2 other values`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
