"""A network from a file: `.keras` or a whole-model `.h5`, told apart by content. Nothing in it is run or imported.

A layer of somebody's own needs the code of its class. The file only names it, and whoever wrote the file chose that
name, so thaw imports nothing but the modules that its user names (`--custom`, `model.custom`).
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from trainer.errors import UserError
from trainer.network.archive_sizes import check_sizes
from trainer.network.keras_settings import check_settings

SUFFIXES: Mapping[bytes, str] = {b"PK\x03\x04": ".keras", b"\x89HDF": ".h5"}  # by a file's first four bytes
FACTORIES = ("layers", "activations", "initializers", "regularizers", "constraints", "ops", "models", "quantizers")


def load_network(path: Path, custom: Sequence[str] = (), called: str = "") -> keras.Model:
    """Read a whole network; a `Sequential` becomes the functional model that it is.

    `custom`: modules to import first, because they register layers of their own. `called`: what its user calls the
    file, where `path` is thaw's copy of it. Raises `UserError` for a missing file,
    one that holds no network, and one with layers whose classes are unknown or that hold code, and where Keras is set
    to other numbers or another layout than thaw's.
    """
    check_settings()
    suffix = suffix_of(checked_file(path))
    check_sizes(path, called)
    import_custom(custom)
    with tempfile.TemporaryDirectory() as folder:
        readable = path  # Keras goes by the name
        if path.suffix != suffix:
            readable = Path(folder) / f"network{suffix}"
            shutil.copyfile(path, readable)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of optimizers and metrics, which are not read
                network = keras.saving.load_model(readable, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises whatever a damaged or foreign description leads to
            raise UserError(_reason(called or str(path), readable, suffix, error)) from error
    return as_functional(network)


def as_functional(network: keras.Model) -> keras.Model:
    """The functional model of a `Sequential`; any other network as it is.

    Raises `UserError` for a `Sequential` that does not say what it reads.
    """
    if not isinstance(network, keras.Sequential):
        return network
    if network._functional is None:
        raise UserError(
            f"A Sequential network must say what it reads, but '{network.name}' was saved before it was built. Let it "
            "begin with keras.Input((height, width, channels))."
        )
    return keras.Model(network.inputs, network.outputs, name=network.name)


def checked_file(path: Path) -> Path:
    """Return `path` if it is a file. Raises `UserError` otherwise."""
    if not path.is_file():
        raise UserError(f"There is no model file {path}. Give a .keras file saved by Keras 3, or a whole-model .h5.")
    return path


def suffix_of(path: Path) -> str:
    """`.keras` or `.h5`, by what the file holds. Raises `UserError` for any other content."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic not in SUFFIXES:
        raise UserError(
            f"{path} must be a Keras model saved as .keras or .h5, but it cannot be read: it is neither by its content."
        )
    return SUFFIXES[magic]


def holds_network(path: Path) -> bool:
    """Whether a file holds a whole network, and not weights only."""
    with path.open("rb") as file:
        suffix = SUFFIXES.get(file.read(4))
    if suffix != ".h5":
        return suffix == ".keras"
    try:
        return _description(path, suffix) is not None
    except (OSError, ValueError, KeyError):  # damaged: whoever reads it says so
        return False


def import_custom(names: Sequence[str]) -> list[ModuleType]:
    """Import modules that register layers; the current folder counts too. Raises `UserError` for what is none."""
    modules = []
    for name in names:
        if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
            raise UserError(f"--custom must name a module as in an import, such as mylab.layers, but got '{name}'.")
        here = str(Path.cwd())
        sys.path.append(here)
        try:
            modules.append(importlib.import_module(name))
        except Exception as error:  # whatever the module's own code raises
            raise UserError(
                f"--custom must name a module that can be imported, but '{name}' cannot: {error!r}. Install its "
                "package, or start thaw in the folder that holds it."
            ) from error
        finally:
            sys.path.remove(here)
    return modules


def custom_code(names: Sequence[str]) -> str:
    """Digest of the source of these modules and of the packages among them, 16 hex digits; empty for none."""
    if not names:
        return ""
    sha = hashlib.sha256()
    for module in import_custom(sorted(set(names))):
        file = Path(str(module.__file__))
        for source in sorted(file.parent.rglob("*.py")) if file.stem == "__init__" else [file]:
            sha.update(source.read_bytes())
    return sha.hexdigest()[:16]


def _reason(path: str, readable: Path, suffix: str, error: Exception) -> str:
    """What keeps a network from being read, and what to do."""
    try:
        description = _description(readable, suffix)
    except Exception:  # damaged: what Keras says is all there is
        description = None
    if description is None and suffix == ".h5":
        return (
            f"{path} must hold a whole network, but it holds weights only or is damaged. Save the network with "
            "model.save('name.keras')."
        )
    described = list(_described(description))
    if held := [name for name, kind, *_ in described if kind == "Lambda" and "ambda" in str(error)]:
        return (
            f"{path} must do without Lambda layers, but {_listed(held)} holds Python code, and thaw runs no code out "
            "of a file. Write the layer with keras.ops functions, or as a registered class of a module for --custom."
        )
    if unknown := sorted({_named(*entry) for entry in described if not _is_known(*entry)}):
        return (
            f"{path} needs classes that do not come with Keras: {'; '.join(unknown)}. A file makes thaw import "
            "nothing: if you trust it, name the module that registers them: --custom mylab.layers (model.custom)."
        )
    lines = [line for line in str(error).splitlines() if line.strip()]
    cause = next((line for line in lines if line.startswith("Exception encountered: ")), (lines or [repr(error)])[0])
    return (
        f"{path} must be a Keras model saved as {suffix}, but it cannot be read: "
        f"{cause.removeprefix('Exception encountered: ')[:300]}"
    )


def _description(path: Path, suffix: str) -> Any:
    """The configuration of the network in a file, as JSON holds it; None where there is none. Raises what reading a
    damaged file does.
    """
    if suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    import h5py  # type: ignore[import-untyped]  # Keras's own

    with h5py.File(path) as file:
        text = file.attrs.get("model_config")
    return None if text is None else json.loads(text)


Described = tuple[str, str, str, str]


def _described(value: Any, layer: str = "") -> Iterator[Described]:
    """Every object of a description: its layer, its class or function, the name it is registered by, its module."""
    if isinstance(value, Mapping):
        config = value.get("config")
        if isinstance(value.get("class_name"), str):
            kind = value["class_name"]
            if isinstance(config, Mapping):
                layer = str(config.get("name", layer))
            elif kind == "function":
                kind = str(config)
            yield layer, kind, str(value.get("registered_name") or ""), str(value.get("module") or "")
        for part in value.values():
            yield from _described(part, layer)
    elif isinstance(value, list):
        for part in value:
            yield from _described(part, layer)


def _is_known(layer: str, kind: str, registered: str, module: str) -> bool:
    if module == "keras" or module.startswith("keras."):
        return True
    if any(keras.saving.get_registered_object(name) is not None for name in (registered, kind) if name):
        return True
    places = [keras, *(getattr(keras, name, None) for name in FACTORIES)]
    return kind.startswith("__") or any(hasattr(place, kind) for place in places)


def _named(layer: str, kind: str, registered: str, module: str) -> str:
    origin = [f"registered as {registered}"] if registered and registered != kind else []
    origin += [f"of module {module}"] if module and module != "builtins" else []
    where = f" (layer '{layer}')" if layer else ""
    return kind + (f", {', '.join(origin)}" if origin else "") + where


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
