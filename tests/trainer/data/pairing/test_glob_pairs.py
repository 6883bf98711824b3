"""Two patterns whose wildcards pair images with masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.data.drawn import touch
from trainer.config import DataConfig
from trainer.data.listing.patterns import is_pattern, pattern
from trainer.data.pairing.sources import find
from trainer.errors import UserError


def paired(root: Path, images: str, masks: str) -> dict[str, list[str]]:
    match = find(DataConfig(f"{root}/{images}", masks=f"{root}/{masks}"))
    assert not (match.without_mask or match.without_image or match.duplicates)
    return {
        pair.image.relative_to(root).as_posix(): [mask.relative_to(root).as_posix() for mask in pair.masks]
        for pair in match.pairs
    }


@pytest.mark.parametrize(
    ("files", "images", "masks", "pairs"),
    [
        (
            ["scans/a/us.png", "scans/a/lesion.png", "scans/b/us.png", "scans/b/lesion.png"],
            "scans/*/us.png",
            "scans/*/lesion.png",
            {"scans/a/us.png": ["scans/a/lesion.png"], "scans/b/us.png": ["scans/b/lesion.png"]},
        ),
        (["x/1.png", "x/1_m.gif"], "x/*.png", "x/*_m.gif", {"x/1.png": ["x/1_m.gif"]}),
        # Beside each other: what the masks' pattern fits is no image, though *.png fits it too.
        (["1.png", "1_m.png"], "*.png", "*_m.png", {"1.png": ["1_m.png"]}),
        (["1_i.png", "1.png"], "*_i.png", "*.png", {"1_i.png": ["1.png"]}),
        # Any suffix, by a last wildcard or by .*
        (["i/1.jpg", "m/1.png"], "i/*", "m/*", {"i/1.jpg": ["m/1.png"]}),
        (["i/1.jpg", "m/1_x.PNG"], "i/*.*", "m/*_x.*", {"i/1.jpg": ["m/1_x.PNG"]}),
        # Several wildcards, any depth, one letter, a choice.
        (["a/i/1.png", "m/a-1.png"], "*/i/*.png", "m/*-*.png", {"a/i/1.png": ["m/a-1.png"]}),
        (["i/c/d/1.png", "i/2.png", "m/c/d/1.png", "m/2.png"], "i/**/*.png", "m/**/*.png", None),
        (["i1.png", "m1.png"], "i?.png", "m?.png", {"i1.png": ["m1.png"]}),
        (["i1.png", "m1.png", "i3.png"], "i[12].png", "m[!3].png", {"i1.png": ["m1.png"]}),
        # Further wildcards of the masks tell several masks of one image apart.
        (["1.png", "1_m_1.png", "1_m_2.png"], "?.png", "?_m_*.png", {"1.png": ["1_m_1.png", "1_m_2.png"]}),
        (["i/u\u0308.png", "m/\u00fc.png"], "i/*.png", "m/*.png", {"i/u\u0308.png": ["m/\u00fc.png"]}),
        ([".i/1.png", "i/1.png", "i/._1.png", "m/1.png"], "i/*.png", "m/*.png", {"i/1.png": ["m/1.png"]}),
    ],
)
def test_the_text_of_the_wildcards_pairs(
    tmp_path: Path, files: list[str], images: str, masks: str, pairs: dict[str, list[str]] | None
) -> None:
    found = paired(touch(tmp_path, *files), images, masks)
    assert found == (pairs or {name: [name.replace("i/", "m/", 1)] for name in files if name.startswith("i/")})


def test_folders_below_a_wildcard_may_be_patients_and_classes(tmp_path: Path) -> None:
    for name in ("benign/p1", "benign/p2", "malignant/p3"):
        touch(tmp_path, f"set/{name}/1.png", f"set/{name}/1_m.png", f"set/{name}/2.png", f"set/{name}/2_m.png")
    match = find(DataConfig(f"{tmp_path}/set/*/*/?.png", masks=f"{tmp_path}/set/*/*/?_m.png"))
    assert [(pair.label, pair.patient) for pair in match.pairs[::2]] == [
        ("benign", "p1"),
        ("benign", "p2"),
        ("malignant", "p3"),
    ]
    assert match.notes[1:] == (
        "folders taken for patients: 3",
        "folders taken for classes: 2 (benign, malignant)",
    )
    assert match.pairs[0].name == "benign/p1/1"


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        ("i/*.png", "", "only one has any"),
        ("i/1.png", "m/*.png", "only one has any"),
        ("*/*.png", "m/*.png", r"has 2 and .* 1\."),
        ("j/*.png", "m/*.png", "begins with a folder, but .*j"),
        ("i/*.gif", "m/*.png", "no image fits .*gif"),
        ("i/*.png", "m/*.gif", "no mask fits"),
    ],
)
def test_patterns_that_cannot_pair_are_refused(tmp_path: Path, images: str, masks: str, words: str) -> None:
    touch(tmp_path, "i/1.png", "m/1.png")
    with pytest.raises(UserError, match=words):
        find(DataConfig(f"{tmp_path}/{images}", masks=masks and f"{tmp_path}/{masks}"))


def test_what_has_no_partner_or_fits_nothing_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "i/1.png", "i/2.png", "m/1.png", "m/3.png", "other/x.png")
    match = find(DataConfig(f"{tmp_path}/[im]/?.png", masks=f"{tmp_path}/m/?*.png"))
    assert [path.name for path in match.without_mask] == ["1.png", "2.png"]  # the first wildcard is the folder's
    match = find(DataConfig(f"{tmp_path}/i/*.png", masks=f"{tmp_path}/m/*.png"))
    assert [path.name for path in (*match.without_mask, *match.without_image)] == ["2.png", "3.png"]


def test_a_folder_whose_name_has_a_bracket_is_no_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "set [1]/x.png")
    assert not is_pattern(f"{tmp_path}/set [1]") and is_pattern(f"{tmp_path}/set [2]")
    assert pattern(f"{tmp_path}/a*").root == tmp_path.resolve()
