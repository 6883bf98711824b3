"""`thaw predict` on files: masks and overlays where they belong, and every mistake in one message."""

from __future__ import annotations

import io
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageOps
from rich.console import Console

from sweeps.commands import predict
from sweeps.commands.predict import load, predict_images
from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.spec.load import model_settings
from tests.trainer.data.medical import needs_medical, nifti_file
from tests.trainer.hues import SIDE, hue_network, write_hues
from trainer.config import ModelConfig
from trainer.data.images import read_grey
from trainer.data.intensity import IntensityRule, Limits
from trainer.errors import UserError
from trainer.network.user_model import adapted
from trainer.training.inference import with_probabilities


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network at 32 x 32 whose mask is the image above one half."""
    inputs = keras.Input((32, 32, 1))
    network = keras.Model(inputs, keras.layers.Conv2D(1, 1)(inputs))
    network.set_weights([np.full((1, 1, 1, 1), 40, np.float32), np.full(1, -20, np.float32)])
    path = tmp_path_factory.mktemp("model") / "net.keras"
    network.save(path)
    return str(path)


def write_image(path: Path, mode: str = "L", size: tuple[int, int] = (64, 48)) -> Path:
    """Black with a white square in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros(size[::-1], np.uint8)
    pixels[size[1] // 4 : size[1] * 3 // 4, size[0] // 4 : size[0] * 3 // 4] = 255
    image = Image.fromarray(pixels)
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    (image if mode in ("L", "I;16") else image.convert(mode)).save(path)
    return path


def predict_count(model: str, images: Path, out: Path) -> int:
    return predict_images(model, images, out, out / "home", Board(Console(file=io.StringIO())))


def written(out: Path, folder: str) -> list[str]:
    return sorted(path.relative_to(out / folder).as_posix() for path in (out / folder).rglob("*.png"))


def test_a_file_is_given_colours_where_asked_and_a_copy_of_thaws_that_reads_them_always(tmp_path: Path) -> None:
    images, network, board = write_hues(tmp_path, 1) / "images", hue_network(), Board(Console(file=io.StringIO()))
    network.save(tmp_path / "plain.keras")
    with_probabilities(adapted(network, SIDE, ModelConfig(colour=True))).save(tmp_path / "copy.keras")
    truth = Image.open(tmp_path / "masks/0.png")
    for file, colour, right in (("plain", False, False), ("plain", True, True), ("copy", False, True)):
        model, out = str(tmp_path / f"{file}.keras"), tmp_path / f"{file} {colour}"
        predict_images(model, images, out, tmp_path / "home", board, model_settings(model, (), colour=colour))
        mask = np.asarray(Image.open(out / "masks/0.png"))
        assert np.array_equal(mask, np.asarray(truth)) is right and mask.any() == right
        overlay = np.asarray(Image.open(out / "overlays/0.png"))
        beside = overlay[np.asarray(truth) == 0] if right else overlay.reshape(-1, 3)
        assert (beside == beside[:, :1]).all()  # grey but for the prediction


def test_masks_and_overlays_in_the_size_and_folders_of_the_images(model: str, tmp_path: Path) -> None:
    for name, mode in (("a.png", "L"), ("b.jpg", "RGB"), ("deep/c.tif", "I;16"), ("deep/d.gif", "P"), ("e.BMP", "1")):
        write_image(tmp_path / "in" / name, mode)
    (tmp_path / "in" / "notes.txt").write_text("no image")
    (tmp_path / "in" / "._a.png").write_bytes(b"\0\5\x16\7")  # what a Mac leaves behind
    out = tmp_path / "out"
    assert predict_count(model, tmp_path / "in", out) == 5
    names = ["a.png", "b.png", "deep/c.png", "deep/d.png", "e.png"]
    assert written(out, "masks") == written(out, "overlays") == names
    for name in names:
        with Image.open(out / "masks" / name) as mask, Image.open(out / "overlays" / name) as over:
            assert (mask.mode, mask.size, over.mode, over.size) == ("L", (64, 48), "RGB", (64, 48))
            pixels = np.asarray(mask)
            assert set(np.unique(pixels)) == {0, 255} and pixels[24, 32] == 255 and pixels[2, 2] == 0
            assert 0.2 < (pixels > 0).mean() < 0.3


@pytest.mark.parametrize("synthetic", [True, False])
def test_a_network_of_synthetic_images_is_told_to_be_one(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synthetic: bool
) -> None:
    predictor, known = load(model, tmp_path)
    assert not known  # of a file nothing is known
    monkeypatch.setattr("sweeps.commands.predict.load", lambda *_: (predictor, synthetic))
    monkeypatch.setattr(predict, "recorded_rule", lambda *_: None)
    output = io.StringIO()
    predict_images(
        "models:/phantoms@champion", write_image(tmp_path / "a.png"), tmp_path, tmp_path, Board(Console(file=output))
    )
    with Image.open(tmp_path / "masks" / "a.png") as mask, Image.open(tmp_path / "overlays" / "a.png") as over:
        assert mask.size == (64, 48) and over.size == ((256, 192) if synthetic else (64, 48))
    assert ("trained on SYNTHETIC images only: it is no tool for real ones" in output.getvalue()) == synthetic


def test_one_image(model: str, tmp_path: Path) -> None:
    assert predict_count(model, write_image(tmp_path / "a.png"), tmp_path) == 1
    assert written(tmp_path, "masks") == ["a.png"]


def test_images_that_differ_in_their_suffix_keep_it(model: str, tmp_path: Path) -> None:
    write_image(tmp_path / "in" / "a.png")
    write_image(tmp_path / "in" / "a.bmp")
    predict_count(model, tmp_path / "in", tmp_path / "out")
    assert written(tmp_path / "out", "masks") == ["a.bmp.png", "a.png.png"]


def test_again_into_the_same_folder_does_not_predict_its_own_masks(model: str, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    assert [predict_count(model, tmp_path, tmp_path / "out") for _ in range(2)] == [1, 1]
    assert [predict_count(model, tmp_path, tmp_path) for _ in range(1)] == [3]  # `out` is another folder of images now


def test_masks_that_somebody_drew_are_not_replaced(model: str, tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a.png")
    truth = write_image(tmp_path / "masks" / "a.png")
    before = truth.read_bytes()
    with pytest.raises(UserError, match=r"must not replace masks that somebody drew.*a\.png exists.*--out"):
        predict_count(model, tmp_path / "images", tmp_path)
    assert truth.read_bytes() == before and not (tmp_path / "overlays").exists()


def test_unreadable_images_are_named_and_the_rest_is_written(model: str, tmp_path: Path) -> None:
    whole = write_image(tmp_path / "in" / "a.png").read_bytes()
    (tmp_path / "in" / "b.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "c.jpg").write_text("hello")
    (tmp_path / "in" / "d.tif").write_bytes(b"")
    with pytest.raises(UserError, match=r"(?s)3 of 4 images could not be read.*b\.png.*c\.jpg.*hello.*d\.tif.*empty"):
        predict_count(model, tmp_path / "in", tmp_path / "out")
    assert written(tmp_path / "out", "masks") == written(tmp_path / "out", "overlays") == ["a.png"]


def test_no_images_and_no_folder(model: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UserError, match=r"must be an image \(\.png.* holds none"):
        predict_count(model, tmp_path / "in", tmp_path / "out")
    with pytest.raises(UserError, match="There is no image or folder"):
        predict_count(model, tmp_path / "nowhere", tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.keras", "There is no model file"),
        ("text.keras", "must be a Keras model"),
        ("two.keras", r"one value per pixel.* gives 2 \(linear\)"),
        ("models:/nobody@champion", "There is no (home|model models:/nobody@champion.*thaw champion)"),
    ],
)
def test_models_that_cannot_be_used(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.keras").write_text("hello")
    inputs = keras.Input((32, 32, 1))
    keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)).save(tmp_path / "two.keras")
    write_image(tmp_path / "in" / "a.png")
    open_home(tmp_path / "out" / "home")
    with pytest.raises(UserError, match=words):
        predict_count(name if name.startswith("models:") else str(tmp_path / name), tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out" / "masks").exists()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_mask_lies_over_its_file_as_stored_and_as_shown(model: str, tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.zeros((48, 64), np.uint8)
    stored[:20, :30] = 255
    Image.fromarray(stored).save(tmp_path / "x.png", exif=exif)
    predict_count(model, tmp_path / "x.png", tmp_path / "out")
    with Image.open(tmp_path / "out/masks/x.png") as mask, Image.open(tmp_path / "out/overlays/x.png") as overlay:
        assert mask.getexif().get(274, 1) == orientation
        assert ((np.asarray(mask) > 0) == (stored > 0)).mean() > 0.97
        assert overlay.size == ((48, 64) if orientation in (6, 8) else (64, 48))
    np.testing.assert_array_equal(
        read_grey(tmp_path / "out/masks/x.png"),
        np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "out/masks/x.png")), np.float32) / 255,
    )


@pytest.mark.parametrize(
    ("recorded", "found", "says"),
    [
        (None, 0.25, "read as 12 bits"),  # decided from the images given
        (IntensityRule(integers=Limits(0, 4095)), 0.25, ""),
        (IntensityRule(integers=Limits(0, 65535)), 0, ""),  # black, as in training
    ],
)
def test_twelve_bits_are_read_as_in_training(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded: IntensityRule | None, found: float, says: str
) -> None:
    monkeypatch.setattr(predict, "recorded_rule", lambda model, home: recorded)
    pixels = np.zeros((48, 64), np.uint16)
    pixels[12:36, 16:48] = 4000
    Image.fromarray(pixels).save(tmp_path / "x.png")
    console = Console(file=io.StringIO(), width=200)
    predict_images(model, tmp_path / "x.png", tmp_path / "out", tmp_path / "home", Board(console))
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert says in output and (bool(says) == ("Note" in output))
    with Image.open(tmp_path / "out/masks/x.png") as mask:
        assert (np.asarray(mask) > 0).mean() == pytest.approx(found, abs=0.03)


def test_an_image_beyond_the_values_of_the_training_set_is_refused(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "recorded_rule", lambda model, home: IntensityRule(integers=Limits(0, 4095)))
    Image.fromarray(np.full((48, 64), 60000, np.uint16)).save(tmp_path / "x.png")
    with pytest.raises(UserError, match=r"must lie in 0\.\.4095 .*holds 60000"):
        predict_count(model, tmp_path / "x.png", tmp_path / "out")


@needs_medical
def test_each_slice_of_a_volume_has_a_mask(model: str, tmp_path: Path) -> None:
    values = np.zeros((40, 36, 3), np.uint8)
    values[10:30, 8:28, 1] = 255
    nifti_file(tmp_path / "in.nii.gz", values, (1, 1, 5))
    assert predict_count(model, tmp_path / "in.nii.gz", tmp_path / "out") == 3
    assert written(tmp_path / "out", "masks") == [f"in/slice 00{number}.png" for number in (1, 2, 3)]
    for number in (1, 2, 3):
        with Image.open(tmp_path / f"out/masks/in/slice 00{number}.png") as mask:
            assert mask.size == (40, 36)
            assert (np.asarray(mask) > 0).any() == (number == 2)
