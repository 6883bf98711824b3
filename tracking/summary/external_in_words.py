"""What a report says of external test sets: heads, cells and how to read them."""

from __future__ import annotations

from tracking.analysis.formatting import number
from tracking.summary.external import ExternalTrial
from trainer.candidate import PRETRAINED, SCRATCH

EXTERNAL = "On images from elsewhere"
EXTERNAL_HEADS = ["mask", "epochs", "Dice here", "Dice there", "95 % over groups", "lowest and highest network"]
EXTERNAL_NOTE = (
    "Each image's Dice there is the mean over the networks of all folds. The ranges are bootstraps of the test set's "
    "groups (patients, or near-duplicates), for these networks: another training is not in them. The ceiling of the "
    "rank correlation is what it would be on average if the true orders were equal, by the halves of both sets."
)


def external_cells(trial: ExternalTrial) -> list[str]:
    """A trial as a row."""
    name = trial.mask if trial.role == "trial" else {"scratch": "from scratch"}.get(trial.role, trial.role)
    name += f" from {trial.start}" if trial.start not in (PRETRAINED, SCRATCH) else ""
    name += f" ({', '.join(trial.aliases)})" if trial.aliases and trial.role == "trial" else ""
    there, networks = trial.there, trial.networks
    return [
        *(name, str(trial.epochs), number(trial.here), number(there.value)),
        f"{number(there.low)} to {number(there.high)}",
        f"{number(min(networks))} to {number(max(networks))}",
    ]
