"""Errors that were put into a table come out of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.disjoint_sets import NONE, SCALE, VARIANTS
from tests.benchmarks.shared_error import Contrasts, extra, false_positives, main, measure, read

FOLDS, PER_FOLD, SETS = 5, 6, 400
SDS = {"image": 0.03, "fold": 0.02, "shared": 0.012}  # of a difference of two masks, in the mean of a fold


def made(path: Path, split: float = 1.0) -> Path:
    """Two masks on `SETS` sets and, as every variant, on the first 100; `split`: the part of the shared error that
    another variant draws anew.
    """
    rng = np.random.default_rng(0)
    image, fold, shared = (sd / math.sqrt(2) for sd in SDS.values())
    keys = [(variant, part) for variant in range(len(VARIANTS)) for part in range(100 if variant else SETS)]
    stays = rng.normal(0, shared * math.sqrt(1 - split), (SETS, 2, 1, 1, 1))
    own = np.array([stays[part] for _, part in keys]) + rng.normal(
        0, shared * math.sqrt(split), (len(keys), 2, 1, 1, 1)
    )
    of_fold = rng.normal(0, fold, (len(keys), 2, 1, FOLDS, 1))
    of_image = rng.normal(0, image * math.sqrt(PER_FOLD), (len(keys), 2, 1, FOLDS, PER_FOLD))
    dice = (0.5 + own + of_fold + of_image).reshape(len(keys), 2, 1, FOLDS * PER_FOLD)
    missing = np.full((len(keys), 2, 1, 1), NONE)  # of a set with fewer images than the largest
    fold_of = np.tile([*np.repeat(np.arange(FOLDS), PER_FOLD), -1], (len(keys), 1))
    model = {"size": 32, "filters": 4}
    meta = {"masks": ["1-5", "6-9"], "budgets": [8], "sets": SETS, "synthetic": True, "settings": {"model": model}}
    np.savez(
        path,
        dice=np.concatenate([np.round(dice * SCALE), missing], axis=3).astype(np.uint16),
        fold=fold_of.astype(np.int8),
        part=np.array([part for _, part in keys], np.int16),
        variant=np.array([variant for variant, _ in keys], np.int8),
        meta=np.array(json.dumps(meta)),
    )
    return path


def first(path: Path) -> Contrasts:
    return read(path)[1][0]


def test_errors_come_out_as_they_were_put_in(tmp_path: Path) -> None:
    found = measure(first(made(tmp_path / "made.npz")))
    assert [found.image, found.fold, found.shared] == pytest.approx([*SDS.values()], rel=0.1)
    assert found.c == pytest.approx(SDS["shared"] ** 2 / (SDS["image"] ** 2 + SDS["fold"] ** 2), abs=0.04)
    assert found.low < found.c < found.high < found.low + 0.12
    assert found.sets == SETS and found.seed == pytest.approx(1, abs=0.25)


def test_what_another_split_does_not_change_is_no_part_of_its_variance(tmp_path: Path) -> None:
    found = measure(first(made(tmp_path / "made.npz", split=0.0)))
    assert found.split == pytest.approx(1 - found.shared**2 / found.mean_sd**2, abs=0.2)


@pytest.mark.parametrize(("shared", "rate"), [(0.0, 0.014), (0.5, 0.05), (1.0, 0.164)])
def test_the_rate_is_that_of_the_corrected_test(shared: float, rate: float) -> None:
    """Nadeau and Bengio's 0.25 is a shared error of half the SD over folds; the rates are those of t with 4 degrees."""
    rng = np.random.default_rng(1)
    folds = rng.normal(0, 1, (1, 4000, FOLDS)) + rng.normal(0, shared, (1, 4000, 1))
    assert extra(folds) == pytest.approx(shared**2, abs=0.08)
    assert false_positives(folds) == pytest.approx(rate, abs=0.01)


def test_the_table_is_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept.json"
    main([str(made(tmp_path / "made.npz")), "--out", str(kept)])
    assert "SYNTHETIC DATA, 400 sets of about 30 images" in capsys.readouterr().out
    ((title, (measured, _)),) = json.loads(kept.read_text()).items()
    assert title.startswith("made.npz") and measured["name"] == "1-5 - 6-9" and measured["sets"] == SETS
