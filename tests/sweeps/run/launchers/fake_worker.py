"""A worker that trains nothing: it takes the trials of a study as a real one does, and behaves as its folder says.

    python fake_worker.py FOLDER, whose name is that of the study in its home

Files in the folder: `mistake` or `bug` end it at once; where there is a file `killed`, the first that finds it takes it
away and kills itself in the middle of a trial. It writes the environment that it was given to `environment-PID`, and
the key of every candidate that it scored to `seen`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from sweeps.engines import optuna_queue, optuna_storage
from sweeps.run.messages import Error, Ready, TrialFinished, to_line
from sweeps.strategies.history import Claim, Scored
from trainer.candidate import Candidate


def main(folder: Path) -> int:
    (folder / f"environment-{os.getpid()}").write_text(json.dumps(dict(os.environ)))
    if (folder / "mistake").exists():
        print(to_line(Error("the disk is full")), flush=True)
        return 2
    if (folder / "bug").exists():
        raise KeyError("typo")

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        for fold in (1, 2):
            time.sleep(0.1)
            claim.report(0.25 * fold, fold)
            try:
                (folder / "killed").unlink()
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        with (folder / "seen").open("a") as file:
            file.write(f"{candidate.key}\n")
        print(to_line(TrialFinished(candidate.name, 0.5)), flush=True)
        return Scored(0.5)

    print(to_line(Ready()), flush=True)
    optuna_storage.HEARTBEAT_SECONDS, optuna_storage.GRACE_SECONDS = 1, 2
    optuna_queue.drain(f"sqlite:///{folder}/home/optuna.db", folder.name, evaluate, 9)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
