"""The scanner's physics: what it makes of even tissue is fully developed speckle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.bmode import (
    DEPTH_MM,
    Console,
    beam_width,
    complex_noise,
    depths,
    echo,
    envelope_db,
    gaussian_gain,
    log_compress,
)


@pytest.fixture(scope="module")
def even_tissue() -> np.ndarray:
    return echo(np.random.default_rng(0), np.ones((512, 512)), focus=20.0)


def test_envelope_of_even_tissue_has_the_signal_to_noise_ratio_of_a_rayleigh_law(even_tissue: np.ndarray) -> None:
    envelope = np.abs(even_tissue)
    assert envelope.mean() / envelope.std() == pytest.approx(1.91, abs=0.05)


def test_log_compressed_even_tissue_varies_by_5_57_db(even_tissue: np.ndarray) -> None:
    console = Console(focus=20.0, white=30.0, dynamic_range=120.0)
    grey = log_compress(envelope_db(even_tissue), console)
    assert grey.std() * console.dynamic_range == pytest.approx(5.57, abs=0.2)


def test_speckle_is_as_bright_at_every_depth_though_the_beam_widens(even_tissue: np.ndarray) -> None:
    bands = (np.abs(even_tissue) ** 2).reshape(8, -1).mean(axis=1)
    np.testing.assert_allclose(bands, 1, atol=0.12)


def test_speckle_is_finer_at_the_focus(even_tissue: np.ndarray) -> None:
    far = echo(np.random.default_rng(0), np.ones((512, 512)), focus=80.0)
    similar = [
        np.corrcoef(np.abs(each[:, :-2]).ravel(), np.abs(each[:, 2:]).ravel())[0, 1] for each in (even_tissue, far)
    ]
    assert similar[0] < similar[1]


def test_beam_is_narrowest_at_the_focus() -> None:
    depth = depths(400)
    assert depth[np.argmin(beam_width(depth, 15.0))] == pytest.approx(15, abs=DEPTH_MM / 400)
    assert beam_width(np.array([15.0]), 15.0)[0] == pytest.approx(2.2 * 1.54 / 8.5)


def test_point_spread_has_unit_energy() -> None:
    np.testing.assert_allclose((gaussian_gain(np.array([0.5, 3.0]), 64) ** 2).mean(axis=1), 1)


@pytest.mark.parametrize("level, grey", [(35, 1), (30, 1), (0, 0.5), (-30, 0), (-90, 0)])
def test_grey_scale_runs_from_white_down_over_the_dynamic_range(level: float, grey: float) -> None:
    console = Console(focus=20, white=30, dynamic_range=60)
    assert log_compress(np.array([float(level)]), console)[0] == pytest.approx(grey)


def drawn() -> dict[str, Any]:
    """What every function gives for small, uneven arguments."""
    rng = np.random.default_rng(3)
    uneven = rng.uniform(0.1, 3, (6, 6))
    return {
        "depths": depths(3),
        "beam_width": beam_width(np.array([2.0, 15.0, 31.0]), 15.0),
        "gaussian_gain": gaussian_gain(np.array([0.3, 0.9]), 5),
        "complex_noise": complex_noise(rng, (2, 3)),
        "echo": echo(rng, uneven, 9.0),
        "envelope_db": envelope_db(np.array([0, 3 + 4j, -0.1j])),
        "log_compress": log_compress(np.array([-9.0, 3.0, 20.0]), Console(20, 12.5, 41.0)),
    }


FIXED = {
    "depths": 27.62908184,
    "beam_width": 0.8858199275,
    "gaussian_gain": -0.3963622917,
    "complex_noise": -0.4107524564,
    "echo": 9.157794733,
    "envelope_db": -172.7073079,
    "log_compress": 1.233199555,
}


def test_what_is_drawn_stays_what_it_was() -> None:
    assert {name: trace(one) for name, one in drawn().items()} == pytest.approx(FIXED, rel=1e-6)


def test_depth_and_beam_by_hand() -> None:
    assert depths(4) == pytest.approx([5, 15, 25, 35])
    assert beam_width(np.array([25.0]), 15.0)[0] == pytest.approx(np.hypot(2.2 * 1.54 / 8.5, 0.22))
    assert envelope_db(np.array([0j]))[0] == pytest.approx(-180)
