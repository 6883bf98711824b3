"""Golden results of pictures: phantoms and composites as they are drawn, a folder as it is read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.trainer.golden.results import Golden, bits, summary
from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.phantoms.breast_ultrasound import ultrasound_phantoms
from trainer.phantoms.chest_xray import chest_phantoms
from trainer.phantoms.composites import composites


def synthetic_images() -> Golden:
    """Phantoms of both modalities, reduced and at their own size, and composites."""
    golden = Golden()
    drawn = {
        "ultrasound": ultrasound_phantoms(3, 64, 5),
        "large ultrasound": ultrasound_phantoms(1, 256, 6),
        "xray": chest_phantoms(3, 64, 3),
    }
    for name, (images, masks, labels) in drawn.items():
        golden.exact |= {f"{name} masks": bits(masks), f"{name} labels": list(labels)}
        golden.close[f"{name} images"] = summary(images)
    images, masks, groups = composites(6, 32, 3)
    golden.exact |= {"composite masks": bits(masks), "composite groups": groups.tolist()}
    golden.close["composite images"] = summary(images)
    return golden


def reading_images() -> Golden:
    """A folder of pictures of several depths and shapes, with near-duplicates and patients: all, and seven drawn."""
    golden = Golden()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_pictures(root / "set")
        configs = {
            "drawn": DataConfig(str(root / "set"), images=7, seed=2, patient=r"(p\d)"),
            "all": DataConfig(str(root / "set"), keep_empty=True),
        }
        for name, config in configs.items():
            cases = load_cases(config, 32, root / "cache")
            golden.exact[f"{name} cases"] = [list(cases.names), list(cases.labels), cases.groups.tolist()]
            golden.exact[f"{name} masks"] = bits(np.asarray(cases.masks))
            golden.close[f"{name} images"] = summary(np.asarray(cases.images))
    return golden


def write_pictures(folder: Path) -> None:
    """Ten pairs in the layout of BUSI: 8 and 16 bits, colour, an empty mask, a mask of another size, two alike."""
    folder.mkdir()
    for number in range(10):
        blotches = np.kron(np.random.default_rng(number % 9).random((6, 8)), np.ones((8, 8)))  # 9 is as 0
        picture = Image.fromarray((255 * blotches).astype(np.uint8))
        if number == 1:
            picture = Image.fromarray((65535 * blotches).astype(np.uint16))
        if number == 2:
            picture = Image.merge("RGB", [picture, picture.rotate(180), picture])
        mask = np.zeros((48, 64), np.uint8)
        mask[5 + number : 30, 10 : 20 + 3 * number] = 255 * (number != 4)
        shown = Image.fromarray(mask)
        name = f"p{number // 2} ({number})"
        picture.save(folder / f"{name}.png")
        (shown.resize((32, 24)) if number == 3 else shown).save(folder / f"{name}_mask.png")
