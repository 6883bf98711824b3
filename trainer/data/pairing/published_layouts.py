"""The layouts that thaw knows: one small function each, which tells the images of a folder from its masks by name.

A layout of your own is one function and one line in `RULES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.data.listing.folder import bare, image_files, one_form, only, subfolders
from trainer.data.listing.items import Item, Items
from trainer.errors import UserError

MASK_SUFFIX = re.compile(r"_mask((?:_\d+)*)$", re.IGNORECASE)
BUSI_CLASSES = ("benign", "malignant", "normal")
# The names that public data sets give their folders of images and of masks; compared without case.
IMAGE_FOLDERS = ("images", "image", "imgs", "img")
MASK_FOLDERS = ("masks", "mask", "gt", "ground_truth", "ground_truth_mask")
LUNGS = ("left lung", "right lung")
JSRT_NAME = re.compile(r"JPC(LN|NN)\d{3}", re.IGNORECASE)
JSRT_CLASSES = {"LN": "nodule", "NN": "no nodule"}
# The organs that SCR outlines, a folder each: all but the lungs are ignored.
SCR_FOLDERS = (*LUNGS, "heart", "left clavicle", "right clavicle")
# Of several people who outlined the vessels, the first is the truth by custom.
RETINA_FOLDERS = (("images",), ("1st_manual", "manual1"))
RETINA_SUFFIX = re.compile(r"_(?:training|test|manual1)$", re.IGNORECASE)
PH2_FOLDER = re.compile(r"(IMD\d+)_(Dermoscopic_Image|lesion|roi)")
CHASE_NAME = re.compile(r"Image_\d+[LR](?:_(?:1st|2nd)HO)?")
CHEST_NAME = re.compile(r"(?:MCUCXR|CHNCXR)_\d+_([01])", re.IGNORECASE)
CHEST_CLASSES = {"0": "normal", "1": "tuberculosis"}


Find = Callable[[Path], Items | None]


@dataclass(frozen=True)
class Rule:
    """A layout: its name, its looks in words, and the function that finds its images and masks, or None.

    `parts`: the masks that every image must have, where a single mask would be wrong, such as one lung of two.
    `plain`: no set that somebody published, but the way in which many name their files. `alone`: it says so little that
    it counts only where no other image files lie beside its folder.
    """

    name: str
    looks: str
    find: Find
    parts: tuple[str, ...] = ()
    plain: bool = False
    alone: bool = False


def busi(folder: Path) -> Items | None:
    """BUSI: class folders whose masks lie beside their images."""
    classes = [folder / label for label in BUSI_CLASSES if (folder / label).is_dir()]
    return suffixed(folder, classes) if classes else None


def flat(folder: Path) -> Items | None:
    """Masks beside their images, told apart by the suffix, in the folder itself or in class folders."""
    images, masks = suffixed(folder, [folder, *subfolders(folder)])
    return (images, masks) if masks else None


def msra(folder: Path) -> Items | None:
    """MSRA10K and MSRA-B: a photograph x.jpg and its mask x.png side by side, in the folder or in `Imgs`."""
    for root in (folder, *(child for child in subfolders(folder) if child.name.lower() == "imgs")):
        items = [item(root, path) for path in image_files(root, "*")]
        images = [image for image in items if image.path.suffix.lower() in (".jpg", ".jpeg")]
        masks = [mask for mask in items if mask.path.suffix.lower() == ".png"]
        whole = len(items) == len(image_files(folder))  # a pair beside another layout is a preview, not the data set
        suffixed_masks = any(MASK_SUFFIX.search(mask.name) for mask in items)  # then the names tell masks from images
        shared = {one_form(image.name) for image in images} & {one_form(mask.name) for mask in masks}
        if whole and not suffixed_masks and shared:
            return images, masks
    return None


def montgomery(folder: Path) -> Items | None:
    """Montgomery as published: one mask per lung, in ManualMask/leftMask and ManualMask/rightMask."""
    manual = folder / "ManualMask"
    if not ((folder / "CXR_png").is_dir() and manual.is_dir()):
        return None
    images = [chest_class(item(folder / "CXR_png", path)) for path in image_files(folder / "CXR_png")]
    masks = [
        replace(item(root, path), part=lung)
        for lung, root in zip(LUNGS, (manual / "leftMask", manual / "rightMask"), strict=True)
        for path in image_files(root)
    ]
    return images, masks


def montgomery_joined(folder: Path) -> Items | None:
    """Montgomery with one mask for both lungs."""
    items = two_folders(("CXR_png",), ("masks",))(folder)
    return items and ([chest_class(image) for image in items[0]], items[1])


def shenzhen(folder: Path) -> Items | None:
    """Shenzhen: `_mask` tells masks from images, anywhere below the folder."""
    items = [Item(bare(path).name, path) for path in only(folder, lambda path: path.stem.upper().startswith("CHNCXR_"))]
    images = [chest_class(image) for image in items if not MASK_SUFFIX.search(image.name)]
    return images, [without_suffix(mask) for mask in items if MASK_SUFFIX.search(mask.name)]


def jsrt(folder: Path) -> Items | None:
    """JSRT's raw .IMG files anywhere below the folder, SCR's masks in folders named after the organs."""
    # Files with other names belong to another data set: to take only some of a folder would lose the rest silently.
    organs = {path: organ_folder(path) for path in only(folder, lambda path: JSRT_NAME.fullmatch(path.stem))}
    masks = [Item(path.stem.upper(), path, part=organ) for path, organ in organs.items() if organ in LUNGS]
    unlabelled = [Item(path.stem.upper(), path) for path, organ in organs.items() if not organ]
    images = [replace(image, label=JSRT_CLASSES[image.name[3:5]]) for image in unlabelled]
    return (images, masks) if images and masks else None


def retina(folder: Path) -> Items | None:
    """DRIVE and HRF: vessels in 1st_manual/ or manual1/; mask/ is no object. Also training/ and test/."""
    roots = [root for root in (folder, *subfolders(folder)) if all(called(root, name) for name in RETINA_FOLDERS)]
    images: list[Item] = []
    masks: list[Item] = []
    for root in roots:
        start = "" if len(roots) == 1 else f"{root.name}/"
        for items, names in zip((images, masks), RETINA_FOLDERS, strict=True):
            for path in image_files(called(root, names) or root, "*"):
                name = bare(path).name
                items.append(Item(start + RETINA_SUFFIX.sub("", name), path, title=start + name))
    return (images, masks) if images and masks else None


def chase(folder: Path) -> Items | None:
    """CHASE_DB1: `Image_01L.jpg` with the first observer's vessels beside it; the second's are not read."""
    paths = only(folder, lambda path: CHASE_NAME.fullmatch(path.stem))
    images = [Item(bare(path).name, path) for path in paths if not path.stem.endswith("HO")]
    masks = [Item(path.stem.removesuffix("_1stHO"), path) for path in paths if path.stem.endswith("_1stHO")]
    return (images, masks) if images and masks else None


def ph2(folder: Path) -> Items | None:
    """PH2: a folder a case, with folders of the image, of the lesion's mask, and of regions that are not read."""
    kinds = {path: PH2_FOLDER.fullmatch(path.parent.name) for path in only(folder, ph2_folder)}
    items = [(Item(found[1], path), found[2]) for path, found in kinds.items() if found]
    images, masks = ([item for item, kind in items if kind == wanted] for wanted in ("Dermoscopic_Image", "lesion"))
    return (images, masks) if images and masks else None


def ph2_folder(path: Path) -> object:
    """Whether a file lies where PH2 has its files."""
    return PH2_FOLDER.fullmatch(path.parent.name)


def two_folders(image_folders: tuple[str, ...], mask_folders: tuple[str, ...]) -> Find:
    """A layout with images in one folder and masks in another under the same name (or name_mask).

    Each folder may have any of the given names; upper and lower case count the same.
    """

    def find(folder: Path) -> Items | None:
        image_root, mask_root = called(folder, image_folders), called(folder, mask_folders)
        if not (image_root and mask_root):
            return None
        images = [item(image_root, path) for path in image_files(image_root)]
        names = {one_form(image.name) for image in images}
        masks = [item(mask_root, path) for path in image_files(mask_root)]
        return images, [mask if one_form(mask.name) in names else without_suffix(mask) for mask in masks]

    return find


# The order matters: the first rule that finds its files wins, and `flat` would also find BUSI's.
RULES: tuple[Rule, ...] = (
    Rule("BUSI", "benign/, malignant/, normal/ with x.png, x_mask.png, x_mask_1.png", busi),
    Rule("DUTS-TR", "DUTS-TR-Image/x.jpg, DUTS-TR-Mask/x.png", two_folders(("DUTS-TR-Image",), ("DUTS-TR-Mask",))),
    Rule("DUTS-TE", "DUTS-TE-Image/x.jpg, DUTS-TE-Mask/x.png", two_folders(("DUTS-TE-Image",), ("DUTS-TE-Mask",))),
    Rule("Montgomery, two lungs", "CXR_png/x.png, ManualMask/leftMask/x.png, rightMask/x.png", montgomery, LUNGS),
    Rule("Shenzhen", "CHNCXR_0001_0.png, CHNCXR_0001_0_mask.png in any folders", shenzhen),
    Rule("Montgomery", "CXR_png/x.png, masks/x.png", montgomery_joined),
    Rule("JSRT", "JPCLN001.IMG, left lung/JPCLN001.gif, right lung/JPCLN001.gif in any folders", jsrt, LUNGS),
    Rule("DRIVE", "images/21_training.tif, 1st_manual/21_manual1.gif (HRF: manual1/); mask/ is no object", retina),
    Rule("CHASE_DB1", "Image_01L.jpg, Image_01L_1stHO.png side by side", chase),
    Rule("PH2", "IMD002/IMD002_Dermoscopic_Image/IMD002.bmp, IMD002/IMD002_lesion/IMD002_lesion.bmp", ph2),
    Rule("Dataset B", "original/000001.png, GT/000001.png", two_folders(("original",), ("GT",))),
    Rule("ECSSD", "images/x.jpg, ground_truth_mask/x.png", two_folders(("images",), ("ground_truth_mask",))),
    Rule("MSRA", "x.jpg, x.png side by side, in the folder itself or in Imgs/", msra, plain=True, alone=True),
    Rule(
        "images and masks",
        "images/x.png, masks/x.png (class folders inside both; imgs/, gt/ and the like will do)",
        two_folders(IMAGE_FOLDERS, MASK_FOLDERS),
        plain=True,
    ),
    Rule("suffix _mask", "x.png, x_mask.png side by side (or so in class folders)", flat, plain=True),
)


def suffixed(root: Path, folders: Iterable[Path]) -> Items:
    """Images and masks that lie side by side in `folders`, the masks told apart by `_mask`, `_mask_1`, ..."""
    images: list[Item] = []
    masks: list[Item] = []
    for folder in folders:
        for file in (item(root, path) for path in image_files(folder, "*")):
            if MASK_SUFFIX.search(file.name):
                masks.append(without_suffix(file))
            else:
                images.append(file)
    return images, masks


def item(root: Path, path: Path) -> Item:
    """A file named by its path below `root` without suffix; a class folder directly below `root` is its label."""
    inside = path.relative_to(root)
    return Item(bare(inside).as_posix(), path, inside.parts[0] if len(inside.parts) == 2 else "")


def without_suffix(mask: Item) -> Item:
    """The mask `benign (1)_mask_1` as part `_1` of the image `benign (1)`."""
    suffix = MASK_SUFFIX.search(mask.name)
    return replace(mask, name=mask.name[: suffix.start()], part=suffix[1]) if suffix else mask


def chest_class(image: Item) -> Item:
    """A Montgomery or Shenzhen image with the class that the last digit of its name states."""
    match = CHEST_NAME.fullmatch(image.path.stem)
    return replace(image, label=CHEST_CLASSES[match[1]]) if match else image


def organ_folder(path: Path) -> str:
    """The organ that SCR's folder of this file is named after, `left lung` or `left_lung` alike; "" if none."""
    name = re.sub(r"[ _-]+", " ", path.parent.name.lower())
    return name if name in SCR_FOLDERS else ""


def called(folder: Path, names: tuple[str, ...]) -> Path | None:
    """The sub-folder of `folder` with one of these names. Two such folders are refused: either could be meant."""
    lowered = {name.lower() for name in names}
    matches = [child for child in subfolders(folder) if child.name.lower() in lowered]
    if len(matches) > 1:
        listed = ", ".join(child.name for child in matches)
        raise UserError(
            f"A data set has one folder of this kind, but {folder} has {listed}. Move the others out of it."
        )
    return matches[0] if matches else None
