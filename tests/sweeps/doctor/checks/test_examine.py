"""What the doctor finds in a home where everything is wrong, repairs, and leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.doctor.checks.doubled_trials import doubled_trials
from sweeps.doctor.checks.examine import examine, repair
from sweeps.doctor.checks.stale_leases import stale_leases
from sweeps.doctor.checks.undelivered import undelivered
from sweeps.doctor.look import Look
from sweeps.engines.optuna_storage import open_study
from sweeps.environment.home import Home, write_format
from sweeps.locks import contract
from sweeps.locks.database import Lease
from tests.component import needs_driver
from tests.sweeps.doctor.checks.ill_home import HARMED, SWEEP, UNKNOWN, WHOLE, make_ill, old, tree
from tests.trainer.data.drawn import Drawn
from tracking.store.attempts import ATTEMPT, rank_of
from tracking.store.run_facts import RunFact, facts_in_file, facts_of
from tracking.store.writer import Tracker
from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.files import locked, present

FOUND = [
    ("dead run", "sweep demo", "2 trials ("),
    ("doubled trial", "run ", "attempt 3 at earlier of sweep demo; run"),
    ("stale trial", "study demo", "trials 0 (1) count as running"),
    ("half-written", ".plan.json.0123456789ab", "killed process"),
    ("half-written", ".building-x", "killed process"),
    ("damaged file", f"data/{HARMED}", "check sums"),
    ("damaged file", "0123456789abcdef.keras", "its name says"),
    ("damaged file", "00002.npz", "as the ledger wrote it"),
    ("damaged file", "state.npz", "as the ledger wrote it"),
    ("damaged file", "failed.json", "as the ledger wrote it"),
    ("not delivered", f"spool/{SWEEP}/0123456789ab", "3 records (0.0 MB) of sweep demo, the oldest 120 minutes old"),
    ("orphaned artifacts", "demo/", "was deleted in MLflow"),
    ("orphaned artifacts", UNKNOWN, "has no such run"),
]
ONLY_THE_USER = ["spool/", UNKNOWN]
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
        assert found.repairable != any(part in where for part in ONLY_THE_USER) and found.remedy
    assert len(findings) == len(FOUND)
    assert all("b" * 64 in one.where for one in findings if "ledger" in one.what)


def test_what_is_safe_is_mended(ill: Home) -> None:
    left = repair(examine(ill))
    assert all(part in one.finding.where for part, one in zip(ONLY_THE_USER, left, strict=True))
    assert all("only you can repair this" in one.why for one in left) and "its next worker delivers them" in left[0].why
    assert examine(ill) == [one.finding for one in left]
    runs = {run.name: run for run in facts_in_file(ill.mlflow_database) if run.kind}
    assert runs[SWEEP].status == "KILLED" and not runs["earlier"].active
    assert [run.status for run in runs.values() if run.attempt == 7] == ["KILLED"]
    assert [trial.state.name for trial in open_study(ill.storage_url, SWEEP).trials] == ["FAIL", "WAITING"]
    whole = [ill.ledger / "aa" / ("aa" * 32) / name for name in ("00002.npz", "state.npz", "failed.json")]
    whole += [ill.data / WHOLE, ill.networks / "e3b0c44298fc1c14.keras", ill.artifacts / SWEEP / UNKNOWN]
    whole += [ill.root / "sweeps" / SWEEP / ".young.json.0123456789ab"]
    whole += [ill.root / "spool" / SWEEP / "0123456789ab" / "fedcba987654" / "0000000001.zip"]
    assert all(path.exists() for path in whole)


def test_nothing_of_a_sweep_at_work_counts_as_dead_or_is_mended(ill: Home) -> None:
    before = examine(ill)
    with ill.locks.present(contract.workers(SWEEP)):
        found = {one.kind for one in examine(ill)}
        left = repair(one for one in before if one.kind in OF_THE_SWEEP)  # who began after the look was over, too
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


@pytest.mark.parametrize(("age", "found"), [(5, []), (600, [("1 record", "wait")])])
def test_a_living_worker_has_a_moment_to_deliver(tmp_path: Path, age: float, found: list[tuple[str, str]]) -> None:
    worker = tmp_path / "spool" / SWEEP / "0123456789ab"
    with present(worker / "alive"):
        (worker / "0000000001.zip").touch()
        old(worker / "0000000001.zip", age)
        findings = undelivered(Look(Home(tmp_path)))
    assert [(one.what[:8], one.remedy[:4]) for one in findings] == found and not any(one.repairable for one in findings)


def test_the_images_of_a_user_leave_nothing_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "drawn").mkdir()
    names = [f"{number}.png" for number in range(4)]
    pictures = Drawn(tmp_path / "drawn").put(
        tmp_path / "given", [f"images/{name}" for name in names], [f"masks/{name}" for name in names]
    )
    home = Home(tmp_path / "home")
    write_format(home.root)
    load_cases(DataConfig(path=str(pictures)), 16, home.data)
    assert len([*home.data.iterdir()]) == 2  # an entry, and what was read of the folder
    assert examine(home) == []


@needs_driver
def test_a_server_that_is_away_hides_nothing_of_the_home(ill: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_STORAGE", "postgresql+psycopg://ann:secret@127.0.0.1:1/thaw")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:1")
    findings = examine(ill)
    assert [one.where for one in findings if one.kind == "server away"] == ["the study's database", "the MLflow server"]
    assert {one.kind for one in findings} == {"server away", "damaged file", "not delivered"}
    assert all(
        not one.repairable for one in findings if one.where.endswith(f"data/{HARMED}")
    )  # somebody may work on it
    assert "secret" not in repr(findings)


@pytest.mark.parametrize("counting", [("8", 0, 1, "a"), ("7", 3, 1, "a"), ("7", 2, 6, "a"), ("7", 2, 5, "c")])
def test_of_several_runs_that_which_readers_count_stays(tmp_path: Path, counting: tuple[str, int, int, str]) -> None:
    def run(attempt: str, metrics: int, started: int, name: str) -> RunFact:
        rank = rank_of(name, started, {ATTEMPT: attempt}, metrics)
        return RunFact(name, name, "RUNNING", True, rank, kind="trial", parent="sweep", candidate="1")

    sweep = RunFact("sweep", SWEEP, "RUNNING", True, rank_of("sweep", 0, {}, 0), kind="sweep", sweep=SWEEP)
    others = [run("7", 2, 5, "b"), run("no number", 9, 9, "d")]
    found = doubled_trials(Look(Home(tmp_path), (sweep, others[0], run(*counting), others[1])))
    assert [one.where for one in found] == ["run b", "run d"] and all("run " + counting[3] in one.what for one in found)


@needs_driver
@pytest.mark.parametrize(("overdue", "found"), [(-1.0, 0), (20.0, 0), (40.0, 1)])
def test_a_lease_is_stale_a_grace_period_after_it_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overdue: float, found: int
) -> None:
    monkeypatch.setenv("THAW_STORAGE", "postgresql+psycopg://nobody/thaw")
    lease = Lease(f"{contract.workers(SWEEP)}#1", "1", overdue)
    look = Look(Home(tmp_path), leases=(lease,))
    assert len(stale_leases(look)) == found
    assert (look.abandoned(SWEEP), look.busy) == (bool(found), not found)


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
    assert found.where.endswith(name) and "SQLite says" in found.what and not found.repairable
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
