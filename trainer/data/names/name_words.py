"""What the words in a name say: that a file or folder holds images, or masks, or neither."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from trainer.data.names.folder_meaning import WORD

Role = Literal["image", "mask", "perhaps mask", "other", ""]


def words_of(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


MASK_WORDS = words_of(
    "mask masks gt gts truth truths ground groundtruth groundtruths label labels lbl lbls labelled labeled annotation "
    "annotations annotated annot annots anno annos seg segs segm segms segmentation segmentations segmented manual "
    "delineation delineations matte mattes ho output outputs silhouette silhouettes"
)
# Words that are also said of what an image shows: they count where nothing clearer does.
PERHAPS_MASK = words_of(
    "lesion lesions tumor tumors tumour tumours roi rois target targets binary contour contours outline outlines "
    "foreground object objects vessel vessels nodule nodules polyp polyps instance instances"
)
IMAGE_WORDS = words_of(
    "image images img imgs im ims original originals orig input inputs us ultrasound picture pictures pic pics photo "
    "photos photograph photographs scan scans raw src source frame frames slice slices xray xrays cxr mri ct volume "
    "volumes dermoscopic rgb fundus"
)
# A number behind one of these counts people who drew the same masks, and never images.
OBSERVER = re.compile(r"(?:manual|observer|annotator|rater|reader|expert|radiologist)[-_ ]?\d+", re.IGNORECASE)
OTHER_WORDS = words_of(
    "overlay overlays overlaid pred preds prediction predictions predicted result results preview previews thumb "
    "thumbs thumbnail thumbnails visualization visualizations visualisation visualisations vis viz heatmap heatmaps "
    "superpixel superpixels fov blend blended bbox bboxes checkpoint"
)


def is_mask_word(word: str) -> bool:
    """Whether a word in lower case is said of masks and not of images: `mask`, `submasks`, `segmented`."""
    return word in MASK_WORDS or word.startswith("mask") or word.endswith(("mask", "masks"))


@cache
def role(name: str) -> Role:
    """What a name says that is in a file, or in a folder.

    >>> [role(name) for name in ("labelsTr", "Ground Truth", "image_masks", "lesion", "us", "mask_overlay", "p07")]
    ['mask', 'mask', 'mask', 'perhaps mask', 'image', 'other', '']
    """
    found = [word.lower() for word in WORD.findall(name)]
    if any(word in OTHER_WORDS for word in found):
        return "other"
    if any(is_mask_word(word) for word in found):
        return "mask"
    if any(word in IMAGE_WORDS for word in found):
        return "image"
    return "perhaps mask" if any(word in PERHAPS_MASK for word in found) else ""


def says_role(word: str) -> bool:
    """Whether a word only says what is in a file, and not which one it is."""
    lower = word.lower()
    return is_mask_word(lower) or lower in IMAGE_WORDS or lower in PERHAPS_MASK


@cache
def rest(name: str) -> str:
    """The words and numbers of a name that do not say what is in it, joined by dashes.

    >>> rest("Test_Image_7"), rest("mask_7"), rest("train_masks"), rest("images"), rest("21_manual1")
    ('Test-7', '7', 'train', '', '21')
    """
    return "-".join(word for word in WORD.findall(OBSERVER.sub("", name)) if not says_role(word))
