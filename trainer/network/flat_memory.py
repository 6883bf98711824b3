"""What keeps the memory of a process flat while it compiles one mask after the other.

TensorFlow and Keras keep some things of every model that was ever compiled. Measured for a U-Net of nine blocks with 2
filters, which has 0.1 MB of weights: 2.7 MB of kernels that made the optimizer's variables, and with the graph of the
training step 7 MB. A search over 511 masks would end with gigabytes.
"""

from __future__ import annotations

from typing import Any

import keras


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam without the exchange of gradients between devices, of which there is one.

    On TensorFlow that exchange is an identity whose gradient is registered under a name of its own at every trace, for
    ever, and with it the whole traced graph.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        return list(grads_and_vars)


def forget_kernels() -> None:
    """Let the backend forget the kernels of single operations; what is needed again is made again, at no cost.

    Each variable is made by a kernel of its own, since its name is. Models, functions and their numbers stay.
    """
    keras.utils.clear_session(free_memory=False)
