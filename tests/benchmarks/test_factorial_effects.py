"""Effects that were put into a table come out of it, and out of the designs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.factorial_effects import effects as estimate_effects
from tests.benchmarks.factorial_effects import main, read, values

MAINS = np.array([0.08, -0.02, 0.0, 0.03, 0.01, 0.0, 0.05, -0.04, 0.02])


def made(path: Path, zero_shot: float = 0.0) -> Path:
    """A table of 20 images: the effects above, 1×4 of 0.06, and noise far below; `zero_shot` is added to its cell."""
    rng = np.random.default_rng(0)
    bits = np.arange(512)
    coded = 2 * (bits[:, None] >> np.arange(9) & 1) - 1
    score = 0.5 + coded @ MAINS / 2 + coded[:, 0] * coded[:, 3] * 0.06 / 2
    score[0] += zero_shot
    dice = score[None, :, None, None] + rng.normal(0, 0.002, (2, 512, 2, 20))
    fold = np.stack([rng.permutation(20) % 5 for _ in range(2)])
    meta = json.dumps({"budgets": [3, 8], "seeds": [0, 1], "synthetic": True})
    stored = (dice * 10_000).astype(np.uint16)
    stored[0, :, :, 3] = 65_535  # an empty truth, left out
    np.savez(path, dice=stored, fold=fold.astype(np.int8), meta=np.array(meta))
    return path


@pytest.mark.parametrize("cells", [512, 128, 64])
@pytest.mark.parametrize("zero_shot", [0.0, -0.15])
def test_effects_come_out_as_they_were_put_in(tmp_path: Path, cells: int, zero_shot: float) -> None:
    table = read(made(tmp_path / "made.npz", zero_shot), 8)
    estimates = values([estimate_effects(table, 1, cells, apart=bool(zero_shot))])
    assert [estimates[block,] for block in range(1, 10)] == pytest.approx(MAINS, abs=1e-3)
    assert estimates[1, 4] == pytest.approx(0.06, abs=1e-3)
    assert estimates[2, 3] == pytest.approx(0, abs=1e-3)


def test_a_low_zero_shot_cell_shifts_every_effect_of_a_small_design(tmp_path: Path) -> None:
    table = read(made(tmp_path / "made.npz", -0.15), 8)
    shift = 2 / 64 * 0.15
    assert values([estimate_effects(table, 0, 64)])[2,] - MAINS[1] == pytest.approx(shift, abs=1e-3)


def test_the_comparison_is_printed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(made(tmp_path / "made.npz")), "--out", str(tmp_path / "effects.svg")])
    output = capsys.readouterr().out
    assert output.startswith("SYNTHETIC DATA. 8 epochs, seeds [0, 1]") and "64 cells cannot tell apart: " in output
    assert "SYNTHETIC DATA" in (tmp_path / "effects.svg").read_text()
