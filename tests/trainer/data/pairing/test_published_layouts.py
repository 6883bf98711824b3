"""The published layouts, each written as small real files in its own names, kinds and oddities, and read as cases."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data.cases import Cases, load_cases
from trainer.data.formats import jsrt
from trainer.data.pairing.layouts import recognise
from trainer.data.survey import survey
from trainer.data.survey_text import text
from trainer.errors import UserError

SIZE = 16


def picture(path: Path, mode: str = "L", side: int = 48) -> None:
    """A picture of its own blotches."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([*path.stem.encode()])
    blotches = Image.fromarray(rng.integers(0, 255, (6, 6), np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    deep = Image.fromarray(np.asarray(blotches, np.uint16) * 257) if mode == "I;16" else blotches.convert(mode)
    deep.save(path)


def mask(path: Path, mode: str = "L", *, side: int = 48, left: float = 0.25, right: float = 0.75) -> None:
    """White over the middle half of the rows and the given share of the columns, in any mode a mask is found in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((side, side), np.uint8)
    rows, columns = slice(side // 4, side * 3 // 4), slice(int(side * left), int(side * right))
    pixels[rows, columns] = 255
    if mode == "edges":  # grey on both sides of the threshold, as from smoothing
        pixels[side // 4 - 1, columns], pixels[side // 4, columns] = 120, 135
    elif mode == "labels":
        pixels //= 255
    made = Image.fromarray(pixels)
    if mode == "alpha":  # opaque everywhere: the object is in the colour
        made = made.convert("RGBA")
    elif mode == "palette":  # index 1 is white, index 0 black: no grey value is stored
        made = Image.fromarray(pixels // 255, "P")
        made.putpalette([0, 0, 0, 255, 255, 255])
    elif mode == "I;16":
        made = Image.fromarray(pixels.astype(np.uint16) * 257)
    elif mode in ("1", "RGB"):
        made = made.convert(mode)
    made.save(path)


@pytest.fixture(scope="session")
def raw_bytes() -> bytes:
    """A whole .IMG: a bright upper half (small values, since inverted) over a dark lower one."""
    values = np.full((jsrt.SIDE, jsrt.SIDE), jsrt.TOP, ">u2")
    values[: jsrt.SIDE // 2] = 0
    return values.tobytes()


def load(folder: Path, **config: object) -> Cases:
    return load_cases(DataConfig(str(folder), **config), SIZE, folder.parent / "cache")  # type: ignore[arg-type]


def lungs(root: Path, name: str, side: int = 24) -> None:
    """SCR's outlines of one image: both lungs, and the organs that are none of ours."""
    for organ, left, right in (
        ("left lung", 0.5, 0.75),
        ("right lung", 0.25, 0.5),
        ("heart", 0, 1),
        ("left clavicle", 0, 1),
    ):
        mask(root / "scratch" / "fold1" / "masks" / organ / f"{name}.gif", side=side, left=left, right=right)


@pytest.fixture
def jsrt_folder(tmp_path: Path, raw_bytes: bytes) -> Path:
    """JSRT beside SCR, as both unpack."""
    root = tmp_path / "set"
    for name in ("JPCLN001", "JPCNN002"):
        (root / "All247images").mkdir(parents=True, exist_ok=True)
        (root / "All247images" / f"{name}.IMG").write_bytes(raw_bytes)
        lungs(root, name)
    return root


def test_jsrt_is_read_upright_in_brightness_and_its_lungs_are_joined(jsrt_folder: Path) -> None:
    cases = load(jsrt_folder)
    assert (cases.layout, cases.names, cases.labels) == (
        "JSRT",
        ("JPCLN001", "JPCNN002"),
        ("nodule", "no nodule"),
    )
    np.testing.assert_allclose(cases.images[0, : SIZE // 2 - 1], 1)
    np.testing.assert_allclose(cases.images[0, SIZE // 2 + 1 :], 0)
    assert cases.masks[0].mean() == 1 / 4  # an eighth each; heart and clavicle would add to it
    assert any("with a mask of another size" in note for note in cases.notes)
    assert any(note.startswith("4 image files not part of this layout, not read (JPC") for note in cases.notes)


def two_lungs(root: Path, name: str) -> None:
    picture(root / "CXR_png" / f"{name}.png")
    for folder, left, right in (("leftMask", 0.5, 0.75), ("rightMask", 0.25, 0.5)):
        mask(root / "ManualMask" / folder / f"{name}.png", "1", left=left, right=right)


def pairs(image: str, truth: str, mode: str = "L", image_mode: str = "L", **how: int) -> Callable[[Path, str], None]:
    """A writer of one case under these names."""

    def write(root: Path, name: str) -> None:
        picture(root / image.format(name), image_mode)
        mask(root / truth.format(name), mode, **how)

    return write


Writer = Callable[[Path, str], None]
CHESTS = ["normal", "tuberculosis"]
PUBLISHED: dict[str, tuple[Writer, list[str], list[str]]] = {
    "Montgomery, two lungs": (two_lungs, ["MCUCXR_0001_0", "MCUCXR_0104_1"], CHESTS),
    "Montgomery": (pairs("CXR_png/{}.png", "masks/{}.png"), ["MCUCXR_0001_0", "MCUCXR_0104_1"], CHESTS),
    "Shenzhen": (pairs("CXR_png/{}.png", "mask/{}_mask.png"), ["CHNCXR_0001_0", "CHNCXR_0330_1"], CHESTS),
    "Dataset B": (pairs("original/{}.png", "GT/{}.png", "palette"), ["000007", "000210"], ["", ""]),
    "ECSSD": (pairs("images/{}.jpg", "ground_truth_mask/{}.png", "edges", "RGB"), ["0001", "0002"], ["", ""]),
    "MSRA": (pairs("Imgs/{}.jpg", "Imgs/{}.png", "edges", "RGB"), ["72", "144"], ["", ""]),
    "images and masks": (pairs("imgs/{}.jpg", "gt/{}.png", "RGB", "RGB"), ["n01-5", "n01-31"], ["", ""]),
    "DUTS-TE": (pairs("DUTS-TE-Image/{}.jpg", "DUTS-TE-Mask/{}.png", "edges", "RGB"), ["sun_a", "sun_b"], ["", ""]),
}


@pytest.mark.parametrize("layout", PUBLISHED)
def test_a_published_layout_becomes_cases(tmp_path: Path, layout: str) -> None:
    write, names, labels = PUBLISHED[layout]
    for name in names:
        write(tmp_path / "set", name)
    cases = load(tmp_path / "set")
    assert (cases.layout, list(cases.names), list(cases.labels)) == (layout, names, labels)
    # The middle half of both sides; grey edges below the threshold of 127 add nothing, those above are inside.
    np.testing.assert_allclose(cases.masks.mean(axis=(1, 2)), 1 / 4)
    np.testing.assert_array_equal(cases.masks[0], cases.masks[1])


@pytest.mark.parametrize(
    ("suffix", "mode", "side"),
    [
        (".png", "palette", 48),
        (".png", "alpha", 48),
        (".png", "1", 48),
        (".png", "I;16", 48),
        (".png", "labels", 48),
        (".bmp", "L", 48),
        (".bmp", "1", 48),
        (".gif", "L", 48),
        (".gif", "palette", 48),
        (".tif", "L", 48),
        (".tiff", "I;16", 48),
        (".jpg", "RGB", 48),
        (".png", "edges", 48),
        (".png", "L", 96),
        (".gif", "1", 24),
    ],
)
@pytest.mark.parametrize(("image_suffix", "image_mode"), [(".jpg", "RGB"), (".png", "I;16")])
def test_xpie_and_own_folders_take_every_kind_of_mask(
    tmp_path: Path, suffix: str, mode: str, side: int, image_suffix: str, image_mode: str
) -> None:
    picture(tmp_path / "set" / "images" / f"a{image_suffix}", image_mode)
    mask(tmp_path / "set" / "masks" / f"a{suffix}", mode, side=side)
    cases = load(tmp_path / "set")
    assert cases.masks[0].mean() == 1 / 4
    assert any("another size" in note for note in cases.notes) == (side != 48)


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("left lung/JPCLN001.gif", r"1 image without left lung mask \(JPCLN001\.IMG\).*data\.skip_unpaired=true"),
        ("right lung", r"2 images without right lung mask \(JPCLN001\.IMG, JPCNN002\.IMG\)"),
        ("../../../All247images/JPCLN001.IMG", r"2 masks without image \(JPCLN001\.gif, JPCLN001\.gif\)"),
    ],
)
def test_a_missing_lung_is_told(jsrt_folder: Path, gone: str, words: str) -> None:
    place = jsrt_folder / "scratch" / "fold1" / "masks" / gone
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    with pytest.raises(UserError, match=words):
        recognise(jsrt_folder)


def test_an_image_with_one_lung_is_left_out_knowingly_never_used(tmp_path: Path) -> None:
    for name in ("MCUCXR_0001_0", "MCUCXR_0002_0"):
        two_lungs(tmp_path, name)
    (tmp_path / "ManualMask" / "rightMask" / "MCUCXR_0002_0.png").unlink()
    layout = recognise(tmp_path, skip_unpaired=True)
    assert [pair.name for pair in layout.pairs] == ["MCUCXR_0001_0"]
    assert "1 image without right lung mask (MCUCXR_0002_0.png)" in layout.notes[0]


def test_a_survey_names_the_missing_lung_and_does_not_flood(jsrt_folder: Path) -> None:
    for number in range(3, 26):
        lungs(jsrt_folder, f"JPCLN{number:03d}")
        os.link(jsrt_folder / "All247images" / "JPCLN001.IMG", jsrt_folder / "All247images" / f"JPCLN{number:03d}.IMG")
    (jsrt_folder / "scratch" / "fold1" / "masks" / "left lung" / "JPCLN003.gif").unlink()
    seen = survey(jsrt_folder, size=16)
    shown = text(seen)
    assert (seen.image_count, len(seen.names), seen.usable) == (25, 24, False)
    assert "JPCLN003.IMG: image without left lung mask" in shown
    assert "modes      images 12-bit raw 24; masks " in shown
    assert "... and 4 more" in shown  # 24 masks of another size, as SCR publishes them: 20 lines say it


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5_000_000])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


def swapped(path: Path) -> None:
    np.full((jsrt.SIDE, jsrt.SIDE), 4000, "<u2").tofile(path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, r"2048x2048 values .*8,388,608 bytes.*JPCLN001\.IMG is truncated: 5,000,000 bytes.*again"),
        (longer, r"JPCLN001\.IMG is of another size: 16,777,216 bytes.*16-bit PNG"),
        (swapped, r"12-bit values .*JPCLN001\.IMG holds 40975.*other order.*swap"),
        (lambda path: path.write_text("hello"), r"JPCLN001\.IMG is truncated: 5 bytes"),
    ],
)
def test_a_spoilt_raw_file_is_named_with_the_remedy(
    jsrt_folder: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(jsrt_folder / "All247images" / "JPCLN001.IMG")
    with pytest.raises(UserError, match=words):
        load(jsrt_folder)


@pytest.mark.parametrize("layout", ["photograph", "animation", "text"])
def test_a_gif_that_is_no_mask_is_refused(jsrt_folder: Path, layout: str) -> None:
    path = jsrt_folder / "scratch" / "fold1" / "masks" / "left lung" / "JPCLN001.gif"
    if layout == "photograph":
        picture(path)
    elif layout == "animation":
        Image.new("L", (8, 8), 0).save(path, save_all=True, append_images=[Image.new("L", (8, 8), 255)])
    else:
        path.write_text("GIF it is not")
    words = {"photograph": "looks like an image", "animation": "holds 2", "text": "does not, whatever its name"}[layout]
    with pytest.raises(UserError, match=rf"left lung.JPCLN001\.gif .*{words}"):
        load(jsrt_folder)


# Montgomery and Shenzhen in one folder, as others pass them on.
BOTH_CHEST_SETS = [
    "CXR_png/MCUCXR_0001_0.png",
    "masks/MCUCXR_0001_0.png",
    "CXR_png/CHNCXR_0001_0.png",
    "masks/CHNCXR_0001_0_mask.png",
]


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (["images/JPCLN001.png", "masks/JPCLN001.png"], "images and masks"),  # JSRT converted by somebody
        (BOTH_CHEST_SETS, "Montgomery"),
        (["ChinaSet/CHNCXR_0001_0.png", "ChinaSet/CHNCXR_0001_0_mask.png"], "Shenzhen"),
        (["a.jpg", "a_mask.png"], "suffix _mask"),
        (["preview.jpg", "preview.png", "images/a.jpg", "masks/a.png"], "images and masks"),
        (["Images/a.jpg", "Ground_Truth/a.png"], "images and masks"),
        (["x/left_lung/JPCNN001.gif", "x/right_lung/JPCNN001.gif", "JPCNN001.img"], "JSRT"),
    ],
)
def test_neighbouring_layouts_are_told_apart(tmp_path: Path, files: list[str], layout: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert recognise(tmp_path).name == layout


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["jsrt/JPCLN001.IMG", "jsrt/left lung/JPCLN001.gif", "m/CXR_png/a.png", "m/masks/a.png"], "several: jsrt "),
        (["images/a.png", "masks/a.png", "gt/a.png"], r"one folder of this kind, but .* has gt, masks"),
    ],
)
def test_two_sets_in_one_folder_are_refused(tmp_path: Path, files: list[str], words: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=words):
        recognise(tmp_path)
