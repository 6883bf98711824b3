from __future__ import annotations

from pathlib import Path

import pytest

from trainer.data.listing.folder import natural_key
from trainer.data.pairing.layouts import recognise
from trainer.data.pairing.published_layouts import RULES
from trainer.errors import UserError


def touch(root: Path, *names: str) -> Path:
    """Empty files: a layout is recognised by names, no picture is opened."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


BUSI = ("benign/benign (10).png", "benign/benign (10)_mask.png", "benign/benign (2).png", "benign/benign (2)_mask.png")


@pytest.mark.parametrize(
    ("layout", "files", "names", "labels"),
    [
        ("BUSI", BUSI, ["benign/benign (2)", "benign/benign (10)"], ["benign", "benign"]),
        ("BUSI", [f"Dataset_BUSI_with_GT/{name}" for name in BUSI], ["benign/benign (2)", "benign/benign (10)"], None),
        ("DUTS-TR", ["DUTS-TR-Image/a.jpg", "DUTS-TR-Mask/a.png"], ["a"], [""]),
        ("DUTS-TE", ["x/DUTS-TE-Image/a.jpg", "x/DUTS-TE-Mask/a.png"], ["a"], [""]),
        ("Montgomery", ["CXR_png/M_1.png", "masks/M_1.png"], ["M_1"], [""]),
        ("Dataset B", ["original/000001.png", "GT/000001.png"], ["000001"], [""]),
        ("images and masks", ["images/a.tif", "masks/a.gif"], ["a"], [""]),
        ("images and masks", ["images/a.PNG", "masks/a_mask.png"], ["a"], [""]),
        ("images and masks", ["images/b/a.png", "masks/b/a.png"], ["b/a"], ["b"]),
        ("suffix _mask", ["a.png", "a_mask.png", ".DS_Store"], ["a"], [""]),
        ("suffix _mask", ["cyst/a.bmp", "cyst/a_Mask.png"], ["cyst/a"], ["cyst"]),
    ],
)
def test_one_call_recognises(
    tmp_path: Path, layout: str, files: list[str], names: list[str], labels: list[str] | None
) -> None:
    found = recognise(touch(tmp_path, *files))
    assert found.name == layout
    assert [pair.name for pair in found.pairs] == names
    assert labels is None or [pair.label for pair in found.pairs] == labels
    assert found.notes == ()


@pytest.mark.parametrize(
    ("files", "masks"),
    [
        (
            ["benign/x (1).png", "benign/x (1)_mask.png", "benign/x (1)_mask_1.png"],
            ["x (1)_mask.png", "x (1)_mask_1.png"],
        ),
        (["images/x.png", "masks/x_mask.png", "masks/x_mask_1.png"], ["x_mask.png", "x_mask_1.png"]),
        (["x.png", "x_mask_2.png", "x_mask_10.png"], ["x_mask_2.png", "x_mask_10.png"]),
    ],
)
def test_several_masks_belong_to_one_image(tmp_path: Path, files: list[str], masks: list[str]) -> None:
    (pair,) = recognise(touch(tmp_path, *files)).pairs
    assert [mask.name for mask in pair.masks] == masks


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["images/a.png", "images/b.png", "masks/a.png"], r"1 image without mask \(b\.png\)"),
        (["images/a.png", "masks/a.png", "masks/c.png"], r"1 mask without image \(c\.png\)"),
        ([*BUSI, "normal/n.png"], r"BUSI layout\) 1 image without mask \(n\.png\)"),
        (
            [f"a{n}.png" for n in range(9)] + ["b_mask.png"],
            r"9 images without mask \(a0.png, a1.png, a2.png, \.\.\.\) and",
        ),
    ],
)
def test_nothing_is_left_out_unasked(tmp_path: Path, files: list[str], words: str) -> None:
    with pytest.raises(UserError, match=f"{words}.*--set data.skip_unpaired=true"):
        recognise(touch(tmp_path, *files))


def test_unpaired_files_are_left_out_knowingly_and_said_so(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.png", "images/b.png", "masks/a.png", "masks/c.png")
    layout = recognise(tmp_path, skip_unpaired=True)
    assert [pair.name for pair in layout.pairs] == ["a"]
    assert "1 image without mask (b.png) and 1 mask without image (c.png)" in layout.notes[0]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], r"needs image files .* holds none"),
        (["readme.txt", ".hidden.png"], r"needs image files .* holds none"),
        (["a.png", "b.png"], r"none that thaw knows. Known layouts:\n  BUSI: benign/"),
        (["images/a.png", "masks/b.png"], r"1 image without mask"),
        (["images/a.png", "images/a.jpg", "masks/a.png"], r"needs a name of its own, but .*a\.jpg and .*a\.png share"),
        (["a.png", "a_mask.png", "a_mask.jpg"], r"needs a name of its own, but .*a_mask\.jpg and .*a_mask\.png share"),
        (["one/images/a.png", "one/masks/a.png", "two/images/a.png", "two/masks/a.png"], r"several: one .*, two "),
    ],
)
def test_bad_folders_are_refused(tmp_path: Path, files: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        recognise(touch(tmp_path, *files))


def test_no_pair_left_is_refused_even_when_skipping(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"at least one image with its mask"):
        recognise(touch(tmp_path, "images/a.png", "masks/b.png"), skip_unpaired=True)


def test_a_missing_folder_and_a_file_are_no_data_sets(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a folder .* does not exist"):
        recognise(tmp_path / "no")
    with pytest.raises(UserError, match=r"is a folder .* is a file"):
        recognise(touch(tmp_path, "a.png") / "a.png")


def test_files_in_other_formats_are_told(tmp_path: Path) -> None:
    layout = recognise(touch(tmp_path, "images/a.png", "masks/a.png", "images/b.mha", "readme.md"))
    assert layout.notes == ("files that are no images by their names, not read: 1 .md, 1 .mha",)


def test_the_error_shows_every_layout(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        recognise(touch(tmp_path, "a.png"))
    assert all(rule.looks in str(error.value) for rule in RULES)


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["b (10)", "b (9)", "a", "10", "9"], key=natural_key) == ["9", "10", "a", "b (9)", "b (10)"]


def test_names_are_compared_in_one_unicode_form(tmp_path: Path) -> None:
    composed, decomposed = "M\u00fcller", "Mu\u0308ller"
    (pair,) = recognise(touch(tmp_path, f"images/{composed}.png", f"masks/{decomposed}_mask.png")).pairs
    assert pair.name == composed
    with pytest.raises(UserError, match="needs a name of its own"):
        recognise(touch(tmp_path, f"images/{decomposed}.png"))


def test_a_broken_link_stops_and_is_left_out_knowingly(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.png", "masks/a.png")
    for folder in ("images", "masks"):
        (tmp_path / folder / "b.png").symlink_to("gone.png")
    with pytest.raises(UserError, match=r"2 broken links \(b\.png -> gone\.png, .*skip_unpaired"):
        recognise(tmp_path)
    assert "2 broken links" in recognise(tmp_path, skip_unpaired=True).notes[-1]


@pytest.mark.parametrize(
    ("names", "patients", "labels"),
    [
        ([f"{kind}/p{patient}/1.png" for kind in ("images", "masks") for patient in (1, 2)], ["p1", "p2"], ["", ""]),
        ([f"case_{n}/1{end}.png" for end in ("", "_mask") for n in (1, 2)], ["case_1", "case_2"], ["", ""]),
        ([f"{kind}/{name}/1.png" for kind in ("images", "masks") for name in ("cyst", "p2")], ["", ""], ["cyst", "p2"]),
        ([f"{kind}/{name}1.png" for kind in ("images", "masks") for name in ("p1/", "")], ["", ""], ["", "p1"]),
    ],
)
def test_folders_named_like_patients_are_patients(
    tmp_path: Path, names: list[str], patients: list[str], labels: list[str]
) -> None:
    layout = recognise(touch(tmp_path, *names))
    assert [pair.patient for pair in layout.pairs] == patients
    assert [pair.label for pair in layout.pairs] == labels
    assert any("taken for patients: 2" in note for note in layout.notes) == any(patients)
