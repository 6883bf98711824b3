from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweeps.planning.distance_notes import distance_notes
from trainer.config import DataConfig, ScoreConfig
from trainer.data.cases import load_cases

UNKNOWN = [math.nan, math.nan]


@pytest.mark.parametrize(
    ("spacing", "tolerance", "words"),
    [
        (None, None, []),
        (None, 0.5, ["0.5 px, less than the 1 px between"]),
        ([[0.6, 0.6]] * 3, None, []),
        ([[0.6, 0.6], [0.6, 5.5], [0.6, 0.6]], None, ["2 mm, less than the 5.5 mm between two pixels at working size"]),
        ([[0.8, 5.5]] * 3, 6.0, []),
        ([[2.5e-4, 2.5e-4]] * 3, None, ["2 mm, more than a quarter of an image's side (0.008 mm)"]),
        (None, 9.0, ["9 px, more than a quarter"]),
        ([[0.6, 0.6], [0.6, 0.6], UNKNOWN], None, ["known of 2 of 3 images only, so the distances of all are in pix"]),
        ([[0.6, 0.0], [-1.0, 0.6], [0.6, 0.6]], None, ["known of 1 of 3 images only"]),
        ([UNKNOWN] * 3, None, []),
    ],
)
def test_what_to_know(tmp_path: Path, spacing: object, tolerance: float | None, words: list[str]) -> None:
    cases = load_cases(DataConfig(images=3), 32, tmp_path)
    known = replace(cases, spacing=None if spacing is None else np.array(spacing))
    notes = list(distance_notes(known, ScoreConfig(tolerance)))
    assert len(notes) == len(words) and all(part in note for part, note in zip(words, notes, strict=True))
