"""What is run: the yardstick's profiles, each a spec of thaw with some values changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
BUSI = ROOT.parent / "shared" / "data" / "busi"  # real images, not part of the project: its licence is not clear enough


@dataclass(frozen=True)
class Profile:
    """A spec with the values that `--set` changes; `data`: the folder of its images, where it is there.

    `rounds`: how often every contender runs by default.
    """

    name: str
    sets: tuple[str, ...]
    data: Path | None = None
    rounds: int = 1
    spec: str = "ultrasound"

    @property
    def folder(self) -> Path | None:
        """The images; None for the embedded phantoms, also where the folder is missing."""
        return self.data if self.data is not None and self.data.is_dir() else None

    @property
    def images(self) -> str:
        """Which images, in words."""
        if self.folder is not None:
            return f"images of {self.folder.name.upper()}"
        missing = (
            "" if self.data is None else f" (there is no folder {self.data.name} of shared data beside the project)"
        )
        return f"embedded phantoms{missing}"

    def thaw(self, weights: Path, home: Path, workers: int) -> list[str]:
        """The arguments of `thaw run`, starting from given weights, in a home of its own."""
        sets = [word for setting in self.sets for word in ("--set", setting)]
        data = ["--data", str(self.folder)] if self.folder else []
        places = ["--pretrain", str(weights), "--home", str(home), "--workers", str(workers)]
        return ["run", self.spec, *data, *sets, *places]


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("busi", ("data.images=60", "augmentation.total=120"), BUSI, rounds=3),
        Profile(
            "quick",
            (
                *("folds=2", "data.images=16", "augmentation.total=0", "model.size=32", "model.filters=4"),
                *("train.batch=4", "pretrain.images=200", "pretrain.epochs=10", "pretrain.batch=8"),
                *("pretrain.learning_rate=5e-3", "search.space=masks", "search.masks=['1-5','6-9','all']"),
                *("search.epochs=[5,10]", "search.learning_rate=[5e-3]"),
            ),
        ),
    )
}
