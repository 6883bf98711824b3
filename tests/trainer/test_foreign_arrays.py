"""Attacks by `.npz` files: each is refused before it takes memory, and whole files read as NumPy wrote them."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from trainer.foreign_arrays import UNREADABLE, load_arrays, unpacked_bits

MIB = 2**20


def head(shape: tuple[int, ...], descr: str = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def archive(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, content in entries:
            written.writestr(name, content)
    return buffer.getvalue()


def bomb() -> bytes:
    """64 MiB of zeros in 65 kB."""
    return archive(("a.npy", head((64 * MIB,)) + bytes(64 * MIB)))


def lying_list() -> bytes:
    """A bomb whose list of contents says that it unpacks to one byte."""
    content, size = bomb(), len(head((64 * MIB,))) + 64 * MIB
    return content.replace(size.to_bytes(4, "little"), (len(head((1,))) + 1).to_bytes(4, "little"))


class Evil:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


ATTACKS: dict[str, tuple[bytes, str]] = {
    "a bomb": (bomb(), "would take 67,1.*and at most 1,048,576"),
    "many small bombs": (archive(*((f"{n}.npy", head((MIB,)) + bytes(MIB)) for n in range(8))), "would take"),
    "a list that lies": (lying_list(), ""),
    "a head that claims a petabyte": (archive(("a.npy", head((2**50,)) + b"x")), "not as large as it says"),
    "a head that claims too little": (archive(("a.npy", head((1,)) + b"xyz")), "not as large as it says"),
    "a negative side": (archive(("a.npy", head((-1,)) + b"x")), ""),
    "a shape whose product overflows": (archive(("a.npy", head((2**40, 2**40)) + b"x")), "not as large as it says"),
    "pickled objects": (archive(("a.npy", head((1,), "|O") + pickle.dumps(Evil()))), "holds objects"),
    "a pickle in place of an array": (archive(("a.npy", pickle.dumps(Evil()))), "magic"),
    "a pickle in place of the archive": (pickle.dumps(Evil()), "not a zip"),
    "a head of any length": (archive(("a.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 99)), ""),
    "code in a head": (archive(("a.npy", b"\x93NUMPY\x01\x00\x1c\x00{'descr': exit(), 'shape': ()}")), ""),
    "two arrays of one name": (archive(("a.npy", head((0,))), ("a", head((0,)))), "or one twice"),
    "a version of later": (archive(("a.npy", b"\x93NUMPY\x09\x00" + b"x" * 99)), ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_and_takes_no_memory(name: str) -> None:
    content, words = ATTACKS[name]
    tracemalloc.start()
    with pytest.raises(UNREADABLE, match=words or None):
        load_arrays(io.BytesIO(content), MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_wrote_reads_back_bit_for_bit(save: Callable[..., None]) -> None:
    draw = np.random.default_rng(0)
    arrays = {
        "w:enc/conv/0": draw.normal(size=(3, 3, 2)).astype(np.float32),
        "names": np.array(["a", "Öl"]),
        "scalar": np.array(3),
        "empty": np.zeros((0, 4), np.uint8),
        "fortran": np.asfortranarray(draw.normal(size=(4, 5))),
    }
    buffer = io.BytesIO()
    save(buffer, allow_pickle=False, **arrays)
    found = load_arrays(buffer)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].tobytes() == array.tobytes(), name
    assert list(load_arrays(buffer, 100_000, ["scalar"])) == ["scalar"]
    with pytest.raises(KeyError):
        load_arrays(buffer, names=["missing"])


@pytest.mark.parametrize(
    ("size", "shape", "fits"),
    [
        (2, (3, 5), True),
        (2, (3, 3), True),
        (2, (2, 4), False),
        (2, (3, 6), False),
        (1, (2**40, 2**40), False),
        (1, (-1, -8), False),
        (0, (0, 5), True),
    ],
)
def test_bits_fill_their_shape(size: int, shape: tuple[int, ...], fits: bool) -> None:
    bits = np.full(size, 255, np.uint8)
    if fits:
        assert unpacked_bits(bits, shape).shape == shape and unpacked_bits(bits, shape).all()
    else:
        with pytest.raises(ValueError, match="hold no bits in the shape"):
            unpacked_bits(bits, shape)
