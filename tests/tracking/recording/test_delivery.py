"""The thread between spool and MLflow: what it says, what it waits for, what it raises in the worker's own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tracking.made_up import trial_info
from tracking.recording.delivery import Delivery
from tracking.recording.operations import Operation
from tracking.recording.spool import Spool, undelivered
from tracking.store.changes import Change, Files
from trainer.errors import LeaseLost, StoreAway, UserError

CHANGE = Change((("dice", 0.5, 1),), status="FAILED")
OPERATION = Operation("fail", "sweep", trial_info("deep-first", 2), 3, 1000, CHANGE)


class Server:
    """Takes operations, unless it is away."""

    def __init__(self) -> None:
        self.away, self.taken = False, list[tuple[Operation, list[tuple[str, bytes]]]]()

    def apply(self, operation: Operation, files: Files) -> str:
        self.probe()
        self.taken.append((operation, list(files)))
        return "run"

    def probe(self) -> None:
        if self.away:
            raise StoreAway("MLflow is away.")


Make = Callable[..., Delivery]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, server: Server, said: list[str]) -> Iterator[Make]:
    made: list[Delivery] = []

    def delivery(patience: float = 60, most_bytes: float = 1e9) -> Delivery:
        spool = Spool(tmp_path / "spool" / "s", "sweep")
        limits = {"patience": patience, "most_bytes": most_bytes, "pause": 0.01}
        made.append(Delivery(spool, server.apply, server.probe, said.append, **limits))
        return made[-1]

    yield delivery
    for one in made:
        one.close()


def put(delivery: Delivery, still_mine: Callable[[], None] = lambda: None) -> bool:
    return delivery.wait(OPERATION.trial, delivery.put(OPERATION, [("a/b.npz", b"content")], still_mine))


def test_an_operation_arrives_as_it_was_told(make: Make, server: Server, said: list[str]) -> None:
    delivery = make()
    assert put(delivery) and server.taken == [(OPERATION, [("a/b.npz", b"content")])] and said == []
    assert delivery.run_of(OPERATION.trial) == "run"


def test_what_waits_while_mlflow_is_away_arrives_later_in_order(make: Make, server: Server, said: list[str]) -> None:
    delivery, server.away = make(), True
    assert not put(delivery) and not put(delivery) and len(said) == 1 and "Training goes on" in said[0]
    server.away = False
    delivery.wait_for_all()
    assert len(server.taken) == 2 and said[1].startswith("MLflow answers again")


def test_patience_ends_in_words_and_the_spool_goes_to_the_next_worker(
    make: Make, server: Server, tmp_path: Path
) -> None:
    delivery, server.away = make(patience=0.05), True
    put(delivery)
    with pytest.raises(UserError, match=r"not answered for 0\.05 seconds .* \(1\) lies in .* the same command again"):
        delivery.wait_for_all()
    delivery.close()
    (left,) = undelivered(tmp_path)
    assert (left.sweep, left.count, left.alive) == ("s", 1, False) and left.size > 0
    server.away = False
    make().wait_for_all()
    assert server.taken == [(OPERATION, [("a/b.npz", b"content")])]


def test_a_worker_with_a_full_spool_waits_and_says_so(make: Make, server: Server, said: list[str]) -> None:
    delivery, server.away = make(most_bytes=1), True
    put(delivery)
    second = threading.Thread(target=put, args=(delivery,))
    second.start()
    second.join(0.1)
    assert second.is_alive() and "The spool is full" in said[1]
    server.away = False
    second.join()
    delivery.wait_for_all()
    assert len(server.taken) == 2


def test_a_lost_trial_is_told_to_the_worker_and_forgotten(make: Make, server: Server) -> None:
    def lost() -> None:
        raise LeaseLost("taken over")

    delivery = make()
    for _ in range(2):
        with pytest.raises(LeaseLost, match="taken over"):
            put(delivery, lost)
    delivery.wait_for_all()
    assert server.taken == []


def test_while_the_database_of_the_rights_is_away_training_goes_on(make: Make, server: Server) -> None:
    delivery, is_back = make(), threading.Event()

    def wait_for_database() -> None:
        is_back.wait()

    assert not put(delivery, wait_for_database)
    is_back.set()
    delivery.wait_for_all()
    assert len(server.taken) == 1


def test_what_mlflow_refuses_is_raised_in_the_workers_thread(make: Make, server: Server) -> None:
    def refuse(operation: Operation, files: Files) -> str:
        raise UserError("no permission")

    server.apply = refuse  # type: ignore[method-assign]
    with pytest.raises(UserError, match="no permission"):
        put(make())
