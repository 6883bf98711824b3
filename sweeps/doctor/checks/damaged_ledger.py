"""Damaged files of the ledger. A worker takes each for missing, so removing it changes no number."""

from __future__ import annotations

from collections.abc import Callable

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from trainer.training.ledger_damage import damaged_files, entries

KIND = "damaged file"
COST = {
    ".npz": "remove it: that fold is trained again where it is still wanted",
    ".weights": "remove it: the scores stay, the weights are trained again where they are wanted",
    "state.npz": "remove it: a larger epoch count is trained from the beginning",
    "failed.json": "remove it: that training fails once more, and says why",
}

Step = Callable[[int, int], object]


def damaged_ledger(look: Look, step: Step) -> list[Finding]:
    """One finding for each damaged file; `step(done, total)` is called for each training that was read."""
    folders, findings = entries(look.home.ledger), list[Finding]()
    for done, folder in enumerate(folders, 1):
        for path in damaged_files(folder):
            remedy = COST.get(path.name) or COST[path.suffix]
            findings.append(Finding(KIND, str(path), "cannot be read as the ledger wrote it", remedy, path.unlink))
        step(done, len(folders))
    return findings
