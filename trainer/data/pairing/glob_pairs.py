"""Images and masks by two patterns whose wildcards pair them: `scans/*/us.png` with `scans/*/lesion.png`."""

from __future__ import annotations

from trainer.data.listing.folder import case_names
from trainer.data.listing.items import Item
from trainer.data.listing.patterns import apart, pattern
from trainer.data.names.folder_meaning import in_words, meanings
from trainer.data.pairing.joining import joined
from trainer.data.pairing.pairs import Match
from trainer.errors import UserError


def match_patterns(images: str, masks: str) -> Match:
    """The pairs of two patterns: an image and the masks for which the wildcards stand for the same text.

    Where `masks` has more wildcards than `images`, the first ones pair, and the others tell several masks of an image
    apart. Raises `UserError` for patterns that cannot pair, or that fit no file.
    """
    of_images, of_masks = pattern(images), pattern(masks)
    if not 1 <= of_images.wildcards <= of_masks.wildcards:
        raise UserError(
            "The wildcards of two patterns pair images with masks, so the masks need as many as the images (or more, "
            f"for several masks of one image), but '{images}' has {of_images.wildcards} and '{masks}' "
            f"{of_masks.wildcards}."
        )
    image_paths, mask_paths = apart(of_images.files(), of_masks.files())
    for kind, found, text in (("image", image_paths, images), ("mask", mask_paths, masks)):
        if not found:
            raise UserError(
                f"A pattern must fit image files, but no {kind} fits '{text}'. Quote it, and check its parts."
            )
    titles = case_names(list(image_paths))
    folders = [title.split("/")[:-1] for title in titles]
    known = meanings(folders)
    n = of_images.wildcards
    found_images = [
        Item("\0".join(text), path, one.label, title=title, patient=one.patient)
        for (path, text), title, one in zip(image_paths.items(), titles, known, strict=True)
    ]
    found_masks = [Item("\0".join(text[:n]), path, part="\0".join(text[n:])) for path, text in mask_paths.items()]
    how = (f"paired by wildcards (images {images}, masks {masks})", *in_words(known))
    roots = [of_images.root] + [of_masks.root] * (not of_masks.root.is_relative_to(of_images.root))
    return joined("patterns", roots[0], found_images, found_masks, how=how, elsewhere=roots[1:])
