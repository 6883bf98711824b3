"""`thaw folds`: a sweep's folds in the form that others train on, so that their predictions can be compared."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from sweeps.environment.home import Home
from sweeps.environment.streams import write_data
from sweeps.environment.terminal import tell
from tracking.record import SweepInfo
from trainer.data.names.case_names import case_names
from trainer.errors import UserError
from trainer.files import write_atomically

FORMATS = ("json", "csv", "nnunet")


def run(home: Home, sweep: str | None, form: str, out: Path | None) -> None:
    """Print the folds, or write them into a folder; in nnU-Net's form with a table of its names beside them."""
    from tracking.store.writer import Tracker

    if form not in FORMATS:
        raise UserError(f"--format must be one of {', '.join(FORMATS)}, but got '{form}'.")
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    files = fold_files(tracker.read_info(sweep), form)
    if out is None:
        write_data(next(iter(files.values())))
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out must be a folder that is there or can be made: {out} ({error.strerror}).") from error
    for name, text in files.items():
        write_atomically(out / name, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
    tell(f"Written: {', '.join(str(out / name) for name in files)}")


def fold_files(info: SweepInfo, form: str) -> dict[str, str]:
    """file -> text. `fold` counts from 1 in all but nnU-Net's list, whose places count from 0."""
    names = [name for fold in info.folds for name in fold]
    case_of = dict(zip(names, case_names(names), strict=True))
    rows = [(name, number, case_of[name]) for number, fold in enumerate(info.folds, 1) for name in fold]
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("image", "fold", "case"), *rows])
    if form == "csv":
        return {"folds.csv": table.getvalue()}
    if form == "json":
        folds = [
            {"fold": number, "train": [name for name in names if name not in held], "validation": list(fold)}
            for number, fold, held in ((number, fold, {*fold}) for number, fold in enumerate(info.folds, 1))
        ]
        return {"folds.json": json.dumps({"sweep": info.name, "folds": folds}, indent=1) + "\n"}
    splits = [
        {"train": [case_of[name] for name in names if name not in {*fold}], "val": [case_of[name] for name in fold]}
        for fold in info.folds
    ]
    return {"splits_final.json": json.dumps(splits, indent=4) + "\n", "folds.csv": table.getvalue()}
