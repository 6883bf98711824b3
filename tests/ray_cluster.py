"""A Ray cluster for tests: a head without room for work, and nodes that come and go, all on this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.component import missing

MEMORY = 80 * 2**20  # bytes of Ray's object store: the least it takes


@contextmanager
def ray_cluster(*nodes: int) -> Iterator[Any]:
    """A cluster whose head has two CPUs, or none where `nodes` says how many CPUs each further node has.

    Yields `ray.cluster_utils.Cluster`. The test is skipped where Ray is missing, and fails in CI.
    """
    if importlib.util.find_spec("ray") is None:
        missing("Ray is missing: make setup EXTRAS=ray")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0 if nodes else 2, "object_store_memory": MEMORY, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for cpus in nodes:
            add_node(cluster, cpus)
        yield cluster
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


def add_node(cluster: Any, cpus: int) -> Any:
    """A further node of the cluster."""
    return cluster.add_node(num_cpus=cpus, object_store_memory=MEMORY)
