from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from trainer.config import DataConfig
from trainer.data.cases import load_cases


def test_no_file_name_is_left_in_cases_and_cache(tmp_path: Path) -> None:
    """Of used images, of those with an empty mask, and of files that are left alone."""
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        mask = np.zeros((20, 20), np.uint8)
        mask[5:12, 4:15] = 255 * (number != 3)
        Image.fromarray(rng.integers(0, 255, (20, 20)).astype(np.uint8)).save(
            tmp_path / f"set/images/Mustermann (Erika) {number}.png"
        )
        Image.fromarray(mask).save(tmp_path / f"set/masks/Mustermann (Erika) {number}.png")
    (tmp_path / "set/images/.Mustermann.png").write_bytes(b"hidden")
    (tmp_path / "set/Mustermann.txt").write_text("")
    config = DataConfig(str(tmp_path / "set"), names="hide", skip_unpaired=True)
    cases = load_cases(config, 16, tmp_path / "cache")
    assert cases.names == ("image 001", "image 002", "image 003")
    assert any(note.startswith("1 image with an empty mask left out") for note in cases.notes)
    assert any(note.startswith("hidden, left alone") for note in cases.notes)
    assert "Mustermann" not in repr((cases.names, cases.notes, cases.source, cases.readings))
    found = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert found and not any(b"Mustermann" in path.read_bytes() or "Mustermann" in path.name for path in found)
    kept = load_cases(DataConfig(str(tmp_path / "set")), 16, tmp_path / "cache")
    assert "Mustermann" in repr(kept.names) and "Mustermann" in repr(kept.notes)


def test_no_name_of_a_folder_is_left_as_a_class(tmp_path: Path) -> None:
    """Folders of one image each are taken for classes, and may be persons'; one mask is empty, which a note says."""
    for number, person in enumerate(("Mustermann", "Musterfrau", "Roe")):
        (tmp_path / "set" / person).mkdir(parents=True)
        mask = np.zeros((20, 20), np.uint8)
        mask[5:12, 4:15] = 255 * (number != 2)
        Image.fromarray(np.roll(np.eye(20, dtype=np.uint8) * 200, 3 * number, 1)).save(
            tmp_path / "set" / person / "us.png"
        )
        Image.fromarray(mask).save(tmp_path / "set" / person / "lesion.png")
    cases = load_cases(DataConfig(str(tmp_path / "set"), names="hide"), 16, tmp_path / "cache")
    assert cases.labels == ("class 001", "class 002")
    assert any(note.startswith("1 class 003 image with an empty mask") for note in cases.notes)
    assert not any(word in repr((cases.names, cases.labels, cases.notes)) for word in ("Muster", "Roe"))
