"""What the doctor finds in a home where everything is wrong, mends, and leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.doctor.examine import examine, mend
from sweeps.engines.optuna_storage import open_study
from sweeps.environment.home import Home
from sweeps.locks import contract
from tests.sweeps.doctor.ill_home import SWEEP, UNKNOWN, make_ill, old, tree
from tracking.store.run_facts import facts_in_file, facts_of
from tracking.store.writer import Tracker
from trainer.files import locked

FOUND = [
    ("dead run", "sweep demo", "2 trials ("),
    ("doubled trial", "run ", "attempt 3 at earlier of sweep demo, after which attempt 7 came"),
    ("stale trial", "study demo", "trials 0 (1) count as running"),
    ("half-written", ".plan.json.0123456789ab", "killed process"),
    ("half-written", ".building-x", "killed process"),
    ("damaged file", "data/harmed", "check sums"),
    ("damaged file", "0123456789abcdef.keras", "its name says"),
    ("damaged file", "00002.npz", "as the ledger wrote it"),
    ("damaged file", "state.npz", "as the ledger wrote it"),
    ("damaged file", "failed.json", "as the ledger wrote it"),
    ("orphaned artifacts", "demo/", "was deleted in MLflow"),
    ("orphaned artifacts", UNKNOWN, "has no such run"),
]
ONLY_THE_USER = [UNKNOWN]
OF_THE_SWEEP = ("dead run", "doubled trial", "stale trial")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ill(tmp_path_factory.mktemp("ill") / "home").root


@pytest.fixture
def ill(made_once: Path, tmp_path: Path) -> Home:
    shutil.copytree(made_once, tmp_path / "home")
    return Home(tmp_path / "home")


def test_everything_is_found_and_nothing_is_written(ill: Home) -> None:
    before = tree(ill.root)
    findings = examine(ill)
    assert tree(ill.root) == before
    for kind, where, what in FOUND:
        (found,) = [one for one in findings if (one.kind, where in one.where, what in one.what) == (kind, True, True)]
        assert found.mendable != (where in ONLY_THE_USER) and found.mend
    assert len(findings) == len(FOUND)
    assert all("b" * 64 in one.where for one in findings if "ledger" in one.what)


def test_what_is_safe_is_mended(ill: Home) -> None:
    left = mend(examine(ill))
    assert [UNKNOWN in one.finding.where for one in left] == [True] and "only you can mend this" in left[0].why
    assert [UNKNOWN in one.where for one in examine(ill)] == [True]
    runs = {run.name: run for run in facts_in_file(ill.mlflow_database) if run.kind}
    assert runs[SWEEP].status == "KILLED" and not runs["earlier"].active
    assert [run.status for run in runs.values() if run.attempt == 7] == ["KILLED"]
    assert [trial.state.name for trial in open_study(ill.storage_url, SWEEP).trials] == ["FAIL", "WAITING"]
    whole = [ill.ledger / "aa" / ("aa" * 32) / name for name in ("00002.npz", "state.npz", "failed.json")]
    whole += [ill.data / "whole", ill.networks / "e3b0c44298fc1c14.keras", ill.artifacts / SWEEP / UNKNOWN]
    whole += [ill.root / "sweeps" / SWEEP / ".young.json.0123456789ab"]
    assert all(path.exists() for path in whole)


def test_nothing_of_a_sweep_at_work_counts_as_dead_or_is_mended(ill: Home) -> None:
    before = examine(ill)
    with ill.locks.present(contract.workers(SWEEP)):
        found = {one.kind for one in examine(ill)}
        left = mend(one for one in before if one.kind in OF_THE_SWEEP)  # who began after the look was over, too
    assert not found & {*OF_THE_SWEEP, "half-written"}
    assert len(left) == 3 and all("Somebody works on sweep 'demo' again" in one.why for one in left)
    assert {run.status for run in facts_in_file(ill.mlflow_database) if run.active} == {"RUNNING"}


def test_a_trained_entry_and_old_temporary_files_while_somebody_works(ill: Home) -> None:
    old(ill.root / "sweeps" / SWEEP / ".plan.json.0123456789ab", 2 * 86_400)
    lease = ill.ledger / "bb" / ("bb" * 32) / "lease"
    with ill.locks.present(contract.workers("other")), locked(lease):
        kinds = [(one.kind, Path(one.where).name) for one in examine(ill)]
    assert ("half-written", ".plan.json.0123456789ab") in kinds and ("half-written", ".building-x") not in kinds
    assert not [name for kind, name in kinds if name == "00002.npz"]


def harm(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"x" * 4096 * 3
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["mlflow.db", "optuna.db"])
@pytest.mark.parametrize("damage", [harm, lambda path: path.write_bytes(b"no database at all" * 300)])
def test_a_damaged_database_is_named_and_never_touched(ill: Home, name: str, damage: Callable[[Path], None]) -> None:
    damage(ill.root / name)
    content = (ill.root / name).read_bytes()
    findings = examine(ill)
    (found,) = [one for one in findings if one.kind == "damaged database"]
    assert found.where.endswith(name) and "SQLite says" in found.what and not found.mendable
    judged = {one.kind for one in findings}
    others = {"mlflow.db": {"dead run", "doubled trial", "orphaned artifacts"}, "optuna.db": {"stale trial"}}
    assert not judged & others.pop(name) and judged > others.popitem()[1]
    assert (ill.root / name).read_bytes() == content


def test_artifacts_of_a_deleted_attempt_stay_while_a_later_one_names_them(ill: Home) -> None:
    (deleted,) = [one.where for one in examine(ill) if "was deleted" in one.what]
    tracker = Tracker.connect(ill.tracking_uri)
    (later,) = [run for run in facts_in_file(ill.mlflow_database) if run.attempt == 7]
    tracker.client.set_tag(later.run_id, "thaw.folds.2", f'{{"1": ["{Path(deleted).name}", 9, "ab"]}}')
    assert not [one for one in examine(ill) if "was deleted" in one.what]


def test_artifacts_are_not_judged_where_another_database_is_named(ill: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{ill.root / 'other.db'}")
    assert not [one for one in examine(ill) if one.kind == "orphaned artifacts"]


def test_runs_out_of_the_file_are_those_that_mlflow_gives(ill: Home) -> None:
    by_mlflow = facts_of(Tracker.connect(ill.tracking_uri), [SWEEP, "unknown"])
    assert sorted(by_mlflow, key=repr) == sorted(
        (run for run in facts_in_file(ill.mlflow_database) if run.active), key=repr
    )
    assert len(by_mlflow) == 3
