"""What a home takes on disk, by kind: everything once."""

from __future__ import annotations

import os
from pathlib import Path

from sweeps.doctor.disk_use import disk_use, written
from sweeps.environment.home import Home

SIZES = {
    "mlflow.db": ("databases", 7),
    "ledger/ab/abcd/00012.npz": ("ledger: results, with weights that stay", 5),
    "ledger/ab/abcd/state.npz": ("ledger: states", 3),
    "ledger-1/ab/abcd/00012.npz": ("put aside: ledger-1", 2),
    "artifacts/demo/0123/artifacts/checkpoints/fold_1.npz": ("MLflow: weights of trials", 90),
    "artifacts/demo/0123/artifacts/scores.json": ("MLflow: scores, predictions and other files", 11),
    "artifacts/demo/models/m-01/artifacts/model.keras": ("MLflow: registered networks", 13),
    "spool/demo/abc/0000000001.zip": ("records not delivered yet", 17),
}


def test_each_file_is_of_one_kind_and_counts_once(tmp_path: Path) -> None:
    for name, (_, size) in SIZES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    os.link(
        tmp_path / "artifacts/demo/0123/artifacts/checkpoints/fold_1.npz", tmp_path / "ledger/ab/abcd/00012.weights"
    )
    uses = disk_use(Home(tmp_path))
    assert {use.kind: use.bytes for use in uses} == dict(SIZES.values()) | {"ledger: weights shared with MLflow": 0}
    assert [use.bytes for use in uses] == sorted((use.bytes for use in uses), reverse=True)


def test_sizes_are_written_in_megabytes() -> None:
    assert (written(300_000), written(1_204_500_000)) == ("0.3 MB", "1,204.5 MB")
