"""What a process of thaw spends its time on: a thread looks at the main thread's stack every 10 ms.

`kind_table.py` has it imported by Python itself at the start of every process, so that thaw's code is timed as it is.
It imports only the standard library, and nothing of it but `start` and `kind_of` is for others.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType

INTERVAL = 0.01  # seconds
IMPORTING = ("importlib._bootstrap", "_frozen_importlib")  # the second is its name at the very start
TRACED_CALL = ("tensorflow.python.eager.polymorphic_function.polymorphic_function", "Function.__call__")
IMPORTS, TRACING, NEURONS, OTHER = "imports", "tracing, compiling", "neurons", "other"
NEURON_TRACING = "neurons: tracing"
OUR_PACKAGES = ("sweeps", "trainer", "tracking")

# Kind, module, and how the function's qualified name begins. A module stands for all that is in it. The deepest frame
# with an entry decides; of several entries that fit a frame, the first.
TABLE = (
    (TRACING, "tensorflow.python.eager.polymorphic_function.tracing_compilation", "_create_concrete_function"),
    (TRACING, "trainer.training.compiled", "CompiledSteps._compile"),
    ("training steps", "trainer.training.fit", "Trainer._epoch"),
    ("training steps", "trainer.training.pretraining", "_train"),
    ("scoring", "trainer.training.fit", "Trainer._score"),
    ("scoring", "trainer.training.steps.prediction", "predict"),
    ("scoring", "trainer.training.metrics", ""),
    ("scoring", "trainer.training.distances", ""),
    ("proof, reset", "trainer.training.fit", "Trainer._"),
    ("proof, reset", "trainer.training.proof", ""),
    ("proof, reset", "trainer.training.passage", ""),
    ("proof, reset", "trainer.training.changing", ""),
    ("proof, reset", "trainer.network.blocks", "fingerprints"),
    (NEURONS, "sweeps.run.neuron_images", ""),
    (NEURONS, "trainer.neurons", ""),
    ("waiting", "trainer.files", "locked"),
    ("waiting", "sweeps.locks", ""),
    ("waiting", "queue", "Queue.get"),
    ("waiting", "subprocess", "Popen.wait"),
    ("waiting", "threading", "Condition.wait"),
    ("ledger", "trainer.training.ledger", ""),
    ("kept weights", "sweeps.run.kept_weights", ""),
    ("kept weights", "sweeps.run.holdings", ""),
    ("kept weights", "sweeps.commands.settle_weights", ""),
    ("recording", "tracking.store", ""),
    ("recording", "tracking.recording", ""),
    ("recording", "tracking.image_archive", ""),
    ("figures", "tracking.figures", ""),
    ("recording", "sweeps.planning.artifacts", ""),
    ("recording", "mlflow", ""),
    ("study", "optuna", ""),
    ("study", "sweeps.engines", ""),
    ("images", "trainer.data", ""),
    ("images", "trainer.phantoms", ""),
    ("building networks", "trainer.network", ""),
    ("report", "sweeps.commands.finish", "show"),
    ("report", "tracking", ""),
    ("champion", "sweeps.commands.champion", ""),
    (OTHER, "sweeps.run.objective", ""),  # called by the study
)


def kind_of(module: str, function: str) -> str | None:
    """The kind of a frame's time by its module and the qualified name of its function; None: the table has no entry.

    >>> kind_of("trainer.training.fit", "Trainer._epoch"), kind_of("trainer.neurons.maximise", "Artist.draw")
    ('training steps', 'neurons')
    """
    if module.startswith(IMPORTING):
        return IMPORTS
    for kind, place, name in TABLE:
        if (module == place or module.startswith(f"{place}.")) and function.startswith(name):
            return kind
    return None


class Sampler:
    """Adds up seconds, of wall and of processor, by kind; what is `other`, also by the deepest function of thaw's."""

    def __init__(self, thread: int) -> None:
        """`thread`: the identity of the one to watch."""
        self.wall: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)
        self.others: dict[str, float] = defaultdict(float)
        self._thread = thread
        self._kinds: dict[CodeType, str | None] = {}
        self._tracing: FrameType | None = None

    def follow(self, ended: threading.Event) -> None:
        """Look until it has ended."""
        wall, processor = time.perf_counter(), time.process_time()
        while not ended.is_set():
            time.sleep(INTERVAL)
            frame = sys._current_frames().get(self._thread)
            now, used = time.perf_counter(), time.process_time()
            kind = self.kind(frame)
            self.wall[kind] += now - wall
            self.processor[kind] += used - processor
            if kind == OTHER:
                self.others[_ours(frame)] += now - wall
            wall, processor = now, used
            del frame

    def kind(self, frame: FrameType | None) -> str:
        """The kind of the time that is spent under a stack, `frame` the deepest.

        Inside an import everything is import, and inside a tracing everything is tracing. The call that traces a
        function counts as tracing to its end: TensorFlow then optimises the graph, makes its kernels, and runs it once.
        """
        kinds: list[str] = []
        call, traces = None, False
        while frame is not None:
            own = self._own_kind(frame)
            if own == TRACED_CALL[1]:
                call, traces = frame, traces or frame is self._tracing
            elif own is not None:
                kinds.append(own)
            frame = frame.f_back
        traces = traces or TRACING in kinds
        self._tracing = call if traces else None
        if IMPORTS in kinds:
            return IMPORTS
        if traces:
            return NEURON_TRACING if NEURONS in kinds else TRACING
        return kinds[0] if kinds else OTHER

    def _own_kind(self, frame: FrameType) -> str | None:
        code = frame.f_code
        if code not in self._kinds:
            module = str(frame.f_globals.get("__name__"))
            is_call = (module, code.co_qualname) == TRACED_CALL
            self._kinds[code] = TRACED_CALL[1] if is_call else kind_of(_by_command(module), code.co_qualname)
        return self._kinds[code]


def _by_command(module: str) -> str:
    """The name of a module, also of the one that was started by `python -m`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return str(spec.name) if module == "__main__" and spec is not None else module


def _ours(frame: FrameType | None) -> str:
    """The deepest function of thaw's in a stack."""
    while frame is not None:
        module = _by_command(str(frame.f_globals.get("__name__")))
        if module.split(".")[0] in OUR_PACKAGES:
            return f"{module}:{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "outside of thaw"


def start(folder: Path) -> None:
    """Watch this process from now on; at its end write `folder/PID.json`."""
    sampler, ended = Sampler(threading.get_ident()), threading.Event()
    thread = threading.Thread(target=sampler.follow, args=(ended,), daemon=True)
    began = time.perf_counter()

    def write() -> None:
        ended.set()
        thread.join()
        table = {"command": sys.orig_argv[1:], "seconds": time.perf_counter() - began, "wall": sampler.wall}
        table |= {"processor": sampler.processor, "others": sampler.others}
        (folder / f"{os.getpid()}.json").write_text(json.dumps(table))

    atexit.register(write)  # the first one registered is the last to run
    thread.start()
