"""Time is put down to the right kind: by the deepest frame that the table knows, imports and tracing before all."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import pytest

from tests.benchmarks.yardstick.kind_table import Times, times_text
from tests.benchmarks.yardstick.profiles import ROOT
from tests.benchmarks.yardstick.time_by_kind import (
    IMPORTS,
    NEURON_TRACING,
    OTHER,
    OUR_PACKAGES,
    TABLE,
    TRACED_CALL,
    TRACING,
    Sampler,
    kind_of,
)

TENSORFLOW = "tensorflow.python.eager.polymorphic_function.tracing_compilation", "_create_concrete_function"
EPOCH = "trainer.training.fit", "Trainer._epoch"
RECORD = "tracking.store.writer", "Tracker.log_fold"
Place = tuple[str, str]


def stack(*places: Place) -> FrameType:
    """A stack of frames in these modules and functions, the deepest last."""
    inner: Callable[[], FrameType] = sys._getframe
    for number, (module, name) in enumerate(reversed(places)):
        source = f"def f():\n    return inner({0 if not number else ''})"
        scope: dict[str, object] = {"__name__": module, "inner": inner}
        exec(source, scope)
        made = scope["f"]
        made.__code__ = made.__code__.replace(co_name=name, co_qualname=name)  # type: ignore[attr-defined]
        inner = made  # type: ignore[assignment]
    return inner()


@pytest.mark.parametrize(
    ("places", "kind"),
    [
        ([EPOCH], "training steps"),
        ([EPOCH, ("keras.src.trainers", "Trainer.fit")], "training steps"),
        ([("sweeps.engines.optuna_queue", "drain"), ("sweeps.run.objective", "_score")], OTHER),
        ([("sweeps.run.objective", "_train"), RECORD, ("sqlalchemy.engine", "execute")], "recording"),
        ([EPOCH, TRACED_CALL, TENSORFLOW, ("trainer.network.blocks", "fingerprints")], TRACING),
        ([("trainer.neurons.maximise", "Artist.draw"), TRACED_CALL, TENSORFLOW], NEURON_TRACING),
        ([EPOCH, ("importlib._bootstrap", "_find_and_load"), RECORD], IMPORTS),
        ([("somewhere.else", "f")], OTHER),
        ([("trainer.training.fitting", "Trainer._epoch")], OTHER),
    ],
)
def test_the_kind_of_a_stack(places: list[Place], kind: str) -> None:
    assert Sampler(0).kind(stack(*places)) == kind


def test_a_call_that_traced_is_tracing_to_its_end_and_the_next_one_is_not() -> None:
    def call_stack(sampler: Sampler, deeper: bool) -> str:
        call = stack(EPOCH, TRACED_CALL)
        first = sampler.kind(stack(EPOCH, TRACED_CALL, TENSORFLOW))
        assert first == TRACING
        sampler._tracing = call if deeper else sampler._tracing
        return sampler.kind(call)

    assert call_stack(Sampler(0), deeper=True) == TRACING
    assert call_stack(Sampler(0), deeper=False) == "training steps"


def test_every_entry_can_be_reached() -> None:
    assert [entry for entry in TABLE if kind_of(entry[1], entry[2]) != entry[0]] == []


def test_the_functions_of_the_table_are_there() -> None:
    """One that was renamed would be timed as something else without a word."""
    for _, module, function in TABLE:
        path = ROOT.joinpath(*module.split("."))
        if function and module.startswith(OUR_PACKAGES):
            source = path.with_suffix(".py").read_text()
            assert re.search(rf"def {re.escape(function.rpartition('.')[2])}", source), (module, function)
        elif module.startswith(OUR_PACKAGES):
            assert path.is_dir() or path.with_suffix(".py").exists(), module


def test_a_watched_thread_is_timed() -> None:
    sampler, ended = Sampler(threading.get_ident()), threading.Event()
    thread = threading.Thread(target=sampler.follow, args=(ended,))
    thread.start()
    time.sleep(0.1)
    ended.set()
    thread.join()
    assert sampler.wall.keys() == {OTHER} == sampler.processor.keys()
    assert sum(sampler.others.values()) == pytest.approx(sampler.wall[OTHER])


def test_shares_leave_out_what_the_launcher_waits() -> None:
    times = Times(2, {"waiting": 90.0, IMPORTS: 10.0}, {"waiting": 5.0, IMPORTS: 35.0}, {IMPORTS: 40.0}, {})
    shares = {line.split()[0]: line.split()[3] for line in times_text(times).splitlines()[1:]}
    assert shares == {"waiting": "10.0%", IMPORTS: "90.0%", "all": "100.0%"}
