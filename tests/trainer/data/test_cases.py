from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.config import DataConfig
from trainer.data import cases
from trainer.data.cases import Cases, load_cases
from trainer.errors import UserError

SIZE = 16


def write_case(root: Path, label: str, number: int, *, marked: bool = True, side: int = 48) -> None:
    """One image of its own noise, with a square as its mask, in BUSI's names."""
    folder = root / label
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([*label.encode(), number])
    blotches = Image.fromarray(rng.integers(0, 255, (6, 6), np.uint8)).resize((48, 48), Image.Resampling.BICUBIC)
    blotches.save(folder / f"{label} ({number}).png")
    mask = np.zeros((side, side), np.uint8)
    mask[side // 4 : side // 2, side // 4 : side // 2] = 255 * marked
    Image.fromarray(mask).save(folder / f"{label} ({number})_mask.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """8 benign, 4 malignant and 3 normal cases; the normal ones have empty masks."""
    root = tmp_path / "set"
    for label, number in (("benign", 8), ("malignant", 4), ("normal", 3)):
        for case in range(1, number + 1):
            write_case(root, label, case, marked=label != "normal")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def load(folder: Path, cache: Path, **config: object) -> Cases:
    return load_cases(DataConfig(str(folder), **config), SIZE, cache)  # type: ignore[arg-type]


def test_cases_are_what_the_folder_holds(folder: Path, cache: Path) -> None:
    cases = load(folder, cache)
    assert cases.images.shape == cases.masks.shape == (12, SIZE, SIZE)
    assert [cases.images.dtype, cases.masks.dtype] == [np.dtype(np.float32), np.dtype(np.uint8)]
    assert 0 <= cases.images.min() < cases.images.max() <= 1
    assert Counter(cases.labels) == {"benign": 8, "malignant": 4}
    assert cases.names[:2] == ("benign/benign (1)", "benign/benign (2)")
    np.testing.assert_array_equal(cases.masks.mean(axis=(1, 2)), 1 / 16)
    assert (len(cases), cases.group_count, cases.duplicates, cases.empty_masks) == (12, 12, 0, 0)
    assert (cases.layout, cases.source, cases.synthetic) == ("BUSI", "set", False)


def test_empty_masks_are_left_out_and_said_so_or_kept_as_asked(folder: Path, cache: Path) -> None:
    left_out, kept = load(folder, cache), load(folder, cache, keep_empty=True)
    assert "3 normal images with an empty mask left out; keep them with --set data.keep_empty=true" in left_out.notes[0]
    assert (len(kept), kept.empty_masks) == (15, 3)
    assert "3 normal images with an empty mask kept as asked" in kept.notes[0]


def test_only_empty_masks_are_refused(tmp_path: Path, cache: Path) -> None:
    write_case(tmp_path / "set", "normal", 1, marked=False)
    for keep_empty in (False, True):
        with pytest.raises(UserError, match=r"only empty masks \(1 images at 16x16 .*of one value, in the object"):
            load(tmp_path / "set", cache, keep_empty=keep_empty)
    assert not list(cache.glob("*/about.json"))


def test_a_draw_is_seeded_stratified_and_said_so(folder: Path, cache: Path) -> None:
    cases = load(folder, cache, images=6, seed=3)
    assert Counter(cases.labels) == {"benign": 4, "malignant": 2}
    assert any(
        note.startswith("6 of 12 cases drawn (seed 3, stratified by class: benign 4, malignant 2)")
        for note in cases.notes
    )
    assert cases.names == load(folder, cache, images=6, seed=3).names
    assert any(cases.names != load(folder, cache, images=6, seed=seed).names for seed in range(3))
    assert len(load(folder, cache, images=500)) == 12


def test_the_second_start_opens_no_picture(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder, cache)
    for name in ("read_spaced", "scan"):
        monkeypatch.setattr(cases, name, None)
    monkeypatch.setattr(Path, "read_bytes", None)
    second = load(folder, cache)
    assert isinstance(second.images, np.memmap)
    np.testing.assert_array_equal(first.images, second.images)
    assert (first.digest, first.notes, first.names) == (second.digest, second.notes, second.names)


def test_another_time_with_the_same_bytes_is_still_the_same_entry(folder: Path, cache: Path) -> None:
    load(folder, cache)
    entries = {path.parent for path in cache.glob("*/about.json")}
    os.utime(folder / "benign" / "benign (1).png", ns=(1, 1))
    load(folder, cache)
    assert {path.parent for path in cache.glob("*/about.json")} == entries


def test_other_sizes_are_other_entries(folder: Path, cache: Path) -> None:
    for size in (16, 24, 16):
        assert load_cases(DataConfig(str(folder)), size, cache).images.shape == (12, size, size)


def test_other_pixels_are_other_cases(folder: Path, cache: Path) -> None:
    before = load(folder, cache)
    write_case(folder, "malignant", 9)
    (folder / "malignant" / "malignant (9).png").rename(folder / "malignant" / "malignant (1).png")
    (folder / "malignant" / "malignant (9)_mask.png").unlink()
    after = load(folder, cache)
    assert before.names == after.names
    assert before.digest != after.digest


def test_copies_of_a_picture_share_a_group(folder: Path, cache: Path) -> None:
    pixels = (folder / "benign" / "benign (1).png").read_bytes()
    (folder / "malignant" / "malignant (2).png").write_bytes(pixels)
    cases = load(folder, cache)
    group = dict(zip(cases.names, cases.groups, strict=True))
    assert group["benign/benign (1)"] == group["malignant/malignant (2)"]
    assert (cases.duplicates, cases.group_count) == (2, 11)
    alone = load_cases(DataConfig(str(folder)), SIZE, cache, grouped=False)
    assert alone.group_count == 12


def test_masks_of_another_size_are_told(folder: Path, cache: Path) -> None:
    write_case(folder, "benign", 1, side=96)
    cases = load(folder, cache)
    assert any(
        "1 benign image with a mask of another size: resized by nearest neighbour" in note for note in cases.notes
    )
    np.testing.assert_array_equal(cases.masks[0], cases.masks[1])


def test_a_bad_file_stops_everything_and_leaves_no_entry(folder: Path, cache: Path) -> None:
    (folder / "benign" / "benign (3).png").write_text("not a picture")
    with pytest.raises(UserError, match=r"benign \(3\)\.png does not"):
        load(folder, cache)
    assert not list(cache.glob("*/about.json"))


def test_progress_reaches_its_total_and_is_silent_when_cached(folder: Path, cache: Path) -> None:
    told: list[tuple[int, int]] = []
    for _ in range(2):
        load_cases(DataConfig(str(folder)), SIZE, cache, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == list(range(1, 15 + 12 + 1))
    assert told[-1] == (27, 27)


def test_phantoms_are_the_default_and_called_synthetic(cache: Path) -> None:
    cases = load_cases(DataConfig(images=6, seed=2), 32, cache)
    assert (len(cases), cases.synthetic, cases.layout) == (6, True, "embedded")
    assert cases.source == "6 synthetic ultrasound phantoms (seed 2)"
    assert (cases.group_count, cases.empty_masks) == (6, 0)
    assert cases.digest == load_cases(DataConfig(images=6, seed=2), 32, cache).digest
    assert cases.digest != load_cases(DataConfig(images=6, seed=3), 32, cache).digest


def test_x_ray_phantoms_are_chests_and_say_so(cache: Path) -> None:
    cases = load_cases(DataConfig(modality="xray", images=3), 32, cache)
    assert (cases.synthetic, cases.source) == (True, "3 synthetic chest X-ray phantoms (seed 0)")
    assert cases.notes == ("synthetic data: it tries the tool out and carries no claim about chest X-ray images",)
    assert cases.digest != load_cases(DataConfig(images=3), 32, cache).digest


def test_a_modality_without_phantoms_is_refused(cache: Path) -> None:
    with pytest.raises(UserError, match="modality 'ultrasound' and 'xray' only, but got 'sonar'"):
        load_cases(DataConfig(modality="sonar"), 32, cache)
