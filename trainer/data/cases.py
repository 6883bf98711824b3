"""The cases of a sweep: read once, kept in a cache keyed by content, memory-mapped afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trainer import arithmetic
from trainer.channels import RGB
from trainer.config import DataConfig
from trainer.data.cache import Entry, cached
from trainer.data.digests import content_digest, files_digest, pairing_digest, table_digest
from trainer.data.hidden_names import HIDE, numbered, with_numbered_classes, without_names
from trainer.data.images import read_spaced
from trainer.data.intensity import IntensityRule, decide, rule_of
from trainer.data.masks.label_names import label_names
from trainer.data.masks.reading import all_files, merge, scan
from trainer.data.masks.rule import decide_masks
from trainer.data.masks.suspicions import suspicions
from trainer.data.near_duplicates import large_group_note, near_duplicate_groups
from trainer.data.notes import MaskedPair, colour_note, ignored_note, mask_notes
from trainer.data.pairing.pairs import Layout
from trainer.data.pairing.sources import find_whole, place
from trainer.data.pairing.volumes import sliced
from trainer.data.patients import Find, by_layout, patient_finder, patients_note, together
from trainer.data.subsample import sampled
from trainer.errors import UserError
from trainer.keys import digest, fields_in_key
from trainer.phantoms.breast_ultrasound import ultrasound_phantoms
from trainer.phantoms.chest_xray import chest_phantoms
from trainer.results import IGNORED, OBJECT

Progress = Callable[[int, int], None]
PHANTOMS = 60
# The embedded images by modality: the function that draws them, and their name in messages.
EMBEDDED = {"ultrasound": (ultrasound_phantoms, "ultrasound"), "xray": (chest_phantoms, "chest X-ray")}
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Cases:
    """Images with their truth, ready to train on.

    `images` float32 (n, size, size), or (n, size, size, 3) in colour, in [0, 1] and `masks` uint8 (n, size, size) of 0
    background, 1 object and 255 ignored (such pixels take no part in loss and scores), both possibly read-only memory
    maps; `names` unique, such as "benign/benign (1)"; `labels` "" where unknown; `groups` int64 (n,) the group of each
    case: near-duplicates share theirs, and so do the images of one patient. `source` describes the data in words,
    `readings` how the files were read and what is odd about them, `notes` everything that was left out, resized or
    drawn, each one sentence; `digest` identifies images, masks, names and labels. `duplicates` cases have a
    near-duplicate; `patients` is the number of patients, 0 where unknown. `spacing` float64 (n, 2) in mm from a pixel
    to the next one down and to the right, at working size; NaN where unknown, None where unknown for all. `intensity`:
    the rule by which values became grey.
    """

    images: NDArray[np.float32]
    masks: NDArray[np.uint8]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    groups: NDArray[np.int64]
    layout: str
    source: str
    synthetic: bool
    notes: tuple[str, ...]
    digest: str
    duplicates: int = 0
    patients: int = 0
    spacing: NDArray[np.float64] | None = None
    intensity: IntensityRule = IntensityRule()  # noqa: RUF009
    readings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many cases."""
        return len(self.names)

    @property
    def group_count(self) -> int:
        """How many groups, single images included; folds are made of whole groups."""
        return len(np.unique(self.groups))

    @property
    def known_spacing(self) -> NDArray[np.float64] | None:
        """The spacing where it is known of every case, else None: a mean is over numbers of one unit."""
        if self.spacing is None or not np.all(np.isfinite(self.spacing) & (self.spacing > 0)):
            return None
        return self.spacing

    @property
    def empty_masks(self) -> int:
        """How many cases have nothing marked; they have no Dice."""
        return int((~(self.masks == OBJECT).any(axis=(1, 2))).sum())

    @property
    def has_ignored(self) -> bool:
        """Whether some pixels take no part in loss and scores."""
        return bool((self.masks == IGNORED).any())


def load_cases(
    config: DataConfig, size: int, cache: Path, *, grouped: bool = True, progress: Progress | None = None
) -> Cases:
    """The cases that `config` asks for at `size` x `size`, from the folder `cache` if they were read before.

    `grouped=False` skips the search for near-duplicates (every case its own group). `progress(done, total)` is called
    per file while reading, and not at all when the cache has the cases. Raises `UserError` for every mistake in the
    folder (`trainer.data.pairing`, `trainer.data.images`) or in the names of patients (`trainer.data.patients`), when
    only empty masks are left and when the cache cannot be written.
    """
    patients = patient_finder(config)
    if config.path is None:
        return synthetic_cases(config, size, cache)
    layout, folder = find_whole(config), place(config)
    settings = fields_in_key(asdict(config) | {"masks": ""}, DataConfig)
    key = {
        "files": files_digest(layout, folder, cache),
        "pairs": pairing_digest(layout, folder),
        "config": {**settings, "path": folder.name, "patients": table_digest(config)},
        "layout": layout.name,
        "size": size,
        "grouped": grouped,
        "format": arithmetic.READING_IMAGES,
    }
    if names := label_names(layout):
        key["labels"] = names

    def make() -> Entry:
        return read_folder(folder, config, layout, size, grouped, patients, progress)

    cases = cases_of(cached(cache, digest(key), make))
    layout_notes = without_names(layout.notes) if config.names == HIDE else layout.notes
    return replace(cases, notes=layout_notes + cases.notes)


def synthetic_cases(config: DataConfig, size: int, cache: Path) -> Cases:
    """The embedded default: seeded phantoms of the modality, each its own group, marked as synthetic."""
    if config.modality not in EMBEDDED:
        known = " and ".join(f"'{modality}'" for modality in EMBEDDED)
        raise UserError(
            f"Embedded data exists for modality {known} only, but got {config.modality!r}. Give a folder (--data)."
        )
    draw_phantoms, kind = EMBEDDED[config.modality]
    n = config.images or PHANTOMS
    key = {
        "modality": config.modality,
        "n": n,
        "seed": config.seed,
        "size": size,
        "arithmetic": arithmetic.SYNTHETIC_IMAGES,
    }

    def make() -> Entry:
        images, masks, labels = draw_phantoms(n, size, config.seed)
        about = {
            "names": [f"phantom {number:03d}" for number in range(1, n + 1)],
            "labels": labels,
            "layout": "embedded",
            "source": f"{n} synthetic {kind} phantoms (seed {config.seed})",
            "synthetic": True,
            "notes": [f"synthetic data: it tries the tool out and carries no claim about {kind} images"],
        }
        return entry_of(images, masks, np.arange(n, dtype=np.int64), about)

    return cases_of(cached(cache, digest(key), make))


def read_folder(
    folder: Path,
    config: DataConfig,
    layout: Layout,
    size: int,
    grouped: bool,
    patients: Find | None,
    progress: Progress | None,
) -> Entry:
    """Read every mask, choose the cases, name their patients, read their images, find near-duplicates."""
    pairs, slicing_notes = sliced(layout.pairs, config.axis)
    pairs = with_numbered_classes(pairs) if config.names == HIDE else pairs
    total = len(pairs) + min(config.images or len(pairs), len(pairs))
    scanned = [scan(pair, size) for pair in reporting(pairs, 0, total, progress)]
    mask_rule = decide_masks(all_files(scanned), config, label_names(layout))
    masked = [(masks.pair, merge(masks, mask_rule)) for masks in scanned]
    usable, notes = without_empty(masked, config, size), mask_notes(masked, size, keep_empty=config.keep_empty)
    notes = without_names(notes) if config.names == HIDE else notes
    indices, sampling_note = sampled([pair.label for pair, _ in usable], config)
    cases = [usable[index] for index in indices]
    owners = (patients or by_layout)([pair for pair, _ in cases])
    rule = decide(((pair.image, pair.slice) for pair in pairs), config)
    images = np.empty((len(cases), size, size, *((RGB,) if config.colour else ())), np.float32)
    spacing = np.full((len(cases), 2), np.nan)
    for case, (pair, _) in enumerate(reporting(cases, len(pairs), len(pairs) + len(cases), progress)):
        images[case], spacing[case] = read_spaced(pair.image, size, pair.slice, rule, colour=config.colour)
    alike = near_duplicate_groups(images) if grouped else np.arange(len(cases), dtype=np.int64)
    groups = together(alike, owners) if owners else alike
    masks = np.stack([mask.pixels for _, mask in cases])
    about = {
        "names": numbered(len(cases)) if config.names == HIDE else [pair.name for pair, _ in cases],
        "labels": [pair.label for pair, _ in cases],
        "layout": layout.name,
        "source": folder.name,
        "synthetic": False,
        "notes": [
            *slicing_notes,
            *notes,
            *sampling_note,
            *filter(None, [large_group_note(alike), owners and patients_note(owners)]),
        ],
        "readings": [
            mask_rule.sentence,
            *ignored_note(masks),
            *(f"Images: {note}." for note in rule.notes),
            *colour_note(images),
            *suspicions(
                scanned, mask_rule, np.stack([mask.pixels for _, mask in masked]), float(images.max(initial=0))
            ),
        ],
        "duplicates": duplicates(alike),
        "patients": len(set(owners)),
        "intensity": rule.table(),
    }
    entry = entry_of(images, masks, groups, about, mask_rule.identity + rule.identity)
    return replace(entry, arrays={**entry.arrays, "spacing": spacing}) if np.isfinite(spacing).any() else entry


def duplicates(groups: NDArray[np.int64]) -> int:
    """How many cases share their group with another."""
    sizes = np.bincount(groups)
    return int(sizes[sizes > 1].sum())


def reporting(items: Sequence[T], before: int, total: int, progress: Progress | None) -> Iterator[T]:
    """Yield `items`, and call `progress(before + items done, total)` after each."""
    for done, item in enumerate(items, start=before + 1):
        yield item
        if progress:
            progress(done, total)


def without_empty(masked: Sequence[MaskedPair], config: DataConfig, size: int) -> list[MaskedPair]:
    """The cases with something marked, all of them if `config.keep_empty`. Raises `UserError` where nothing is."""
    marked = [(pair, mask) for pair, mask in masked if (mask.pixels == OBJECT).any()]
    if not marked:
        raise UserError(
            f"Training needs masks with something marked, but {config.path} holds only empty masks "
            f"({len(masked)} images at {size}x{size} pixels). "
            "A mask is white, or of one value, in the object and black elsewhere: are these the right files?"
        )
    return list(masked) if config.keep_empty else marked


def entry_of(
    images: NDArray[np.float32],
    masks: NDArray[np.uint8],
    groups: NDArray[np.int64],
    about: dict[str, Any],
    rules: str = "",
) -> Entry:
    """The cache entry of cases: their arrays, their description and the digest of their content.

    `rules`: by which they were read, where these are not the plain ones.
    """
    identity = content_digest(images, masks, about["names"], about["labels"], rules)
    return Entry({"images": images, "masks": masks, "groups": groups}, {**about, "digest": identity})


ARRAYS = ("images", "masks", "groups", "spacing")


def to_entry(cases: Cases) -> Entry:
    """The inverse of `cases_of`: all that a training needs to know of cases, without the files they were read from."""
    arrays: dict[str, NDArray[Any]] = {"images": cases.images, "masks": cases.masks, "groups": cases.groups}
    if cases.spacing is not None:
        arrays["spacing"] = cases.spacing
    texts = (
        "names",
        "labels",
        "layout",
        "source",
        "synthetic",
        "notes",
        "digest",
        "duplicates",
        "patients",
        "readings",
    )
    about = {name: getattr(cases, name) for name in texts} | {"intensity": cases.intensity.table()}
    return Entry(arrays, about)


def cases_of(entry: Entry) -> Cases:
    """The cases in a cache entry."""
    about = entry.about
    return Cases(
        images=entry.arrays["images"],
        masks=entry.arrays["masks"],
        names=tuple(about["names"]),
        labels=tuple(about["labels"]),
        groups=np.array(entry.arrays["groups"], np.int64),
        layout=about["layout"],
        source=about["source"],
        synthetic=about["synthetic"],
        notes=tuple(about["notes"]),
        digest=about["digest"],
        duplicates=about.get("duplicates", 0),
        patients=about.get("patients", 0),
        spacing=np.array(entry.arrays["spacing"], np.float64) if "spacing" in entry.arrays else None,
        readings=tuple(about.get("readings", ())),
        intensity=rule_of(about["intensity"]) if "intensity" in about else IntensityRule(),
    )
