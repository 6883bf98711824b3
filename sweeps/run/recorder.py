"""Which recorder a worker's trials have: at once where the store is on this machine, else through a spool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sweeps.planning.open_sweep import OpenSweep
from sweeps.run.messages import Message, Notice
from tracking.patience import patience
from tracking.recording.contract import TrialRecorder
from tracking.recording.direct import DirectRecorder
from tracking.recording.spooled import SpooledRecorder
from tracking.store.connection import fail_soon
from trainer.errors import UserError

LEAVING_SECONDS = 3.0  # for the last records of a worker that was told to stop, or stops on an error


@contextmanager
def recorder_of(sweep: OpenSweep, emit: Callable[[Message], None]) -> Iterator[TrialRecorder]:
    """The recorder of a worker. When the block ends, everything is recorded; after an error what can be in seconds.

    Raises `UserError` where MLflow is away for longer than `--patience`; what is not recorded then stays in the spool.
    """
    if sweep.home.artifact_folder is not None:
        yield DirectRecorder(sweep.tracker, sweep.plan.sweep_run)
        return
    fail_soon()
    recorder = SpooledRecorder(
        sweep.tracker,
        sweep.plan.sweep_run,
        sweep.home.spool(sweep.name),
        lambda text: emit(Notice(text)),
        sweep.resolved.search.epochs,
        patience=patience(),
    )
    try:
        yield recorder
    except BaseException:
        with suppress(UserError):
            recorder.close(LEAVING_SECONDS)
        raise
    recorder.close()
