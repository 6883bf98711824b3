"""The strategies by name: which of them list all candidates beforehand, which propose one after the other."""

from __future__ import annotations

from tracking.record import LISTS as LISTS  # `exhaustive` is the grid under the name it has for subsets

PROPOSING = ("guided", "greedy", "tpe", "nsga2", "random", "qmc")  # `sweeps.strategies.propose` knows their functions
ENDING = ("greedy", "grid")  # end by themselves; the others propose until their budget or the space is used up
PROBED = ("guided",)  # start from a probe of each block alone
PROBE_EPOCHS = 3
KERAS_TUNER = ("random", "grid", "bayesian")
