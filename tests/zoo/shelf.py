"""Every network of the zoo, by name: importing the modules that build them puts them here."""

from __future__ import annotations

from tests.zoo import architectures, backbones, endings, inputs, layer_kinds, odd_endings, odd_graphs, odd_inputs
from tests.zoo.entry import ENTRIES

MODULES = (endings, inputs, layer_kinds, architectures, backbones, odd_endings, odd_inputs, odd_graphs)

__all__ = ["ENTRIES", "MODULES"]
