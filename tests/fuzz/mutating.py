"""Ways to mangle bytes, texts and plain data, each with words for what was done."""

from __future__ import annotations

import copy
import struct
from typing import Any

from numpy.random import Generator

NUMBERS = (0, 1, -1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 255, 2**31, 2**63, 10**30, 0.5, -0.0, 1e-320, 1e308),
    *(
        float("inf"),
        float("-inf"),
        float("nan"),
        "",
        " ",
        "0",
        "nan",
        "null",
        "/",
        "..",
        "../x",
        "*",
        "[",
        "(",
        "%s{0}",
    ),
    *("\u00e9", "e\u0301", "\u202e", "\ufeff", "\U0001f9e0", "\x00", "\x1b[31m", "a" * 5000, "\n", "\\"),
    *([], {}, [[]], [None], {"": None}, [0, 255], [255, 0], ["nonzero"], {"a": {"b": [1, {"c": 2}]}}, [1] * 300),
)


DEEP = "\u2020deep\u2020"  # stands for lists in lists, thousands deep, where a tree is written: `deepened`


def deepened(text: str) -> str:
    """A written tree with `DEEP` in place."""
    return text.replace(f'"{DEEP}"', "[" * 3000 + "]" * 3000)


def pick(rng: Generator, options: Any) -> Any:
    """One of a sequence; NumPy's own choice would turn its members into arrays."""
    return options[int(rng.integers(len(options)))]


def bytes_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    """The bytes with one to three things done to them."""
    words = []
    for _ in range(int(pick(rng, (1, 1, 1, 2, 3)))):
        data, word = once_changed(rng, data)
        words.append(word)
    return data, ", ".join(words)


def once_changed(rng: Generator, data: bytes) -> tuple[bytes, str]:
    n = len(data)
    at = int(rng.integers(n + 1))
    if rng.random() < 0.5:
        at = min(at, int(rng.integers(64)))  # the beginning is where the structure is
    length = int(pick(rng, (1, 2, 4, 8, 32, 200)))
    end = min(at + length, n)
    match int(rng.integers(11)):
        case 0:
            return data[:at], f"cut off at byte {at} of {n}"
        case 1:
            byte = data[at : at + 1] or b"\0"
            return data[:at] + bytes([byte[0] ^ 1 << int(rng.integers(8))]) + data[at + 1 :], f"a bit of byte {at}"
        case 2:
            filling = pick(rng, (b"\0", b"\xff", b" ", b"\n"))
            return data[:at] + filling * (end - at) + data[end:], f"{end - at} bytes at {at} overwritten"
        case 3:
            return data[:at] + rng.bytes(length) + data[at:], f"{length} bytes put in at {at}"
        case 4:
            return data[:at] + data[end:], f"{end - at} bytes at {at} taken out"
        case 5:
            return data[:end] + data[at:], f"{end - at} bytes at {at} twice"
        case 6:
            other = int(rng.integers(n + 1))
            low, high = sorted((at, other))
            return data[low:high] + data[:low] + data[high:], f"bytes {low} to {high} moved to the beginning"
        case 7:
            return number_put(rng, data, at)
        case 8:
            return data + pick(rng, (rng.bytes(40), b"\0" * 40, data, b"\r\n")), "bytes behind the end"
        case 9:
            return data[:at] + rng.bytes(end - at) + data[end:], f"{end - at} drawn bytes at {at}"
        case _:
            whole = (
                b"",
                b"\n",
                b"\xff\xfe",
                b"hello",
                b"\0" * n,
                b"<!DOCTYPE html>",
                data[::-1],
                b"PK\x03\x04",
                data[:4],
            )
            return pick(rng, whole), "replaced as a whole"


def number_put(rng: Generator, data: bytes, at: int) -> tuple[bytes, str]:
    """A whole number of 1, 2 or 4 bytes put over what is at `at`."""
    number, size, order = pick(rng, NUMBERS), pick(rng, ("B", "H", "I")), pick(rng, "<>")
    packed = struct.pack(order + size, number % 2 ** (8 * struct.calcsize(size)))
    return data[:at] + packed + data[at + len(packed) :], f"the number {number} at byte {at}"


def text_changed(rng: Generator, text: str) -> tuple[str, str]:
    """The text with its lines or letters mangled."""
    lines = text.split("\n")
    at = int(rng.integers(len(lines)))
    match int(rng.integers(9)):
        case 0:
            other = int(rng.integers(len(lines)))
            lines[at], lines[other] = lines[other], lines[at]
            return "\n".join(lines), f"lines {at} and {other} swapped"
        case 1:
            return "\n".join(lines[:at] + lines[at + 1 :]), f"line {at} taken out"
        case 2:
            return "\n".join([*lines[: at + 1], *lines[at:]]), f"line {at} twice"
        case 3:
            cut = int(rng.integers(len(text) + 1))
            return text[:cut], f"cut off at letter {cut}"
        case 4:
            return text.replace("\n", pick(rng, ("\r\n", "\r", "\n\n", "\u2028", " ", ""))), "other ends of lines"
        case 5:
            cut, odd = int(rng.integers(len(text) + 1)), pick(rng, [odd for odd in ODD if isinstance(odd, str)])
            return text[:cut] + odd + text[cut:], f"{odd[:10]!r} put in at letter {cut}"
        case 6:
            letter, other = pick(rng, text or " "), pick(rng, ",;\t\"'=[]{}()#.\\ 0-")
            return text.replace(letter, other), f"every {letter!r} made {other!r}"
        case 7:
            return "\ufeff" + text, "the mark of UTF-8 put in front"
        case _:
            opened = pick(rng, ("[", "{", "(", '"')) * pick(rng, (1, 50, 20_000))
            return text + opened, f"{len(opened)} times {opened[:1]} at the end"


def tree_changed(rng: Generator, tree: Any) -> tuple[Any, str]:
    """Plain data (lists and dictionaries) with one to three of their members mangled."""
    tree, words = copy.deepcopy(tree), []
    for _ in range(int(pick(rng, (1, 1, 2, 3)))):
        places = members(tree)
        if not places:
            return pick(rng, ODD), "replaced as a whole"
        holder, key = pick(rng, places)
        words.append(member_changed(rng, holder, key, places))
    if rng.random() < 0.03:
        return pick(rng, (tree, [tree], pick(rng, ODD), list(tree))), "the whole put into or replaced by something"
    return tree, ", ".join(words)


def members(tree: Any) -> list[tuple[Any, Any]]:
    """Every place in plain data: the list or dictionary that holds it, and its number or key."""
    found, waiting = [], [tree]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


def member_changed(rng: Generator, holder: Any, key: Any, places: list[tuple[Any, Any]]) -> str:
    value = holder[key]
    match int(rng.integers(8)):
        case 0 | 1:
            holder[key] = odd = pick(rng, ODD)
            return f"{key} made {odd!r:.40}"
        case 2:
            if isinstance(holder, dict):
                holder.pop(key)
            else:
                holder[key] = None
            return f"{key} taken out"
        case 3:
            holder[key] = [value]
            return f"{key} put into a list"
        case 4:
            where, other = pick(rng, places)
            if other in where if isinstance(where, dict) else other < len(where):
                holder[key] = copy.deepcopy(where[other])
            return f"{key} made a copy of {other}"
        case 5 if isinstance(holder, dict):
            name = pick(rng, (f"{key}x", str(key).upper(), "", "name", "config", "\x00", "__class__"))
            holder[name] = holder.pop(key)
            return f"{key} renamed {name!r}"
        case 6 if isinstance(value, (int, float)) and not isinstance(value, bool):
            holder[key] = changed = pick(rng, (-value, value + 1, value * 1000, value / 3, 10**9, float(value)))
            return f"{key} made {changed}"
        case _:
            holder[key] = pick(rng, (str(value), [[value]], DEEP))
            return f"{key} made text or put deep"
