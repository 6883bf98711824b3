"""What thaw makes of an accelerator: its share of the matrix rate, beside plain Keras, alone, in company and fused.

    .venv/bin/python tests/benchmarks/gpu.py [--size 256] [--filters 64] [--batch 8] [--images 480] [--seconds 8]
        [--only steps plain scan fused workers] [--precision bfloat16 tf32 float32] [--masks all 1-5 6-9 1 9]

Each line is measured in a process of its own, on JAX, on whatever device JAX finds: without a card on the CPU, where
small numbers (--size 32 --filters 4) say whether it runs. `steps`: thaw's own engine, epoch by epoch. `plain`: what a
user would write, `fit` in Keras under the same policy. `scan`: a whole epoch in one compiled call. `fused`: five folds
in one call by `vmap`. `workers`: several processes on one card. A share is of the rate of a product of two square
matrices in bfloat16 that the same process measured; a compilation is never in a rate.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

SECTIONS = ("steps", "plain", "scan", "fused", "workers")
FOLDS = 5
MATRIX, SMALL_MATRIX = 8192, 1024
ROUNDS = 10


def prepared(given: argparse.Namespace) -> Any:
    """The network of this process under its mask, ready to be compiled, with images and masks made up."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend(deterministic=given.deterministic, precision=given.precision[0], compiled=None)
    import numpy as np

    from trainer.config import ModelConfig
    from trainer.masks import parse
    from trainer.network.blocks import apply_mask, partition
    from trainer.network.operations import training_operations
    from trainer.network.precision import compute_in
    from trainer.network.unet import unet

    network = unet(ModelConfig(size=given.size, filters=given.filters))
    compute_in(network, given.precision[0])
    apply_mask(network, partition(network), parse(given.masks[0], 9))
    rng = np.random.default_rng(0)
    images = rng.random((given.images, given.size, given.size), np.float32)
    masks = (images > 0.5).astype(np.uint8)
    steps = -(-given.images // given.batch)
    order = np.stack([rng.permutation(given.images)[: given.batch] for _ in range(steps)])
    return network, images, masks, order, training_operations(network)


def optimizer_and_loss() -> tuple[Any, Any]:
    """As in the study: Adam 1e-4 on cross-entropy."""
    import keras

    from trainer.training.losses import loss_named

    return keras.optimizers.Adam(1e-4), loss_named("bce")


def rate_of(epoch: Callable[[], None], seconds: float) -> tuple[float, float]:
    """Seconds of the first epoch less a usual one (what was compiled), and seconds of a usual one, the median."""
    times: list[float] = []
    while len(times) < 3 or sum(times[1:]) < seconds:
        started = time.perf_counter()
        epoch()
        times.append(time.perf_counter() - started)
    usual = sorted(times[1:])[len(times[1:]) // 2]
    return times[0] - usual, usual


def steps(given: argparse.Namespace) -> dict[str, float]:
    """thaw's engine for this backend."""
    network, images, masks, order, operations = prepared(given)
    from trainer.training.steps.engine import steps_of

    _, engine = steps_of(network)
    engine.compile(*optimizer_and_loss())

    def epoch() -> None:
        run = engine.epoch(images, masks, order)
        for _ in order:
            run.step()
        run.losses()
        engine.settle()

    return measured(given, epoch, operations, order.size)


def plain(given: argparse.Namespace) -> dict[str, float]:
    """Keras's `fit`, as anybody writes it."""
    model, images, masks, order, operations = prepared(given)
    optimizer, loss = optimizer_and_loss()
    model.compile(optimizer=optimizer, loss=loss)
    x, y = images[..., None], masks[..., None].astype("float32")

    def epoch() -> None:
        model.fit(x, y, batch_size=given.batch, verbose=0)

    return measured(given, epoch, operations, len(order) * given.batch)


def compiled_state(network: Any) -> tuple[Any, Any]:
    """The stateless step and its state at the start."""
    from trainer.training.steps.engine import steps_of
    from trainer.training.steps.jax_steps import stateless_step

    model, _ = steps_of(network)
    optimizer, loss = optimizer_and_loss()
    model.compile(optimizer=optimizer, loss=loss)
    model.optimizer.build(model.trainable_variables)
    groups = model.trainable_variables, model.non_trainable_variables, model.optimizer.variables
    return stateless_step(model), tuple([variable.value for variable in group] for group in groups)


def scan(given: argparse.Namespace) -> dict[str, float]:
    """A whole epoch in one compiled call."""
    import jax

    model, images, masks, order, operations = prepared(given)
    step, state = compiled_state(model)

    def whole(state: Any, images: Any, masks: Any, order: Any) -> Any:
        return jax.lax.scan(
            lambda state, batch: step(state, images[batch], masks[batch].astype("float32")), state, order
        )

    run = jax.jit(whole, donate_argnums=0)
    data = jax.device_put((images[..., None], masks[..., None], order))
    held = [state]

    def epoch() -> None:
        held[0], losses = run(held[0], *data)
        wait_for(losses)

    return measured(given, epoch, operations, order.size)


def fused(given: argparse.Namespace) -> dict[str, float]:
    """Five folds side by side, step by step, in one call each."""
    import jax
    import jax.numpy as jnp

    model, images, masks, order, operations = prepared(given)
    step, state = compiled_state(model)
    state = jax.tree.map(lambda value: jnp.stack([value] * FOLDS), state)

    def together(state: Any, images: Any, masks: Any, batch: Any) -> Any:
        return jax.vmap(lambda state, mine: step(state, images[mine], masks[mine].astype("float32")))(state, batch)

    run = jax.jit(together, donate_argnums=0)
    x, y = jax.device_put((images[..., None], masks[..., None]))
    orders = jax.device_put(jnp.stack([order] * FOLDS, axis=1))
    held = [state]

    def epoch() -> None:
        for batch in orders:
            held[0], losses = run(held[0], x, y, batch)
        wait_for(losses)

    return measured(given, epoch, operations, order.size * FOLDS)


def measured(given: argparse.Namespace, epoch: Callable[[], None], operations: int, images: int) -> dict[str, float]:
    """What one process found: `operations` of one image, `images` of an epoch."""
    compiling, usual = rate_of(epoch, given.seconds)
    matrix = matrix_rate()
    rate = images * operations / usual
    return {
        "compile s": compiling,
        "step ms": 1000 * usual * given.batch / images,
        "images/s": images / usual,
        "TFLOP/s": rate / 1e12,
        "share": rate / matrix,
        "GiB": peak(),
        "matrix TFLOP/s": matrix / 1e12,
    }


def wait_for(arrays: Any) -> None:
    """Until the device has computed them."""
    import jax

    for array in jax.tree.leaves(arrays):
        array.block_until_ready()


def matrix_rate() -> float:
    """Operations a second of a product of two square bfloat16 matrices of random numbers."""
    import jax

    side = MATRIX if jax.default_backend() != "cpu" else SMALL_MATRIX
    left, right = jax.random.normal(jax.random.key(0), (2, side, side), "bfloat16")
    product = jax.jit(lambda left, right: left @ right)
    wait_for([product(left, right) for _ in range(3)])
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        wait_for([product(left, right) for _ in range(ROUNDS)])
        times.append(time.perf_counter() - started)
    return float(ROUNDS * 2 * side**3 / min(times))


def peak() -> float:
    """The most of the device's memory that was in use, in GiB; 0 where the device does not say."""
    import jax

    return ((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use") or 0) / 2**30


MEASURES = {"steps": steps, "plain": plain, "scan": scan, "fused": fused}


def start(arguments: list[str], section: str, precision: str, mask: str, extra: list[str]) -> subprocess.Popen[str]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--here", section, "--precision", precision, "--masks", mask]
    return subprocess.Popen(
        [*command, *extra], env=os.environ | {"KERAS_BACKEND": "jax"}, stdout=subprocess.PIPE, text=True
    )


def result(process: subprocess.Popen[str]) -> dict[str, float]:
    """Its last line; nothing where it failed, which its own words say."""
    output, _ = process.communicate()
    return dict(json.loads(output.splitlines()[-1])) if process.returncode == 0 and output.strip() else {}


def lines(given: argparse.Namespace, arguments: list[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """Everything asked for, one after the other."""
    for section in given.only:
        for precision in given.precision:
            for mask in given.masks if section == "steps" else given.masks[:1]:
                if section in MEASURES:
                    yield f"{section} {precision} {mask}", result(start(arguments, section, precision, mask, []))
            for count in given.workers if section == "workers" else ():
                together = [start(arguments, "steps", precision, given.masks[0], []) for _ in range(count)]
                found = [result(process) for process in together]
                if all(found):
                    summed = {name: sum(each[name] for each in found) for name in ("images/s", "TFLOP/s", "GiB")}
                    slowest = {name: max(each[name] for each in found) for name in ("compile s", "step ms")}
                    yield f"{count} workers {precision} {given.masks[0]}", slowest | summed


def main(arguments: list[str]) -> None:
    """Print a line for each measurement as it comes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("size", 256), ("filters", 64), ("batch", 8), ("images", 480)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=8.0, help="at least so long each is measured")
    parser.add_argument("--only", nargs="+", default=list(SECTIONS), choices=SECTIONS)
    parser.add_argument("--precision", nargs="+", default=["bfloat16", "tf32", "float32"])
    parser.add_argument("--masks", nargs="+", default=["all", "1-5", "6-9", "1", "9"])
    parser.add_argument("--workers", nargs="+", type=int, default=[2, 4])
    parser.add_argument("--deterministic", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--here", choices=list(MEASURES), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.here:
        print(json.dumps(MEASURES[given.here](given)))
        return
    for label, found in lines(given, arguments):
        numbers = "  ".join(f"{name} {value:.3g}" for name, value in found.items()) or "failed"
        print(f"{label:28} {numbers}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
