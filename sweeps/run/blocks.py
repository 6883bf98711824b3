"""The blocks of a spec's network: how large each is, and the space over them."""

from __future__ import annotations

from functools import lru_cache

from sweeps.spec.load import Spec
from sweeps.spec.space import Space, space_of
from trainer.config import Settings


def network_space(spec: Spec) -> Space:
    """The space on the spec's network. Raises `UserError` where no mask keeps all constraints, before any training."""
    sizes, always = block_sizes(spec.settings)
    return space_of(spec.search, sizes, spec.settings, always)


@lru_cache(maxsize=1)
def block_sizes(settings: Settings) -> tuple[list[int], int]:
    """Parameters of every block from 1 on, and of what trains whatever the mask."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend(deterministic=settings.train.deterministic)
    from trainer.network.blocks import partition, unit_parameters
    from trainer.network.user_model import network_of

    return unit_parameters(partition(network_of(settings.model), settings.partition, settings.model.blocks))
