"""Candidates, differences and rankings made up by hand, and the answer of a record that must have one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tracking.analysis.contrasts import Difference
from tracking.analysis.seeds import read
from tracking.best_mask.answer import BestMask, best_mask
from tracking.best_mask.candidates import CandidateAt, Setting
from tracking.best_mask.pareto import Pareto
from tracking.best_mask.ranking import CheapestChoice, Compared, Corrected, Ranking
from tracking.best_mask.references import Against
from tracking.record import SweepRecord
from trainer.masks import parse

SETTING = Setting(epochs=12, learning_rate=1e-3, train={})
TWO_SETTINGS = (SETTING, replace(SETTING, epochs=6))


def answer(record: SweepRecord) -> BestMask:
    """The answer of a record that has one."""
    found = best_mask(read(record))
    assert found is not None
    return found


def candidate(mask: str, dice: float, params: int, **more: Any) -> CandidateAt:
    """A mask of nine blocks with a Dice and a price; all blocks have 1,000 parameters."""
    plain = {"aliases": (), "blocks": parse(mask, 9).blocks, "epochs": 12, "learning_rate": 1e-3, "train": {}}
    given = {"mask": mask, "trainable_params": params, "share": params / 1000, "seconds": 1.0, "dice": dice}
    return CandidateAt(**{**plain, **given, **more})


def compared(mask: str, dice: float, params: int, *, tied: bool = True) -> Compared:
    """The same beside a best of 0.81."""
    plain = vars(candidate(mask, dice, params))
    low = -0.01 if tied else 0.05
    return Compared(**plain, behind=0.81 - dice, low=low, high=0.1, tied=tied, p_adjusted=0.5, chosen=0.2, noise=None)


def difference(mean: float, low: float = math.nan, high: float = math.nan, note: str = "") -> Difference:
    """A difference with its interval and nothing else."""
    names = ("sd", "se", "t", "p", "p_above", "p_within", "p_below", "threshold", "detectable")
    nothing: dict[str, Any] = dict.fromkeys(names, 0.0)
    return Difference(mean=mean, low=low, high=high, df=4, note=note, **nothing)


def against(name: str, mean: float, low: float, high: float, dice: float = 0.7, note: str = "") -> Against:
    """The winner minus a reference."""
    given = vars(difference(mean, low, high, note))
    return Against(**given, name=name, candidate=candidate("6-9", dice, 390), apparent=mean)


def ranking(**more: Any) -> Ranking:
    """41 masks; the best is 1-5, and four cheaper ones tie with it."""
    cheaper = [compared(mask, 0.79, params) for mask, params in (("1-3", 50), ("3", 60), ("2", 70), ("1-4", 80))]
    others = (compared("1-5", 0.81, 600), compared("6-9", 0.72, 390, tied=False))
    plain = Ranking(
        sweep="demo",
        synthetic=False,
        masks=41,
        candidates=41,
        dropped=0,
        failed=0,
        unfinished=0,
        settings=(SETTING,),
        best=candidate("1-5", 0.81, 600),
        corrected=Corrected(0.81, 0.80, 0.01, 0.78, 0.83, 30, 2000),
        against=(against("expanding", 0.08, 0.02, 0.14), against("all", 0.01, -0.03, 0.05)),
        compared=(*cheaper, *others),
        one_standard_error=CheapestChoice(**vars(candidate("1-3", 0.79, 50)), floor=0.785),
        pareto=Pareto((), ()),
    )
    return replace(plain, **more)
