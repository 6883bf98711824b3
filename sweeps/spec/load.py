"""A spec: TOML in, a frozen and checked `Spec` out, every mistake named at once."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sweeps.spec.search_section import Search, Starts
from sweeps.spec.starts import name_of, pretrain_beside_starts, with_own_start
from sweeps.spec.validation import outer_mistakes, refuse, rules
from trainer.candidate import TrainValue
from trainer.config import DataConfig, ModelConfig, Settings, data_mistakes, model_mistakes
from trainer.errors import UserError

Table = dict[str, Any]
Keep = Literal["best", "all", "none"]
Values = tuple[tuple[str, tuple[TrainValue, ...]], ...]  # of a section such as [search.train]


@dataclass(frozen=True)
class ExternalData:
    """An external test set: where its images are, under which name the sweep reports them."""

    name: str
    data: DataConfig


@dataclass(frozen=True)
class HeldOut:
    """What the sweep of an outer part leaves out: `part`, from 1, of the `parts` of the images of the sweep `of`."""

    part: int
    parts: int
    of: str


@dataclass(frozen=True)
class Spec:
    """A whole experiment: what a score depends on (`settings`) and what is tried (`search`).

    `champion`: refit and register the winner when the sweep has finished. `keep`: whose trained weights stay
    (docs/disk.md); neither belongs to what a sweep measures. `test`: images that every fold's network is scored on,
    which never train and never choose. `outer`: the parts of a nested cross-validation around the sweep, 0 for none;
    `held_out`: set by thaw in the sweep of one such part (docs/nested.md).
    """

    name: str
    settings: Settings = field(default_factory=Settings)
    search: Search = field(default_factory=Search)
    champion: bool = False
    keep: Keep = "best"
    test: tuple[ExternalData, ...] = ()
    outer: int = 0
    held_out: HeldOut | None = None


# Of `[data]`, what a test set shares with it where it says nothing else: what is marked, and in which form images are
# given to the network. Where files lie, who the patients are and what is black and white it has of its own.
SHARED_WITH_TEST = (
    *("modality", "keep_empty", "skip_unpaired", "intensity", "axis", "names"),
    *("foreground", "ignore", "invert", "fill", "colour"),
)
BESIDE_SETTINGS = ("search", "champion", "keep", "test", "outer")  # keys of a spec that are no settings
TEST_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def shipped() -> dict[str, Path]:
    """The specs that come with thaw, by name."""
    return {path.stem: path for path in sorted(Path(str(files("sweeps") / "spec")).glob("*.toml"))}


def load_spec(
    name: str,
    *,
    sets: Sequence[str] = (),
    data: str | None = None,
    masks: str | None = None,
    pretrain: str | None = None,
    model: str | None = None,
    custom: Sequence[str] = (),
    test: Sequence[str] = (),
) -> Spec:
    """Read a shipped spec by name or a TOML file, apply `--set key=value` and the options of their own, check it all.

    `test`: external test sets, as `NAME=FOLDER`.

    A table `[embedded]` in the file (dotted keys) holds what changes when no data are given and the embedded synthetic
    images are used. Raises `UserError` with every mistake, each with its key, the rule and, where one is near, the
    right name.
    """
    path = shipped().get(name) or Path(name)
    table = _read(path, name)
    mistakes: list[str] = []
    embedded = table.pop("embedded", {})
    if not isinstance(embedded, dict):
        mistakes.append(f"'embedded' must be a section with keys, but got {embedded!r}.")
        embedded = {}
    overrides = _flatten(embedded)
    assignments = dict(_assignments(sets, mistakes))
    if data is not None:  # the masks that a spec names are those of its own data
        assignments = {"data.masks": "", **assignments}
    options = (("data.path", data), ("data.masks", masks), ("pretrain.path", pretrain), ("model.path", model))
    assignments |= {key: option for key, option in options if option is not None}
    if custom:
        assignments["model.custom"] = list(custom)
    section = table.get("data", {})
    data_path = assignments.get("data.path", section.get("path") if isinstance(section, dict) else None)
    for key, value in [*(overrides.items() if data_path is None else ()), *assignments.items()]:
        _put(table, key, value, mistakes)
    external = _with_folders(table.pop("test", {}), test, mistakes)
    champion = table.pop("champion", False)
    if not isinstance(champion, bool):
        mistakes.append(f"'champion' must be true or false, but got {champion!r}.")
    keep = table.pop("keep", Spec.keep)
    if keep not in get_args(Keep):
        mistakes.append(f"'keep' must be one of {', '.join(get_args(Keep))}, but got {keep!r}.")
    outer = table.pop("outer", 0)
    search = _build(Search, table.pop("search", {}), "search", mistakes)
    settings = _build(Settings, table, "", mistakes)
    sets_apart = _external(external, settings.data, mistakes)
    mistakes += pretrain_beside_starts(search, settings.pretrain)
    settings = with_own_start(search, settings)
    mistakes += [*rules(search, settings), *outer_mistakes(outer, search)]
    refuse(name, mistakes)
    return Spec(path.stem, settings, search, champion, keep, sets_apart, outer)


def _with_folders(table: Any, test: Sequence[str], mistakes: list[str]) -> Any:
    """`[test]` with the folders of `--test`; what else it says of a set stays."""
    named: dict[str, str] = {}
    for text in test:
        name, equals, folder = (part.strip() for part in text.partition("="))
        if not equals or not folder:
            mistakes.append(f"--test takes NAME=FOLDER, for instance --test clinic=clinic-images, but got '{text}'.")
        elif name in named:
            mistakes.append(f"A test set has one folder, but --test names '{name}' twice: {named[name]} and {folder}.")
        else:
            named[name] = folder
    if not named or not isinstance(table, dict):
        return table
    settings = {name: given for name in named if isinstance(given := table.get(name), dict)}
    return table | {name: {**settings.get(name, {}), "path": folder} for name, folder in named.items()}


def _external(table: Any, data: DataConfig, mistakes: list[str]) -> tuple[ExternalData, ...]:
    """`[test]`: a folder, or a section of settings as in `[data]`, for each name."""
    if not isinstance(table, dict):
        mistakes.append(f"'test' must be a section of name = \"folder\", but got {table!r}.")
        return ()
    shared = {key: getattr(data, key) for key in SHARED_WITH_TEST}
    found = []
    for name, given in table.items():
        if not TEST_NAME.fullmatch(name):
            mistakes.append(
                "A test set's name must be 1 to 32 letters, digits, - and _, and begin with a letter or digit, but "
                f"got '{name}'."
            )
            continue
        fields = given if isinstance(given, dict) else {"path": given}
        config = _build(DataConfig, shared | fields, f"test.{name}", mistakes)
        if config.path is None:
            mistakes.append(f"'test.{name}' must name a folder of images and masks, but got {given!r}.")
            continue
        mistakes += [f"Test set '{name}': {mistake}" for mistake in data_mistakes(config)]
        found.append(ExternalData(name, config))
    return tuple(found)


def blocks_of(text: str | None) -> tuple[tuple[str, ...], ...]:
    """`model.blocks` as it is written in a spec or after `--set`. Raises `UserError` for anything else."""
    if text is None:
        return ()
    mistakes: list[str] = []
    table = dict(_assignments([f"blocks={text}"], mistakes))
    model = _build(ModelConfig, table, "model", mistakes)
    if mistakes or not all(model.blocks):
        raise UserError(f'--blocks takes lists of patterns, such as [["conv1_*"], ["*"]], but got {text}')
    return tuple(model.blocks)


def data_config(data: str, masks: str | None, sets: Sequence[str]) -> DataConfig:
    """`[data]` of a command that needs no spec; `sets` may change that only. Raises `UserError` with every mistake."""
    mistakes: list[str] = []
    table: Table = {"data": {"path": data, "masks": masks or ""}}
    for key, value in _assignments(sets, mistakes):
        if key.partition(".")[0] == "data":
            _put(table, key, value, mistakes)
        else:
            mistakes.append(f"--set takes settings of the data here, such as data.part=train, but got '{key}'.")
    config = _build(DataConfig, table["data"], "data", mistakes)
    if mistakes := [*mistakes, *data_mistakes(config)]:
        raise UserError("\n".join(mistakes))
    assert isinstance(config, DataConfig)
    return config


@dataclass(frozen=True)
class ModelSettings:
    """What is said of a network's file without a spec; `size` is None where nothing says it."""

    config: ModelConfig = field(default_factory=ModelConfig)
    size: int | None = None


AS_IT_IS = ModelSettings()


def model_settings(
    path: str,
    sets: Sequence[str],
    custom: Sequence[str] = (),
    blocks: Sequence[Sequence[str]] = (),
    *,
    colour: bool = False,
) -> ModelSettings:
    """The settings `model.…` of the network in `path` as `--set` gives them. Raises `UserError` with every mistake.

    `colour`: the network is to be given the images' colours.
    """
    mistakes: list[str] = []
    table: Table = {}
    for key, value in _assignments(sets, mistakes):
        section, _, name = key.partition(".")
        if section != "model" or name == "path":
            mistakes.append(f"--set takes settings of the network here, such as model.range=0-255, but got '{key}'.")
        else:
            table[name] = value
    given = {"path": path, "custom": list(custom), "blocks": list(blocks)}
    config = _build(ModelConfig, given | table, "model", mistakes)
    mistakes += model_mistakes(config)
    if mistakes:
        raise UserError(" ".join(mistakes))
    return ModelSettings(replace(config, colour=colour), config.size if "size" in table else None)


def as_table(spec: Spec) -> Table:
    """The resolved spec as plain data, to be recorded and read back."""
    table = {"name": spec.name, **asdict(spec.settings), "search": asdict(spec.search), "champion": spec.champion}
    later: Table = {"keep": spec.keep} if spec.keep != Spec.keep else {}  # not known to thaws of before
    later |= {"outer": spec.outer} if spec.outer else {}
    later |= {"held_out": asdict(spec.held_out)} if spec.held_out else {}
    return table | later | ({"test": {one.name: asdict(one.data) for one in spec.test}} if spec.test else {})


def from_table(table: Table) -> Spec:
    """The inverse of `as_table`; raises `UserError` like `load_spec`."""
    mistakes: list[str] = []
    rest = {key: value for key, value in table.items() if key not in (*BESIDE_SETTINGS, "name", "held_out")}
    search, settings = _build(Search, table["search"], "search", mistakes), _build(Settings, rest, "", mistakes)
    external = _external(table.get("test", {}), settings.data, mistakes)
    held_out = table.get("held_out")
    if mistakes:
        raise UserError("A recorded spec cannot be read: " + " ".join(mistakes))
    return Spec(
        *(table["name"], settings, search, table.get("champion", False), table.get("keep", Spec.keep), external),
        outer=table.get("outer", 0),
        held_out=None if held_out is None else HeldOut(held_out["part"], held_out["parts"], held_out["of"]),
    )


def _read(path: Path, name: str) -> Table:
    if not path.is_file():
        specs = shipped()
        close_matches = get_close_matches(name, specs, n=1)
        hint = f"; did you mean '{close_matches[0]}'?" if close_matches else "."
        raise UserError(f"There is no spec '{name}'{hint} Shipped: {', '.join(specs)}; or give a TOML file.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} must be a TOML file, but it cannot be read: {error}") from error


def _assignments(sets: Sequence[str], mistakes: list[str]) -> Iterator[tuple[str, Any]]:
    """`key=value` pairs; the value is TOML, and a bare word is a string."""
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            mistakes.append(f"--set takes key=value, for instance --set search.epochs=[6,12], but got '{text}'.")
            continue
        try:
            yield key.strip(), tomllib.loads(f"value = {value}")["value"]
        except (ValueError, RecursionError):
            yield key.strip(), value.strip()


def _flatten(table: Table, prefix: str = "") -> Table:
    flat: Table = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _put(table: Table, key: str, value: Any, mistakes: list[str]) -> None:
    *sections, last = key.split(".")
    for section in sections:
        table = table.setdefault(section, {})
        if not isinstance(table, dict):
            mistakes.append(f"'{key}': '{section}' is a value, not a section.")
            return
    table[last] = value


def _build(kind: type[Any], table: Any, where: str, mistakes: list[str]) -> Any:
    """Fill a dataclass from a table, noting every unknown key and every value of the wrong type.

    What is wrong keeps its default, so that the rules can look for further mistakes.
    """
    if not isinstance(table, dict):
        mistakes.append(f"'{where}' must be a section with keys, but got {table!r}.")
        return kind()
    hints = get_type_hints(kind)
    prefix = f"{where}." if where else ""
    known_keys = {item.name for item in fields(kind)} | ({*BESIDE_SETTINGS, "embedded"} if kind is Settings else set())
    values: Table = {}
    for key, value in table.items():
        if key not in known_keys:
            close_matches = get_close_matches(key, known_keys, n=1)
            hint = f"; did you mean '{prefix}{close_matches[0]}'?" if close_matches else "."
            mistakes.append(f"Unknown key '{prefix}{key}'{hint} Known: {', '.join(sorted(known_keys))}.")
        elif is_dataclass(hints[key]):
            values[key] = _build(hints[key], value, f"{prefix}{key}", mistakes)
        else:
            try:
                values[key] = _convert(hints[key], value)
            except ValueError as error:
                mistakes.append(f"'{prefix}{key}' must be {error}, but got {value!r}.")
    return kind(**values)


def _convert(kind: Any, value: Any) -> Any:
    """A TOML value as the annotated type; raises `ValueError` that says in words what was expected."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value in args:
            return value
        raise ValueError("one of " + ", ".join(map(str, args)))
    if origin in (Union, UnionType):
        return None if value is None else _convert_to_any([arg for arg in args if arg is not NoneType], value)
    if kind == Values:
        if not isinstance(value, dict | list | tuple):
            raise ValueError("a section of name = [values]")
        pairs = value.items() if isinstance(value, dict) else value
        return tuple((name, tuple(entry if isinstance(entry, list | tuple) else [entry])) for name, entry in pairs)
    if kind == Starts:
        return _starts(value)
    if origin is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        if get_origin(args[0]) is tuple and not all(isinstance(item, list | tuple) for item in values):
            raise ValueError("a list of lists")
        return tuple(_convert(args[0], item) for item in values)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind in (int, bool, str) and type(value) is kind:
        return value
    raise ValueError({int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}[kind])


def _starts(value: Any) -> Starts:
    """`search.starts`: a section of names, or a list that leaves the names to thaw; pairs are as they were recorded."""
    listed = list(value.items()) if isinstance(value, dict) else value
    found = []
    for start in listed if isinstance(listed, list | tuple) else [None]:
        match [name_of(start), start] if isinstance(start, str) else start:
            case [str(name), str(what)]:
                found.append((name, what))
            case _:
                raise ValueError('a section of name = "what it is", or a list such as ["composites", "scratch"]')
    return tuple(found)


def _convert_to_any(kinds: Sequence[Any], value: Any) -> Any:
    """A TOML value as the first of several types that takes it."""
    expected = []
    for kind in kinds:
        try:
            return _convert(kind, value)
        except ValueError as error:
            expected.append(str(error))
    raise ValueError(" or ".join(expected))


def seeds_of(spec: Spec) -> tuple[int, ...]:
    """Every training seed that the spec's trials use."""
    return spec.search.seeds or (spec.settings.seed,)
