"""The probe of single blocks: measured once, kept in the record, no score for what cannot train."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from sweeps.planning.resolve import resolve
from sweeps.run.block_probe import FILE, make_probe
from sweeps.run.messages import Message, Probed
from sweeps.spec.load import load_spec
from sweeps.spec.strategy_names import PROBE_EPOCHS
from trainer.candidate import Candidate
from trainer.errors import TrialFailed

SETS = ["search.space=subsets", "search.max_blocks=2", "search.must_freeze=[1,2,3,4,5,6]", "search.epochs=[2,9]"]
RESOLVED = resolve(load_spec("smoke", sets=SETS), [1] * 9)


class Probes:
    """Stands for the cross-validation: block 8 cannot train; the others score their own number."""

    def __init__(self) -> None:
        self.trained: list[Candidate] = []
        self.trainer = SimpleNamespace(fold_results=self.fold_results)
        self.ledger = SimpleNamespace(entry=lambda key: key)

    def folds(self, candidate: Candidate) -> list[str]:
        return ["first", "second"]

    def key(self, candidate: Candidate, fold: str) -> str:
        assert fold == "first"
        return candidate.mask

    def fold_results(self, candidate: Candidate, fold: str, budgets: Any, entry: str) -> Iterator[Any]:
        self.trained.append(candidate)
        if candidate.mask == "8":
            raise TrialFailed("dead block")
        yield SimpleNamespace(mean=lambda metric: int(candidate.mask) / 10)


def test_each_varied_block_is_trained_once_and_read_back_afterwards() -> None:
    kept: dict[str, bytes] = {}
    tracker = SimpleNamespace(
        read_file=lambda run, name: kept.get(name), log_bytes=lambda run, name, content: kept.update({name: content})
    )
    sweep: Any = SimpleNamespace(tracker=tracker, plan=SimpleNamespace(sweep_run="run"), resolved=RESOLVED)
    probes: Any = Probes()
    messages: list[Message] = []
    probe = make_probe(sweep, probes, messages.append)
    assert probe() == {7: 0.7, 8: 0.0, 9: 0.9} == probe()
    assert [(candidate.mask, candidate.epochs, candidate.train) for candidate in probes.trained] == [
        (block, PROBE_EPOCHS, (("schedule", "at-once"),)) for block in "789"
    ]
    assert messages == [Probed(1, 3, 0.7), Probed(2, 3, 0.0), Probed(3, 3, 0.9)]
    assert json.loads(kept[FILE]) == {"7": 0.7, "8": 0.0, "9": 0.9}
