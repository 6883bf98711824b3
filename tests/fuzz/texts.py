"""Kinds of cases made of text: specs, `--set`, tables of images and of patients, patterns, `dataset.json`."""

from __future__ import annotations

import csv
import io
import json
import math
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from tests.fuzz.judging import Kind, Reading, Trial
from tests.fuzz.mutating import ODD, bytes_changed, deepened, pick, text_changed, tree_changed
from tests.fuzz.picture_files import written
from tests.fuzz.pictures import PAIRS, disc, shades
from tests.fuzz.toml_text import toml_of, value_of
from trainer.config import DataConfig

NAMES = ("p0", "scan é", "A b", "x.y")  # of images 0 to 3
OPTIONS = (
    "images",
    "seed",
    "patient",
    "foreground",
    "ignore",
    "range",
    "intensity",
    "invert",
    "fill",
    "part",
    "layout",
)


# Specs ---------------------------------------------------------------------------------------------------------------


def draw_spec(rng: Generator, folder: Path) -> Trial:
    """A shipped spec, mangled as text, as bytes or as a tree: what is said in it stands, or it is refused."""
    from sweeps.spec.load import shipped

    text = pick(rng, list(shipped().values())).read_text("utf-8")
    path = folder / "mine.toml"
    if rng.random() < 0.6:
        tree, what = tree_changed(rng, tomllib.loads(text))
        path.write_text(deepened(toml_of(tree) if isinstance(tree, dict) else value_of(tree)), "utf-8")
    elif rng.random() < 0.7:
        changed, what = text_changed(rng, text)
        path.write_text(changed, "utf-8", newline="")
    else:
        data, what = bytes_changed(rng, text.encode())
        path.write_bytes(data)
    sets = [odd_setting(rng)] if rng.random() < 0.3 else []
    given = dict(kept_setting(one) for one in sets)

    def read() -> Reading:
        from sweeps.spec.load import as_table, load_spec

        found = flat(as_table(load_spec(str(path), sets=sets)))
        asked = stated(path)
        if "data.path" in asked | given:
            asked = {key: value for key, value in asked.items() if not key.startswith("embedded.")}
        asked = {key.removeprefix("embedded."): value for key, value in asked.items()} | given
        return {key: (key in found and alike(found[key], value), value) for key, value in asked.items()}

    def other() -> Reading:
        asked = stated(path)
        if "data.path" in asked | given:
            asked = {key: value for key, value in asked.items() if not key.startswith("embedded.")}
        asked = {key.removeprefix("embedded."): value for key, value in asked.items()} | given
        return {key: (True, value) for key, value in asked.items()}

    return Trial(f"{what}, --set {sets}", read, None, other)


def odd_setting(rng: Generator) -> str:
    """What somebody might write behind --set."""
    key = pick(
        rng, ("folds", "seed", "data.images", "model.size", "search.epochs", "search.train", "data.range", "name")
    )
    return f"{pick(rng, (key, key, key + '.x', '', key.upper(), '.'))}={value_of(pick(rng, ODD))}"


def kept_setting(text: str) -> tuple[str, Any]:
    key, _, value = text.partition("=")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def stated(path: Path) -> dict[str, Any]:
    """What a spec says, by dotted keys."""
    return flat(tomllib.loads(path.read_text("utf-8-sig")))


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and prefix + key != "search.train":
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def alike(found: Any, said: Any) -> bool:
    """Whether a setting is what was said: tuples for lists, a single value for a list of one, floats for whole ones."""
    if isinstance(said, dict):
        return {name: list(values) for name, values in found} == {
            name: value if isinstance(value, list) else [value] for name, value in said.items()
        }
    if isinstance(found, (tuple, list)):
        members = said if isinstance(said, (list, tuple)) else [said]
        return len(found) == len(members) and all(map(alike, found, members))
    return (type(found) is type(said) and found == said) or (
        type(found) is float and type(said) is int and math.isclose(found, said)
    )


# Tables --------------------------------------------------------------------------------------------------------------


def write_pictures(folder: Path) -> None:
    """Images 0 to 3 in `scans`, with their masks beside them as `-truth`."""
    (folder / "scans").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (folder / "scans" / f"{name}.png").write_bytes(written(shades(number), ".png", "L"))
        (folder / "scans" / f"{name}-truth.png").write_bytes(written(disc(number), ".png", "L"))


def draw_table(rng: Generator, folder: Path) -> Trial:
    """A table of images and masks: rows mangled, then written as some program would write them, then perhaps broken."""
    write_pictures(folder)
    rows = [
        {
            "image": f"scans/{name}.png",
            "mask": f"scans/{name}-truth.png",
            "patient": f"P{number // 2}",
            "class": "ab"[number % 2],
        }
        for number, name in enumerate(NAMES)
    ]
    what = mangle_rows(rng, rows) if rng.random() < 0.5 else "rows as they were"
    columns = list(rows[0]) if rows else ["image", "mask"]
    data, how = table_bytes(rng, rows, columns)
    broken = ""
    if rng.random() < 0.4:
        data, broken = bytes_changed(rng, data)
    path = folder / pick(rng, ("set.csv", "set.tsv", "set.txt", "Set.CSV"))
    path.write_bytes(data)

    def read() -> Reading:
        from trainer.data.pairing.sources import find_whole

        layout = find_whole(DataConfig(str(path)))
        return {
            pair.image.name: (sorted(mask.name for mask in pair.masks), pair.patient, pair.label)
            for pair in layout.pairs
        }

    def meant() -> Reading:
        found: dict[str, Any] = {}
        for row in rows:
            image = Path(row.get("image", "").strip().replace("\\", "/")).name
            mask = Path(row.get("mask", "").strip().replace("\\", "/")).name
            masks = found.setdefault(image, ([], row.get("patient", "").strip(), row.get("class", "").strip()))[0]
            if mask not in masks:
                masks.append(mask)
        return {image: (sorted(masks), patient, label) for image, (masks, patient, label) in found.items()}

    return Trial(f"{what}, {how}, {broken}", read, meant, free=bool(broken))


def mangle_rows(rng: Generator, rows: list[dict[str, str]]) -> str:
    """Change the rows of a table; what is meant is what they then say."""
    row, other = pick(rng, rows), pick(rng, rows)
    column = pick(rng, list(row))
    match int(rng.integers(8)):
        case 0:
            rows.remove(row)
            return "a row taken out"
        case 1:
            rows.append(dict(row))
            return "a row twice"
        case 2:
            row[column], other[column] = other[column], row[column]
            return f"two cells of {column} swapped"
        case 3:
            row[column] = pick(
                rng, ("", " ", "../x.png", "/etc/passwd", "scans", "scans/missing.png", "a,b;c\td", '"', "NaN")
            )
            return f"{column} made {row[column]!r}"
        case 4:
            row["image"], row["mask"] = row["mask"], row["image"]
            return "image and mask swapped in one row"
        case 5:
            for each in rows:
                each.pop(column)
            return f"column {column} taken out"
        case 6:
            rows.append({**row, "mask": other["mask"]})
            return "a second mask of an image"
        case _:
            row["mask"] = row["image"]
            return "an image as its own mask"


def table_bytes(rng: Generator, rows: list[dict[str, str]], columns: list[str]) -> tuple[bytes, str]:
    """Rows as a spreadsheet, a script or an editor would write them."""
    order = [columns[int(place)] for place in rng.permutation(len(columns))]
    separator, encoding = pick(rng, ",;\t"), pick(rng, ("utf-8", "utf-8-sig", "utf-16", "latin-1"))
    end, upper = pick(rng, ("\n", "\r\n")), rng.random() < 0.2
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=separator, lineterminator=end, quoting=pick(rng, (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    )
    writer.writerow([name.upper() if upper else name for name in order])
    writer.writerows([row.get(name, "") for name in order] for row in rows)
    form = pick(rng, ("NFC", "NFC", "NFD"))
    written_text = unicodedata.normalize(form, text.getvalue())
    if rng.random() < 0.2:
        written_text = written_text.replace("scans/", "scans\\")
    if rng.random() < 0.2:
        written_text = written_text.replace(end, end + end)
    return written_text.encode(encoding, "replace"), f"{separator!r} {encoding} {form}"


def draw_patients(rng: Generator, folder: Path) -> Trial:
    """A table of patients beside a folder."""
    from trainer.data.pairing.sources import find_whole
    from trainer.data.patients import patient_finder

    write_pictures(folder)
    for path in list((folder / "scans").glob("*-truth.png")):
        path.rename(path.with_name(path.name.replace("-truth", "_mask")))
    rows = [
        {"image": name + pick(rng, ("", ".png")), "patient": f"P{number // 2}"} for number, name in enumerate(NAMES)
    ]
    data, how = table_bytes(rng, rows, ["image", "patient"])
    broken = ""
    if rng.random() < 0.6:
        data, broken = bytes_changed(rng, data)
    path = folder / "patients.csv"
    path.write_bytes(data)
    config = DataConfig(str(folder / "scans"), patients=str(path))

    def read() -> Reading:
        finder = patient_finder(config)
        assert finder is not None
        pairs = find_whole(config).pairs
        return dict(zip([pair.image.name for pair in pairs], finder(pairs), strict=True))

    def meant() -> Reading:
        return {f"{name}.png": f"P{number // 2}" for number, name in enumerate(NAMES)}

    return Trial(f"patients, {how}, {broken}", read, meant, free=bool(broken))


# Patterns and labels -------------------------------------------------------------------------------------------------


def draw_patterns(rng: Generator, folder: Path) -> Trial:
    """Two patterns over a fixed tree: whatever pairs with whatever, image and mask are of one number."""
    images, masks = pick(
        rng,
        (
            ("{0}/*/us.png", "{0}/*/lesion.png"),
            ("{0}/**/us.png", "{0}/**/lesion.png"),
            ("{0}/case-?/us.*", "{0}/case-?/les*"),
            ("{0}/case-[0-9]/us.png", "{0}/case-[0-9]/lesion.png"),
        ),
    )
    for number in range(PAIRS):
        place = folder / "set" / f"case-{number}"
        place.mkdir(parents=True)
        (place / "us.png").write_bytes(written(shades(number), ".png", "L"))
        (place / "lesion.png").write_bytes(written(disc(number), ".png", "L"))
    patterns = [images.format(folder / "set"), masks.format(folder / "set")]
    words = []
    if rng.random() < 0.9:
        which = int(rng.integers(2))
        start = len(str(folder / "set"))
        changed, what = text_changed(rng, patterns[which][start:])
        if rng.random() < 0.3:
            changed += pick(rng, ("[", "]", "[!", "[]", "**", "***", "(", "\\", "{a,b}", "*" * 30, "/../set/*/us.png"))
        patterns[which] = patterns[which][:start] + changed
        words.append(f"{which}: {what}")
    config = DataConfig(patterns[0], masks=patterns[1])

    def read() -> Reading:
        from trainer.data.pairing.sources import find_whole

        pairs = find_whole(config).pairs
        return {"of one case": all(pair.image.parent == mask.parent for pair in pairs for mask in pair.masks)}

    return Trial(
        f"{patterns[0]!r:.200} {patterns[1]!r:.200}; {'; '.join(words)}", read, lambda: {"of one case": True}, free=True
    )


def draw_labels(rng: Generator, folder: Path) -> Trial:
    """`dataset.json` beside masks of labels 0 to 2, of which a name in it is asked for."""
    from trainer.data.cases import load_cases

    for name in ("images", "masks"):
        (folder / "set" / name).mkdir(parents=True)
    for number in range(PAIRS):
        mask = disc(number) // 255
        mask[20:28, 22:30] = 2
        (folder / "set" / "images" / f"p{number}.png").write_bytes(written(shades(number), ".png", "L"))
        (folder / "set" / "masks" / f"p{number}.png").write_bytes(written(mask, ".png", "L"))
    content = {
        "channel_names": {"0": "us"},
        "labels": {"background": 0, "cyst": 1, "tumour": 2},
        "numTraining": PAIRS,
        "file_ending": ".png",
    }
    path = folder / "set" / "dataset.json"
    if rng.random() < 0.6:
        tree, what = tree_changed(rng, content)
        path.write_bytes(json_of(tree))
    else:
        data, what = bytes_changed(rng, json.dumps(content).encode())
        path.write_bytes(data)
    config = DataConfig(str(folder / "set"), foreground=(pick(rng, ("tumour", "tumour", 2)),))

    def read() -> Reading:
        cases = load_cases(config, 32, folder / "out")
        return {name: cases.masks[number] for number, name in enumerate(cases.names)}

    def meant() -> Reading:
        mask = np.zeros((32, 32), np.uint8)
        mask[20:28, 22:30] = 1
        return {f"p{number}": mask for number in range(PAIRS)}

    def labels() -> Reading | None:
        """What the file says of the name that is asked for."""
        names = json.loads(path.read_text("utf-8-sig"))["labels"]
        number = names.get("tumour") if isinstance(names, dict) else None
        found = {}
        for case in range(PAIRS):
            mask = disc(case) // 255
            mask[20:28, 22:30] = 2
            found[f"p{case}"] = np.isin(mask, number if number is not None else ()).astype(np.uint8)
        return found

    return Trial(f"dataset.json: {what}", read, meant, labels, writes=True)


def json_of(tree: Any) -> bytes:
    """A tree as JSON."""
    return deepened(json.dumps(tree, ensure_ascii=False)).encode("utf-8", "replace")


KINDS = (
    Kind("spec", 10, draw_spec),
    Kind("table of images", 8, draw_table),
    Kind("table of patients", 3, draw_patients),
    Kind("patterns", 4, draw_patterns),
    Kind("dataset.json", 3, draw_labels),
)
