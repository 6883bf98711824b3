"""One sweep, one arithmetic: who goes on with a sweep must compute as those did who began it.

Compared is what the numbers of a fold follow from besides its settings. Of thaw that is the version of its arithmetic
for trainings (`trainer.arithmetic`), not that of the package, which also counts every reworded line; pre-training,
phantoms and reading show in the digests of weights and images. Python is recorded and not compared: it adds up nothing
here. Processors of different kinds may work on one sweep; each fold says which it was (`FoldResult.processor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trainer.errors import UserError

if TYPE_CHECKING:
    from tracking.record import SweepInfo

# What is compared -> its name in a sentence. Of a backend, the version too, under the backend's own name.
WORDS = {
    "thaw": "the version of thaw's arithmetic",
    "keras": "Keras",
    "backend": "Keras's backend",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "kernels": "the switch of oneDNN's kernels (TF_ENABLE_ONEDNN_OPTS)",
    "machine": "the architecture of the processor",
    "precision": "the precision",
    "device": "the device",
}


def beside_versions() -> dict[str, str]:
    """What belongs to the arithmetic of this process besides `versions`; asks the backend, which must be prepared."""
    from trainer import arithmetic
    from trainer.training.device import device

    here = device()
    return {"thaw": str(arithmetic.TRAINING), "precision": here.precision, "device": here.kind}


def arithmetic_here() -> dict[str, str]:
    """The whole arithmetic of this process."""
    from trainer.training.versions import versions

    return versions() | beside_versions()


def arithmetic_of(info: SweepInfo) -> dict[str, str]:
    """The arithmetic of a recorded sweep, without what was not recorded in its day."""
    return {**info.versions, **info.arithmetic}


def check_arithmetic(info: SweepInfo, recorded: SweepInfo | None) -> None:
    """Raise `UserError` where a sweep that is to go on was begun with another arithmetic; what was not recorded in its
    day is not compared.
    """
    if recorded is not None:
        check_same(info.name, arithmetic_of(recorded), arithmetic_of(info))


def differences(recorded: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """One sentence for each part that both know and that differs.

    >>> differences({"keras": "3.15.1", "python": "3.11"}, {"keras": "3.16.0", "python": "3.12", "device": "cpu"})
    ['Keras is 3.15.1 in the sweep and 3.16.0 here.']
    """
    return [
        f"{words[0].upper()}{words[1:]} is {recorded[part]} in the sweep and {here[part]} here."
        for part, words in WORDS.items()
        if part in recorded and part in here and recorded[part] != here[part]
    ]


def check_same(name: str, recorded: Mapping[str, str], here: Mapping[str, str]) -> None:
    """Raise `UserError` unless this process computes as the sweep `name` does."""
    if found := differences(recorded, here):
        raise UserError(
            f"All folds of a sweep are computed in one way, but '{name}' was begun in another. {' '.join(found)} "
            "Go on with it where these are the same, or choose another --name: nothing of it is lost."
        )
