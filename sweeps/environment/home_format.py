"""Homes of earlier formats stay usable: entries that the ledger cannot find any more are put aside, with a note.

Format 2: the ledger's keys and those of pre-trained weights hold a version of the arithmetic instead of a digest of the
code (docs/keys.md), so nothing kept under a key of format 1 is ever asked for again. Reading a home changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from sweeps.environment.home import VERSION, Home, format_of, write_format
from trainer.errors import UserError
from trainer.files import nobody_present

MEGABYTE = 10**6


def bring_up_to_date(home: Home) -> tuple[str, ...]:
    """Give a home this format; notes for the user, none where it has this format already or nothing is lost.

    For a launcher that holds the launch lock, before anything is trained. The ledger and the pre-trained weights of the
    former format are moved into folders of their own. Raises `UserError` while a sweep is running in the home.
    """
    former = format_of(home.root)
    if former >= VERSION:
        return ()
    _check_nobody_runs(home)
    _put_aside(home, former)
    write_format(home.root)
    return _what_is_lost(home, former)


def _check_nobody_runs(home: Home) -> None:
    for lock in home.root.glob("sweeps/*/workers.lock"):
        if not nobody_present(lock):
            raise UserError(
                f"The home {home.root} is to be brought to format {VERSION}, but sweep '{lock.parent.name}' is running "
                "in it. Wait until it has ended, or choose another --home."
            )


def _put_aside(home: Home, former: int) -> None:
    """Rename, which takes no time however large they are. Weights that thaw has pre-trained have a record beside them;
    the others are known by their own digest and stay.
    """
    ledger, weights = home.former(home.ledger, former), home.former(home.weights, former)
    if home.ledger.exists() and not ledger.exists():
        home.ledger.rename(ledger)
    for record in sorted(home.weights.glob("*.json")):
        weights.mkdir(exist_ok=True)
        for path in (record.with_suffix(".weights.h5"), record):  # the record last: it says that weights are here
            if path.exists():
                path.rename(weights / path.name)


def _what_is_lost(home: Home, former: int) -> tuple[str, ...]:
    ledger, weights = home.former(home.ledger, former), home.former(home.weights, former)
    trainings = len({path.parent for path in ledger.glob("*/*/[0-9]*.npz")})
    networks = len(list(weights.glob("*.json")))
    if not trainings and not networks:
        return ()
    unused = [
        f"{counted(number, thing)} in {folder} ({_size(folder) / MEGABYTE:,.1f} MB)"
        for number, thing, folder in ((trainings, "trained fold", ledger), (networks, "pre-trained network", weights))
        if number
    ]
    return (
        f"Note: an earlier thaw wrote this home (format {former}; now it has format {VERSION}). Since then the keys "
        "under which finished folds and pre-trained weights are kept have changed their form.",
        "Trials that are recorded are not trained again, and the report holds them as before. Trained again are the "
        "starting weights, if thaw pre-trains them, and every fold of the trials that are still missing, even where an "
        "earlier thaw had trained it.",
        f"Not used any more, and free to be deleted: {' and '.join(unused)}.",
    )


def counted(number: int, thing: str) -> str:
    """`1 trained fold`, `12 trained folds`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
