"""Which trials of thaw's studies count as running, by plain selects: for whoever only reads, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

STUDIES = (
    "SELECT studies.study_name FROM studies JOIN study_user_attributes AS ours "
    "ON ours.study_id = studies.study_id AND ours.key = 'thaw' ORDER BY studies.study_name"
)
RUNNING = (
    "SELECT studies.study_name, trials.number FROM trials JOIN studies ON studies.study_id = trials.study_id "
    "JOIN study_user_attributes AS ours ON ours.study_id = studies.study_id AND ours.key = 'thaw' "
    "WHERE trials.state = 'RUNNING' ORDER BY studies.study_name, trials.number"
)


@dataclass(frozen=True)
class Studies:
    """The `names` of thaw's studies in a database, and (study, number) of each of their trials that runs."""

    names: tuple[str, ...] = ()
    running: tuple[tuple[str, int], ...] = ()


def studies_in(connection: Connection) -> Studies:
    """What a database holds; nothing where Optuna has made no tables in it."""
    if not inspect(connection).has_table("trials"):
        return Studies()
    names = tuple(name for (name,) in connection.execute(text(STUDIES)))
    return Studies(names, tuple((study, int(number)) for study, number in connection.execute(text(RUNNING))))
