"""A whole sweep over starts and masks, as a user runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.commands.restore_trial import restore_trial
from tests.small import SMALL_OPTIONS
from tests.sweeps.whole import report, tracker, trained
from trainer.network.weights import weights_digest

STARTS = 'search.starts={photos="composites", sim="phantoms", random-frozen="random-frozen"}'
SWEEP = ["run", "smoke", "--name", "s", "--workers", "1", *SMALL_OPTIONS, "--set", "search.epochs=[1]", "--set", STARTS]
LIST = [*SWEEP, "--set", "search.masks=['1-5','all']", "--set", "pretrain.images=16"]


@pytest.mark.slow
def test_starts_and_masks_from_beginning_to_end(thaw: Callable[..., object], tmp_path: Path) -> None:
    said = thaw(*LIST, "--home", tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr  # type: ignore[attr-defined]
    table = report(tmp_path)
    starts = table["best_mask"]["starts"]
    assert [row["name"] for row in starts["rows"]] == ["photos", "sim", "random-frozen"]
    assert starts["masks"] == ["1-5", "all"] and [row["name"] for row in starts["starts"]] == ["sim"]
    assert [row["name"] for row in starts["fresh"]] == ["random-frozen"]
    restored = restore_trial(tracker(tmp_path), None, None)
    restored.network.set_weights(restored.before)
    digest, bases = weights_digest(restored.network), [restored.info.weights, *restored.info.starts.values()]
    assert "random" in restored.trial or digest in {base["digest"] for base in bases}

    before = trained(tmp_path)
    grown = thaw(*LIST, "--home", tmp_path, "--set", "search.start_seeds=[0,1]")
    assert grown.returncode == 0, grown.stdout + grown.stderr  # type: ignore[attr-defined]
    assert before.items() <= trained(tmp_path).items(), "what was trained with the first pre-training stays"
    again = report(tmp_path)["best_mask"]["starts"]
    assert again["pretrainings"] == 2 and again["rows"][1]["cells"][0]["noise"]["sd"] > 0
    record = tracker(tmp_path).read_sweep()
    assert set(record.info.starts) == {"sim", "pretrained:1", "sim:1"}
