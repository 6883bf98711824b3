"""The two patterns that say which files belong together, found from the pairs and tried on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from trainer.data.listing.folder import bare, one_form
from trainer.data.listing.patterns import apart, below
from trainer.data.names.keys import without_shared

FIRST = 50


def pattern_pair(root: Path, masks_of: Mapping[Path, Sequence[Path]], files: Sequence[Path]) -> tuple[str, str] | None:
    """Two patterns below `root` that pair just these images with these masks among `files`; None where none do."""
    if not masks_of:
        return None
    images = [inside(root, image) for image in masks_of]
    pairs = [(image, mask) for image, of_one in masks_of.items() for mask in of_one]
    masks = [(inside(root, image), inside(root, mask)) for image, mask in pairs]
    tried = [path for pair in pairs[:FIRST] for path in pair]
    image_templates = [*templates(images), *affixed([(mask, image) for image, mask in masks])]
    mask_templates = [*affixed(masks), *templates([mask for _, mask in masks])]
    for of_images, of_masks in product(image_templates, mask_templates):
        # Most are wrong, and some sets are large: a few files first.
        fits = paired(root, of_images, of_masks, tried) == set(pairs[:FIRST])
        if fits and paired(root, of_images, of_masks, files) == set(pairs):
            return of_images, of_masks
    return None


def inside(root: Path, path: Path) -> tuple[tuple[str, ...], str, str]:
    """The folders, the name without suffix and the suffix of a file below `root`, composed (Unicode's NFC)."""
    *folders, stem = (one_form(part) for part in bare(path.relative_to(root)).parts)
    return tuple(folders), stem, path.name[len(bare(path).name) :]


Inside = tuple[tuple[str, ...], str, str]


def templates(files: Sequence[Inside]) -> Iterator[str]:
    """Patterns that fit all files: with what all names share written out, and with a wildcard for the whole name."""
    folders, stems, suffixes = zip(*files, strict=True)
    suffix = suffixes[0] if len(set(suffixes)) == 1 else ".*"
    for start in folder_templates(folders):
        yield start + "*" + suffix
        yield start + with_wildcard(stems) + suffix
        if len(set(stems)) == 1:
            yield start + stems[0] + suffix


def affixed(pairs: Sequence[tuple[Inside, Inside]]) -> Iterator[str]:
    """Patterns of the second of each pair, where its name is that of the first with something before or behind it."""
    affixes = {second[1].partition(first[1])[::2] if first[1] in second[1] else None for first, second in pairs}
    suffixes = sorted({second[2] for _, second in pairs})
    if len(affixes) == 1 and (affix := next(iter(affixes))) is not None:
        for start in folder_templates([second[0] for _, second in pairs]):
            yield f"{start}{affix[0]}*{affix[1]}{suffixes[0] if len(suffixes) == 1 else '.*'}"


def folder_templates(folders: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """The folders on the way, written out where all files share them, else as wildcards."""
    depth = min(map(len, folders))
    if len(set(map(len, folders))) > 1:
        shared = next((n for n in range(depth) if len({names[n] for names in folders}) > 1), depth)
        yield "".join(f"{name}/" for name in folders[0][:shared]) + "**/"
        return
    columns = [[names[n] for names in folders] for n in range(depth)]
    for written in (False, True):
        yield "".join(
            f"{column[0] if len(set(column)) == 1 else with_wildcard(column) if written else '*'}/"
            for column in columns
        )


def with_wildcard(names: Sequence[str]) -> str:
    """What all names share at their beginning and end, with a wildcard between."""
    short, _ = without_shared(names)
    start = names[0].find(short[0]) if short[0] else len(names[0])
    return f"{names[0][:start]}*{names[0][start + len(short[0]) :]}"


def paired(root: Path, images: str, masks: str, files: Sequence[Path]) -> set[tuple[Path, Path]]:
    """The pairs among `files` that two patterns make; none where they cannot."""
    of_images, of_masks = below(root, images), below(root, masks)
    if not 1 <= of_images.wildcards <= of_masks.wildcards:
        return set()
    found_images, found_masks = apart(of_images.among(files), of_masks.among(files))
    by_text = {text: image for image, text in found_images.items()}
    if len(by_text) < len(found_images):
        return set()
    n = of_images.wildcards
    pairs = {(by_text.get(text[:n]), mask) for mask, text in found_masks.items()}
    known = {(image, mask) for image, mask in pairs if image}
    return known if len(known) == len(pairs) and {image for image, _ in known} == set(found_images) else set()
