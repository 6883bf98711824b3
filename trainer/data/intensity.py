"""Which values are black and white: one rule for a whole set, because a file of 16 bits does not say how many it uses.

Files of 8 bits, and DICOM files with a window, say it themselves. For all others the rule is decided from every image
of the set at once, so that the same value is equally bright in all of them. It is said in a sentence, recorded with
the sweep and used again for the champion and for predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer import channels
from trainer.config import DataConfig
from trainer.data.formats.decode import decode, header
from trainer.data.formats.decoded import Decoded, Slice
from trainer.data.formats.dicom import HOUNSFIELD
from trainer.errors import UserError
from trainer.keys import digest

DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras, scanners and detectors have
AIR = -500  # a lower value than any tissue but lung: such a set is CT
LOWEST_CT, HIGHEST_CT = -4096, 32767  # paddings and metal included
OVERSHOOT = 1e-3  # how far beyond 1 resampled floats may go
BYTES_FROM = 64  # floats that reach this far, and not beyond 255, were bytes
DARK = 1 / 16  # an image that reaches no further holds four bits less than its set

Mode = Literal["set", "file", "image"]
Kind = Literal["integers", "floats"]
Source = tuple[Path, Slice | None]


class Limits(NamedTuple):
    """The values that are black and white. `clips`: others are cut off there; where not, a file must not have any."""

    black: float
    white: float
    clips: bool = False


PLAIN: Mapping[str, Limits] = {"integers": Limits(0, 65535), "floats": Limits(0, 1)}


@dataclass(frozen=True)
class IntensityRule:
    """How values become grey in [0, 1]. `integers` and `floats`: the limits of files that do not state their own.

    None where the set has no such files: they are read by their type then (65535 or 1 is white). `mode` "image"
    stretches each image from its own lowest to its own highest value instead. `notes` say in sentences what differs
    from that plain reading. `asked`: the limits are those of `data.range`.
    """

    mode: Mode = "set"
    integers: Limits | None = None
    floats: Limits | None = None
    notes: tuple[str, ...] = ()
    asked: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether every file is read by its type alone."""
        return self.mode != "image" and all(self.limits(kind)[:2] == limits[:2] for kind, limits in PLAIN.items())

    @property
    def identity(self) -> str:
        """What stands in the identity of a set: nothing where every file is read by its type alone."""
        return "" if self.is_plain else digest([self.mode, self.integers, self.floats])

    def limits_given(self, kind: str) -> Limits | None:
        """The limits of files of a kind, where the set had some."""
        return self.integers if kind == "integers" else self.floats

    def limits(self, kind: str) -> Limits:
        """The limits of files of a kind."""
        return self.limits_given(kind) or PLAIN[kind]

    def table(self) -> dict[str, Any]:
        """As JSON holds it; `rule_of` is the inverse."""
        return asdict(self)


def rule_of(table: Mapping[str, Any]) -> IntensityRule:
    """The rule that `IntensityRule.table` wrote, JSON's lists included."""
    limits = {kind: table[kind] and Limits(*table[kind]) for kind in PLAIN}
    return IntensityRule(
        table["mode"], limits["integers"], limits["floats"], tuple(table["notes"]), table.get("asked", False)
    )


@dataclass(frozen=True)
class Extremes:
    """The lowest and the highest value of one image, the value that 99.9 % stay below, and whether all are whole."""

    kind: Kind
    low: float
    high: float
    nearly_highest: float
    whole: bool


def decide(sources: Iterable[Source], config: DataConfig, known: IntensityRule | None = None) -> IntensityRule:
    """The rule for a set of images, from all of them; only those that do not state their limits are decoded.

    `known`: the rule of the set that a network was trained on; what that says stands. Raises `UserError` for a file
    that cannot be read, and where no rule gives every image a meaning: the values found, the setting that decides.
    """
    extremes = (extremes_of(path, slice) for path, slice in sources)
    return rule_from((one for one in extremes if one is not None), config, known)


def rule_from(images: Iterable[Extremes], config: DataConfig, known: IntensityRule | None = None) -> IntensityRule:
    """The rule for the images with these extremes; they are asked for only where the rule depends on them."""
    if known is not None and (known.mode != "set" or known.asked):
        return known
    if config.intensity == "image":
        return IntensityRule("image", notes=("each image is stretched from its lowest to its highest value, as asked",))
    if config.intensity == "file":
        return IntensityRule("file")
    if config.range:
        black, white = config.range
        note = f"values of more than 8 bits: {black:g} is black and {white:g} is white, as asked (data.range)"
        asked = Limits(black, white, clips=True)
        return IntensityRule("set", asked, asked, (note,), asked=True)
    found: dict[str, list[Extremes]] = {kind: [] for kind in PLAIN}
    for image in images:
        found[image.kind].append(image)
    limits: dict[str, Limits | None] = {kind: known.limits_given(kind) if known else None for kind in PLAIN}
    notes: list[str] = []
    for kind, members in found.items():
        if members and limits[kind] is None:
            limits[kind], sentences = limits_of(members)
            notes += sentences
    return IntensityRule("set", limits["integers"], limits["floats"], tuple(notes))


def limits_of(images: Sequence[Extremes]) -> tuple[Limits, list[str]]:
    """The limits of all images of one kind, and the sentences that say so; none where they are as the type says."""
    low, high = min(image.low for image in images), max(image.high for image in images)
    if low < 0:
        if any(image.low >= 0 and 0 < image.high <= 1 for image in images):
            raise unclear(low, high, "images of values from 0 to 1 do not go with others below 0")
        return hounsfield(low, high)
    if all(image.whole for image in images) and (images[0].kind == "integers" or high > 1):
        return depth(images, high)
    if high <= 1 + OVERSHOOT:
        return Limits(0, 1, clips=high > 1), []
    if BYTES_FROM <= high <= 255 and not any(0 < image.high <= 1 for image in images):
        return Limits(0, 255), [f"floats that reach {high:g}: 0 is black and 255 is white"]
    raise unclear(low, high, "floats reach 1 or 255 where they are white")


def depth(images: Sequence[Extremes], high: float) -> tuple[Limits, list[str]]:
    """As many bits as the brightest of all images needs."""
    bits = bits_for(high)
    if bits is None:
        raise unclear(0, high, f"whole numbers have at most {DEPTHS[-1]} bits")
    white = 2**bits - 1
    notes = []
    if Limits(0, white) != PLAIN["integers"]:
        notes.append(
            f"values of more than 8 bits reach {high:g} in the brightest of {len(images)} images: read as {bits} bits, "
            f"0 is black and {white} is white; if others of this kind reach further, give data.range=[0, WHITE]"
        )
    if darker := sum(bits_for(image.high) != bits for image in images):
        notes.append(
            f"{darker} of {len(images)} images of more than 8 bits reach so little that they would be read as fewer "
            f"bits by themselves: to read a part of this set as the whole, give data.range=[0, {white}]"
        )
    if dark := sum(image.nearly_highest < DARK * white for image in images):
        notes.append(
            f"{dark} of {len(images)} images of more than 8 bits hardly reach {DARK:.0%} of white ({white}): if they "
            "hold fewer bits than the others, set data.range, or data.intensity='image' to stretch each by itself"
        )
    return Limits(0, white), notes


def bits_for(high: float) -> int | None:
    """The depth that holds this value; None for none.

    >>> bits_for(4095), bits_for(4096)
    (12, 14)
    """
    return next((bits for bits in DEPTHS if high < 2**bits), None)


def hounsfield(low: float, high: float) -> tuple[Limits, list[str]]:
    """CT where there is air; refused otherwise, for nothing says what other values below 0 mean."""
    if low > AIR:
        raise unclear(low, high, "values below 0 are known of CT only, which has air (-1000)")
    if low < LOWEST_CT or high > HIGHEST_CT:
        raise unclear(low, high, f"CT lies between {LOWEST_CT} and {HIGHEST_CT}")
    black, white = HOUNSFIELD
    return Limits(black, white, clips=True), [
        f"values from {low:g} to {high:g}: read as CT in Hounsfield units, {black:g} is black and {white:g} is white; "
        "a narrower window shows tissue more clearly, such as data.range=[-160, 240]"
    ]


def unclear(low: float, high: float, rule: str) -> UserError:
    """The error for values whose black and white nobody can know."""
    return UserError(
        f"It must be known which values are black and white, and {rule}, but the images hold {low:g} to {high:g}. "
        f"Say it: --set 'data.range=[{low:g}, {high:g}]', or stretch each image by itself: --set data.intensity=image."
    )


def extremes_of(path: Path, slice: Slice | None) -> Extremes | None:
    """The extremes of an image that does not state its limits; None for one that does, which is not decoded."""
    if header(path, slice).stated:
        return None
    decoded = decode(path, slice)
    if decoded.limits:
        return None
    values = inks_of(decoded.pixels)
    check_finite(values, path)
    kind: Kind = "floats" if np.issubdtype(values.dtype, np.floating) else "integers"
    nearly_highest = float(np.quantile(values, 0.999, method="lower"))
    whole = kind == "integers" or bool((values == np.round(values)).all())
    return Extremes(kind, float(values.min()), float(values.max()), nearly_highest, whole)


def check_finite(values: NDArray[Any], path: Path) -> None:
    """Raise `UserError` for values that are no numbers."""
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        number = int((~np.isfinite(values)).sum())
        raise UserError(
            f"Every pixel must have a value, but {number} of {path} are not finite (NaN or infinite). "
            "Replace them, by 0 for instance, or move the image and its mask out of the folder."
        )


def grey_of(image: Decoded, rule: IntensityRule, path: Path) -> NDArray[np.float32]:
    """An image as grey float32 (height, width) in [0, 1], opacity ignored. `path` is named in errors."""
    return by_rule(luminance(image.colours), image, rule, path)


def colours_of(image: Decoded, rule: IntensityRule, path: Path) -> NDArray[np.float32]:
    """An image as red, green and blue, float32 (height, width, 3) in [0, 1], opacity ignored; grey is all three.

    One rule holds for all channels, so that hues stay as they are. `path` is named in errors.
    """
    inks = inks_of(image.colours)
    inks = inks if inks.ndim == 3 else inks[..., None]
    shades = by_rule(inks.astype(np.float32), image, rule, path)
    return np.repeat(shades, channels.RGB, axis=2) if shades.shape[2] == channels.GREY else shades


def by_rule(values: NDArray[np.float32], image: Decoded, rule: IntensityRule, path: Path) -> NDArray[np.float32]:
    """The values of an image, or of all its channels, from 0 (black) to 1 (white)."""
    check_finite(values, path)
    if rule.mode == "image":
        black, white = float(values.min()), float(values.max())
        shades = scaled(values, Limits(black, white if white > black else black + 1), path)
    else:
        integers = np.issubdtype(image.pixels.dtype, np.integer)
        limits = rule.limits("integers" if integers else "floats")
        # Who asks for a range means it for every value that is measured, a DICOM file's own window notwithstanding.
        if image.limits and not (image.measured and rule.asked):
            limits = Limits(*image.limits, clips=True)
        shades = scaled(values, limits, path)
    return np.float32(1) - shades if image.inverted else shades


def scaled(values: NDArray[np.float32], limits: Limits, path: Path) -> NDArray[np.float32]:
    """`values` with black at 0 and white at 1. Raises `UserError` for values beyond, unless they are to be cut off."""
    low, high = float(values.min()), float(values.max())
    black, white, clips = limits
    if not clips and not black <= low <= high <= white:
        raise UserError(
            f"Values must lie in {black:g}..{white:g} for an image of this kind, but {path} holds {low:g}..{high:g}. "
            "Save it as 8 bit grey, or train with the values said that are black and white, such as "
            f"--set 'data.range=[{low:g}, {high:g}]'."
        )
    shifted = values - np.float32(black) if black else values
    return np.asarray(np.clip(shifted / np.float32(white - black), 0, 1), np.float32)


def inks_of(colours: NDArray[Any]) -> NDArray[Any]:
    """The channels of an image that are light: without opacity, unless the image is in the opacity alone."""
    if colours.ndim == 2 or colours.shape[2] % 2:
        return colours
    inks, opacity = colours[..., :-1], colours[..., -1]
    # One colour all over: the mask is in the transparency alone, as some programs save it.
    if not np.ptp(inks, axis=(0, 1)).any() and np.ptp(opacity) > 0:
        return opacity
    return inks


def luminance(colours: NDArray[Any]) -> NDArray[np.float32]:
    """Grey values (height, width) of what `Decoded.colours` gives, in the same units."""
    inks = inks_of(colours)
    if inks.ndim == 2 or inks.shape[2] == 1:
        return inks.reshape(inks.shape[:2]).astype(np.float32)
    if inks.dtype == np.uint8:
        return np.asarray(Image.fromarray(np.ascontiguousarray(inks)).convert("L"), np.float32)
    grey = inks.astype(np.float32) @ np.array(channels.LUMA, np.float32)
    return np.asarray(np.clip(grey, inks.min(), inks.max()), np.float32)  # the weights add up to 1 but for rounding
