"""Every network of the zoo, by name: importing the modules that build them puts them here."""

from __future__ import annotations

from tests.zoo import architectures, backbones, endings, inputs, layer_kinds
from tests.zoo.entry import ENTRIES

MODULES = (endings, inputs, layer_kinds, architectures, backbones)

__all__ = ["ENTRIES", "MODULES"]
