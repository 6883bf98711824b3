"""How people write masks: sixty-odd codings of the same six drawn objects, and what is to come of each.

`python -m tests.trainer.data.masks.mask_codings` writes them all, reads them, and prints what thaw says of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation, gaussian_filter

from tests.trainer.data.png_files import png_of
from trainer.config import DataConfig
from trainer.data.masks.rule import MaskRule, decide_masks
from trainer.data.masks.values import read_mask
from trainer.errors import UserError
from trainer.results import IGNORED, OBJECT

HEIGHT, WIDTH, MASKS = 60, 80, 6
Truth = NDArray[np.bool_]
Save = Callable[[Path, Truth, int], object]  # path without suffix, truth, number of the mask


def truths() -> list[Truth]:
    """Ellipses, one a mask, of different places and sizes."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shapes = [(*rng.uniform((20, 25), (40, 55)), *rng.uniform(9, 16, 2)) for _ in range(MASKS)]
    return [((rows - r) / a) ** 2 + ((columns - c) / b) ** 2 < 1 for r, c, a, b in shapes]


def core(truth: Truth) -> Truth:
    """The inner part of an object."""
    return np.asarray(~binary_dilation(~truth, iterations=5), bool)


def rim(truth: Truth) -> Truth:
    """The pixels just outside and inside of an object's edge."""
    return np.asarray(binary_dilation(truth) & binary_dilation(~truth), bool)


def png(values: NDArray[np.generic], path: Path, mode: str | None = None) -> None:
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path.with_suffix(".png"))


def grey(on: int, off: int = 0, kind: type[np.generic] = np.uint8, suffix: str = ".png") -> Save:
    return lambda path, truth, _: Image.fromarray(np.where(truth, on, off).astype(kind)).save(path.with_suffix(suffix))


def jpeg(on: int, quality: int, mode: str = "L") -> Save:
    def save(path: Path, truth: Truth, _: int) -> None:
        Image.fromarray(np.where(truth, on, 0).astype(np.uint8)).convert(mode).save(
            path.with_suffix(".jpg"), quality=quality
        )

    return save


def soft(top: float, blur: float, kind: type[np.generic] = np.uint8, suffix: str = ".png") -> Save:
    def save(path: Path, truth: Truth, _: int) -> None:
        values = gaussian_filter(truth.astype(float), blur) * top
        Image.fromarray((values.round() if kind is not np.float32 else values).astype(kind)).save(
            path.with_suffix(suffix)
        )

    return save


def resized(path: Path, truth: Truth, _: int) -> None:
    """Drawn at four times the size, then made smaller with the usual filter."""
    large = Image.fromarray(truth.astype(np.uint8) * 255).resize((4 * WIDTH, 4 * HEIGHT), Image.Resampling.BICUBIC)
    large.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR).save(path.with_suffix(".png"))


def labels(*values: int, kind: type[np.generic] = np.uint8) -> Save:
    """The object has the first value; every second mask has the second in its core, and so on."""

    def save(path: Path, truth: Truth, number: int) -> None:
        pixels = np.where(truth, values[0], 0)
        for place, value in enumerate(values[1:], start=1):
            if number % len(values) == place:
                pixels[core(truth)] = value
        png(pixels.astype(kind), path)

    return save


def instances(step: int, kind: type[np.generic] = np.uint8) -> Save:
    """Stripes of one object, numbered."""

    def save(path: Path, truth: Truth, _: int) -> None:
        stripes = 1 + np.arange(WIDTH)[None, :] // 10
        png(np.where(truth, step * stripes, 0).astype(kind), path)

    return save


def void(label: int, edge: Callable[[Truth], Truth] = rim) -> Save:
    def save(path: Path, truth: Truth, _: int) -> None:
        png(np.where(edge(truth), 255, np.where(truth, label, 0)).astype(np.uint8), path)

    return save


def voc_palette(entries: int) -> list[int]:
    """PASCAL VOC's palette, built as its development kit does: bits of the index spread over the channels."""
    colours = []
    for index in range(entries):
        red = green = blue = 0
        for bit in range(8):
            red |= (index >> 3 * bit & 1) << 7 - bit
            green |= (index >> 3 * bit + 1 & 1) << 7 - bit
            blue |= (index >> 3 * bit + 2 & 1) << 7 - bit
        colours += [red, green, blue]
    return colours


def palette(colours: Sequence[int], on: int = 1, off: int = 0, edge: int | None = None) -> Save:
    def save(path: Path, truth: Truth, _: int) -> None:
        indices = np.where(truth, on, off)
        if edge is not None:
            indices[rim(truth)] = edge
        indexed = Image.frombytes("P", (WIDTH, HEIGHT), indices.astype(np.uint8).tobytes())
        indexed.putpalette(list(colours))
        indexed.save(path.with_suffix(".png"))

    return save


def coloured(on: Sequence[int], off: Sequence[int] = (0, 0, 0), suffix: str = ".png", quality: int = 90) -> Save:
    def save(path: Path, truth: Truth, _: int) -> None:
        pixels = np.where(truth[..., None], np.array(on), np.array(off)).astype(np.uint8)
        Image.fromarray(pixels).save(path.with_suffix(suffix), quality=quality)

    return save


def two_colours(path: Path, truth: Truth, number: int) -> None:
    """Benign lesions in green, malignant ones in red."""
    coloured((255, 0, 0) if number % 2 else (0, 255, 0))(path, truth, number)


def soft_colour(path: Path, truth: Truth, _: int) -> None:
    share = gaussian_filter(truth.astype(float), 1.0)[..., None]
    png((share * np.array((255, 128, 0))).round().astype(np.uint8), path)


def alpha_only(path: Path, truth: Truth, _: int) -> None:
    pixels = np.zeros((*truth.shape, 4), np.uint8)
    pixels[..., 3] = truth * 255
    png(pixels, path)


def transparent(path: Path, truth: Truth, _: int) -> None:
    """Red where drawn; elsewhere transparent white."""
    pixels = np.full((*truth.shape, 4), (255, 255, 255, 0), np.uint8)
    pixels[truth] = (255, 0, 0, 255)
    png(pixels, path)


def cup_and_disc(path: Path, truth: Truth, _: int) -> None:
    png(np.where(core(truth), 0, np.where(truth, 128, 255)).astype(np.uint8), path)


def some_white(path: Path, truth: Truth, number: int) -> None:
    """Two programs: half of the masks hold 1, the others 255."""
    grey(255 if number % 2 else 1)(path, truth, number)


def some_faint(path: Path, truth: Truth, number: int) -> None:
    grey(90 if number == 5 else 255)(path, truth, number)


def some_deep(path: Path, truth: Truth, number: int) -> None:
    """8 and 16 bits mixed, white in both."""
    grey(65535, kind=np.uint16)(path, truth, number) if number % 2 else grey(255)(path, truth, number)


def some_empty(path: Path, truth: Truth, number: int) -> None:
    grey(255 if number != 2 else 0)(path, truth, number)


def some_soft(path: Path, truth: Truth, number: int) -> None:
    (soft(255, 1.2) if number % 2 else grey(255))(path, truth, number)


def some_jpeg(path: Path, truth: Truth, number: int) -> None:
    (jpeg(255, 60) if number % 2 else grey(255))(path, truth, number)


def one_bit(path: Path, truth: Truth, _: int) -> None:
    Image.fromarray(truth).save(path.with_suffix(".png"))


def short(bits: int, *values: int) -> Save:
    """`labels`, as a PNG of 2 or 4 bits."""

    def save(path: Path, truth: Truth, number: int) -> None:
        labels(*values)(path, truth, number)
        path.with_suffix(".png").write_bytes(png_of(np.asarray(Image.open(path.with_suffix(".png"))), bits))

    return save


def some_short(path: Path, truth: Truth, number: int) -> None:
    """The label 1 of 4 bits, and the label 17 of 8."""
    (short(4, 1) if number % 2 else grey(17))(path, truth, number)


def photograph(path: Path, truth: Truth, number: int) -> None:
    noise = np.random.default_rng(number).integers(0, 255, truth.shape)
    png(gaussian_filter(noise.astype(float), 1.5).astype(np.uint8), path)


def tiff16(path: Path, truth: Truth, _: int) -> None:
    Image.fromarray(np.where(truth, 4095, 0).astype(np.uint16)).save(path.with_suffix(".tif"))


def gif(path: Path, truth: Truth, _: int) -> None:
    Image.fromarray(truth.astype(np.uint8) * 255).save(path.with_suffix(".gif"))


def two_rows(path: Path, truth: Truth, _: int) -> None:
    """An edge of two shades, as of a box that was drawn between the pixels."""
    outer, inner = binary_dilation(truth) & ~truth, truth & binary_dilation(~truth)
    png(np.where(outer, 120, np.where(inner, 135, np.where(truth, 255, 0))).astype(np.uint8), path)


def one_rim(path: Path, truth: Truth, _: int) -> None:
    """An object whose outermost pixels are a label of their own."""
    png(np.where(truth & binary_dilation(~truth), 100, np.where(truth, 255, 0)).astype(np.uint8), path)


def jpeg_as_png(path: Path, truth: Truth, number: int) -> None:
    """A JPEG that was opened and saved as PNG: the noise is kept, and nothing says where it is from."""
    jpeg(255, 75)(path, truth, number)
    written_file = path.with_suffix(".jpg")
    Image.open(written_file).save(path.with_suffix(".png"))
    written_file.unlink()


def cup_in_disc(path: Path, truth: Truth, _: int) -> None:
    """A small white cup in a grey disc, saved as JPEG."""
    cup = ~binary_dilation(~truth, iterations=8)
    Image.fromarray(np.where(cup, 255, np.where(truth, 128, 0)).astype(np.uint8)).save(
        path.with_suffix(".jpg"), quality=90
    )


def near_numbers(path: Path, truth: Truth, _: int) -> None:
    """Stripes of one object, numbered from 200 on."""
    stripes = 200 + 3 * (np.arange(WIDTH)[None, :] // 12)
    png(np.where(truth, stripes, 0).astype(np.uint8), path)


def largest(path: Path, truth: Truth, _: int) -> None:
    """TIFF of 32 bits without a sign, white in all bits."""
    tifffile.imwrite(path.with_suffix(".tif"), np.where(truth, 2**32 - 1, 0).astype(np.uint32))


def thin(value: int, suffix: str = ".png") -> Save:
    """The objects in white, and a thin line of another value in the background."""

    def save(path: Path, truth: Truth, _: int) -> None:
        pixels = np.where(truth, 255, 0)
        pixels[1:3, 5:70] = value
        Image.fromarray(pixels.astype(np.uint8)).save(path.with_suffix(suffix), quality=85)

    return save


VOC = voc_palette(256)
VOC = voc_palette(256)


@dataclass(frozen=True)
class Coding:
    """A way to write masks: what thaw is to say of it (`says`, a pattern), or in which words it refuses it.

    `hidden`: the numbers of the masks whose object the coding does not write.
    """

    name: str
    save: Save
    says: str = ""
    refused: str = ""
    settings: dict[str, object] = field(default_factory=dict)
    hidden: tuple[int, ...] = ()


CODINGS = [
    Coding("0 and 255", grey(255), says="255 is the object and 0 the background"),
    Coding("0 and 1", grey(1), says="1 is the object"),
    Coding("0 and 2", grey(2), says="2 is the object"),
    Coding("0 and 128", grey(128), says="128 is the object"),
    Coding("one bit", one_bit, says="255 is the object"),
    Coding("16 bits, 0 and 65535", grey(65535, kind=np.uint16), says="255 is the object"),
    Coding("16 bits, 0 and 1", grey(1, kind=np.uint16), says="1 is the object"),
    Coding("16 bits, 0 and 255", grey(255, kind=np.uint16), says="255 is the object"),
    Coding("16-bit TIFF, 0 and 4095", tiff16, says="4095 is the object"),
    Coding("8 and 16 bits mixed", some_deep, says="255 is the object"),
    Coding("2 bits, 0 and 3", short(2, 3), says="3 is the object"),
    Coding("4 bits, 0 and 15", short(4, 15), says="15 is the object"),
    Coding("4 bits, 0 and 1", short(4, 1), says="1 is the object"),
    Coding("2 bits, labels 1 to 3", short(2, 1, 2, 3), refused="hold 3 values besides 0.* 3 "),
    Coding("4 bits, labels 1 and 15", short(4, 1, 15), refused="hold 2 values besides 0.* 15 "),
    Coding("4 bits, both chosen", short(4, 1, 15), says="1 and 15 is the object", settings={"foreground": (1, 15)}),
    Coding("4 and 8 bits mixed", some_short, refused="one depth.*4 bits.*8 bits"),
    Coding("float TIFF, 0 and 1", grey(1, kind=np.float32, suffix=".tif"), says="1 is the object"),
    Coding("float TIFF, soft", soft(1.0, 1.2, np.float32, ".tif"), says="above 0.5"),
    Coding("GIF", gif, says="255 is the object"),
    Coding("BMP", grey(255, suffix=".bmp"), says="255 is the object"),
    Coding("some masks empty", some_empty, hidden=(2,), says="255 is the object"),
    Coding("JPEG, quality 95", jpeg(255, 95), says="above 127.5"),
    Coding("JPEG, quality 50", jpeg(255, 50), says="noise of JPEG"),
    Coding("JPEG in colour", jpeg(255, 75, "RGB"), says="above 127.5"),
    Coding("JPEG, 0 and 200", jpeg(200, 85), says="the object"),
    Coding("JPEG, 0 and 1", jpeg(1, 90), refused="JPEG"),
    Coding("JPEG and PNG mixed", some_jpeg, says="above 127.5"),
    Coding("soft edges", soft(255, 1.0), says="soft edges"),
    Coding("very soft edges", soft(255, 2.5), says="above 127.5"),
    Coding("soft edges, 0 to 100", soft(100, 1.0), says="above 50"),
    Coding("soft edges, 16 bits", soft(65535, 1.0, np.uint16), says="above 32767.5"),
    Coding("made smaller", resized, says="above 127.5"),
    Coding("an edge of two shades", two_rows, says="above 127.5"),
    Coding("a rim of one value", one_rim, refused="hold 2 values besides 0"),
    Coding("thin lines of 128 beside 255", thin(128), refused="hold 2 values besides 0"),
    Coding("JPEG, saved anew as PNG", jpeg_as_png, refused="values besides 0"),
    Coding("cup in a disc, JPEG", cup_in_disc, refused="are JPEGs"),
    Coding("numbered cells, 200 to 209", near_numbers, refused="hold . values besides 0"),
    Coding("32 bits, 0 and 4294967295", largest, refused="holds values up to 2,147,483,647"),
    Coding("thin lines of 128, JPEG", thin(128, ".jpg"), refused="JPEG"),
    Coding("JPEG, quality 20", jpeg(255, 20), says="above 127.5"),
    Coding("some soft, some hard", some_soft, says="above 127.5"),
    Coding("red on black", coloured((255, 0, 0)), says="#ff0000 is the object"),
    Coding("dark blue on black", coloured((0, 0, 90)), says="#00005a is the object"),
    Coding("white in colour", coloured((255, 255, 255)), says="255 is the object"),
    Coding("orange, soft", soft_colour, says="nearer to #ff8000 than to black"),
    Coding("red, JPEG", coloured((255, 0, 0), suffix=".jpg"), says="than to black"),
    Coding("alpha only", alpha_only, says="255 is the object"),
    Coding("red on transparent", transparent, says="#ff0000 is the object"),
    Coding("palette, labelme", palette(VOC[:6]), says="1 is the object"),
    Coding("palette, VOC, class 15", palette(VOC, on=15), says="15 is the object"),
    Coding("palette, VOC with void", palette(VOC, on=15, edge=255), says="255 is ignored"),
    Coding("palette of black only", palette([0] * 6), says="1 is the object"),
    Coding(
        "palette, white on black by colour", palette([255, 255, 255, 0, 0, 0], on=0, off=1), says="255 is the object"
    ),
    Coding("palette, red on black", palette([0, 0, 0, 255, 0, 0]), says="#ff0000 is the object"),
    Coding("label 1 with void", void(1), says="1 is the object .*255 is ignored"),
    Coding("label 3 with void", void(3), says="3 is the object .*255 is ignored"),
    Coding(
        "label 1 with void everywhere else",
        void(1, lambda t: ~binary_dilation(t)),
        refused="'ignore', where it is rare",
    ),
    Coding("labels 1 and 2", labels(1, 2), refused=r"hold 2 values besides 0.* 1 \(.*2 \("),
    Coding(
        "labels 1 and 2, both chosen",
        labels(1, 2),
        says="1 and 2 is the object, as asked",
        settings={"foreground": (1, 2)},
    ),
    Coding(
        "labels 1 and 2, nonzero", labels(1, 2), says="all but 0 is the object", settings={"foreground": ("nonzero",)}
    ),
    Coding("labels 1 to 3", labels(1, 2, 3), refused="hold 3 values besides 0"),
    Coding("labels 50 and 100", labels(50, 100), refused="hold 2 values besides 0"),
    Coding("labels 85, 170, 255", labels(85, 170, 255), refused="hold 3 values besides 0"),
    Coding("labels 250 and 255", labels(250, 255), refused="hold 2 values besides 0"),
    Coding("label 10 beside 255", labels(255, 10), refused="255 beside labels|hold 2 values"),
    Coding("instances, steps of 30", instances(30), refused="hold . values besides 0"),
    Coding("instances, 16 bits", instances(1, np.uint16), refused="hold . values besides 0"),
    Coding("instances, nonzero", instances(30), says="all but 0", settings={"foreground": ("nonzero",)}),
    Coding("cup and disc", cup_and_disc, refused="hold 2 values besides 0"),
    Coding("cup and disc, chosen", cup_and_disc, says="0 and 128 is the object", settings={"foreground": (0, 128)}),
    Coding("two programs, 1 and 255", some_white, refused="255 beside labels"),
    Coding("two programs, nonzero", some_white, says="1 and 255 is the object", settings={"foreground": (1, 255)}),
    Coding("one faint mask", some_faint, refused="hold 2 values besides 0.* 90 "),
    Coding("two colours", two_colours, refused="hold 2 values besides #000000.*#ff0000"),
    Coding("two colours, both", two_colours, says="#ff0000 and #00ff00", settings={"foreground": ("#ff0000", "lime")}),
    Coding("red on white", coloured((255, 0, 0), (255, 255, 255)), refused="hold no black"),
    Coding(
        "red on white, chosen",
        coloured((255, 0, 0), (255, 255, 255)),
        says="#ff0000",
        settings={"foreground": ("red",)},
    ),
    Coding("no black, 100 and 200", grey(200, 100), refused="hold no black"),
    Coding("black on white, inverted", grey(0, 255), says="inverted as asked", settings={"invert": True}),
    Coding("photographs", photograph, refused="looks like an image, not like a mask"),
]


def written(folder: Path, save: Save, shapes: Sequence[Truth]) -> list[Path]:
    for number, truth in enumerate(shapes):
        save(folder / f"m{number}", truth, number)
    return sorted(folder.iterdir())


Outcome = tuple[MaskRule, list[NDArray[np.uint8]]] | str
PARTS = ([0], [1], [2], [0, 1], [3, 4, 5])


def outcome(paths: Sequence[Path], config: DataConfig) -> Outcome:
    """The rule for these files and what they mean, or the words of the refusal."""
    try:
        files = [read_mask(path) for path in paths]
        rule = decide_masks([values for values, _ in files], config)
    except UserError as error:
        return str(error)
    return rule, [rule.meaning(pixels, values.kind) for values, pixels in files]


def agree(meaning: NDArray[np.uint8], truth: Truth) -> bool:
    """Whether a mask marks the object, but for some pixels on its edge; what is ignored does not count."""
    differs = ((meaning == OBJECT) != truth) & (meaning != IGNORED)
    return bool(not differs.any() or (differs & ~rim(truth)).mean() < 0.002)


def main() -> None:
    """Print the table of all codings: what is object, decided how, and what a part of the set gives."""
    print("| coding | read or refused | what thaw says | a part of the set |\n| --- | --- | --- | --- |")
    for coding in CODINGS:
        with TemporaryDirectory() as folder:
            paths = written(Path(folder), coding.save, truths())
            config = DataConfig(**coding.settings)  # type: ignore[arg-type]
            whole = outcome(paths, config)
            parts = {part_outcome([paths[number] for number in part], part, whole, config) for part in PARTS}
        words = whole.replace(folder, "").split(". ")[0] if isinstance(whole, str) else whole[0].sentence
        verdict = "refused" if isinstance(whole, str) else "read"
        print(f"| {coding.name} | {verdict} | {words[:220]} | {', '.join(sorted(parts))} |")


def part_outcome(paths: Sequence[Path], numbers: Sequence[int], whole: Outcome, config: DataConfig) -> str:
    """`same` as in the whole set, `refused`, `read` where the whole is refused, or `OTHER`."""
    part = outcome(paths, config)
    if isinstance(part, str):
        return "refused"
    if isinstance(whole, str):
        return "read"
    same = all((mask == whole[1][number]).all() for mask, number in zip(part[1], numbers, strict=True))
    return "same" if same else "OTHER"


if __name__ == "__main__":
    main()
