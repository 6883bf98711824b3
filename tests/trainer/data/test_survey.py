from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.data.survey import survey
from trainer.data.survey_text import text
from trainer.errors import UserError


def write_case(root: Path, label: str, number: int, *, value: int = 255, width: int = 64, like: int = 0) -> None:
    """A noise picture 48 high (the same for the same `like`) with a square a sixteenth of its area as its mask."""
    (root / label).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([*label.encode(), like or number])
    noise = Image.fromarray(rng.integers(0, 255, (6, 6), np.uint8)).resize((width, 48), Image.Resampling.BICUBIC)
    noise.save(root / label / f"{label} ({number}).png")
    mask = np.zeros((48, width), np.uint8)
    mask[12:24, width // 4 : width // 2] = value
    Image.fromarray(mask).save(root / label / f"{label} ({number})_mask.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(1, 7):
        write_case(tmp_path, "benign", number, width=60 + number)
    write_case(tmp_path, "benign", 7, like=1)
    write_case(tmp_path, "normal", 1, value=0)
    return tmp_path


def test_a_clean_folder_is_counted(folder: Path) -> None:
    seen = survey(folder)
    assert (seen.layout, seen.image_count, len(seen.names)) == ("BUSI", 8, 8)
    assert (seen.smallest, seen.largest) == ((61, 48), (66, 48))
    assert (seen.image_modes, seen.mask_modes) == ({"L": 8}, {"L": 8})
    assert seen.classes == {"benign": 7, "normal": 1}
    assert seen.empty == ("normal/normal (1)",)
    assert seen.duplicates == (("benign/benign (1)", "benign/benign (7)"),)
    assert seen.areas[2] == pytest.approx(1 / 16, abs=0.005)
    assert seen.problems == ()
    assert seen.usable


@pytest.mark.parametrize(
    "line",
    [
        "BUSI layout, 8 images, 8 readable with their masks",
        "classes    benign 7, normal 1",
        "modes      images L 8; masks L 8",
        "masks      0 images with several masks (merged), 1 with an empty mask",
        "duplicates 2 images in 1 group of near-duplicates",
        "  benign/benign (1) = benign/benign (7)",
        "ready to use",
    ],
)
def test_the_text_says_it(folder: Path, line: str) -> None:
    assert line in text(survey(folder))


def test_every_problem_is_listed_with_its_file(folder: Path) -> None:
    benign = folder / "benign"
    (benign / "benign (1).png").write_text("text")
    (benign / "benign (2)_mask.png").write_bytes((benign / "benign (2)_mask.png").read_bytes()[:60])
    Image.new("L", (50, 10)).save(benign / "benign (3)_mask.png")
    (benign / "benign (4)_mask.png").unlink()
    (benign / "benign (5).png").unlink()
    seen = survey(folder)
    shown = text(seen)
    assert not seen.usable
    for words in (
        r"benign (1).png does not",
        r"benign (2)_mask.png is truncated",
        r"benign (3)_mask.png is 50x10",
        r"benign (4).png: image without mask",
        r"benign (5)_mask.png: mask without image",
        r"problems   5",
        r"not usable as it is",
    ):
        assert words in shown
    assert len(seen.names) == 3


@pytest.mark.parametrize(("damaged", "hinted"), [("benign (1).png", False), ("benign (1)_mask.png", True)])
def test_leaving_files_out_is_offered_only_for_those_without_partner(folder: Path, damaged: str, hinted: bool) -> None:
    path = folder / "benign" / damaged
    path.unlink() if hinted else path.write_bytes(path.read_bytes()[:60])
    verdict = text(survey(folder)).splitlines()[-1]
    assert verdict.startswith("not usable as it is: fix the problems above")
    assert ("data.skip_unpaired=true leaves out" in verdict) == hinted


def test_nothing_readable_or_marked_is_said_and_does_not_crash(tmp_path: Path) -> None:
    write_case(tmp_path, "normal", 1, value=0)
    assert text(survey(tmp_path)).endswith("not usable: no mask has anything marked")
    (tmp_path / "normal" / "normal (1).png").write_text("")
    seen = survey(tmp_path)
    assert (len(seen.names), len(seen.problems)) == (0, 1)
    assert "not usable" in text(seen)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds none"):
        survey(tmp_path)
