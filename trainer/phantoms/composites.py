"""Pre-training images: objects cut from one photograph and laid on another. Composites, never natural images.

The photographs are files of the installed scikit-image and scikit-learn, read from disk; nothing is downloaded. The two
from scikit-learn are under CC BY 2.0: `china.jpg` by danielbuechele (flickr.com/photos/danielbuechele/6061409035) and
`flower.jpg` by vultilion (flickr.com/photos/vultilion/6056698931). For the others see scikit-image's `skimage.data`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2gray
from skimage.io import imread

from trainer.errors import UserError
from trainer.phantoms.shapes import Blob, Field, blur, draw_outline, inside, radial_field, resized

SKIMAGE, SKLEARN = "skimage.data", "sklearn.datasets.images"
PHOTOS: dict[str, tuple[str, str]] = {
    "astronaut": (SKIMAGE, "astronaut.png"),
    "brick": (SKIMAGE, "brick.png"),
    "camera": (SKIMAGE, "camera.png"),
    "chelsea": (SKIMAGE, "chelsea.png"),
    "china": (SKLEARN, "china.jpg"),
    "clock": (SKIMAGE, "clock_motion.png"),
    "coffee": (SKIMAGE, "coffee.png"),
    "coins": (SKIMAGE, "coins.png"),
    "flower": (SKLEARN, "flower.jpg"),
    "grass": (SKIMAGE, "grass.png"),
    "gravel": (SKIMAGE, "gravel.png"),
    "motorcycle": (SKIMAGE, "motorcycle_left.png"),
    "rocket": (SKIMAGE, "rocket.jpg"),
}
# Held-out photographs, so that validation sees textures that training never saw: an animal, a building and a texture.
VALIDATION_PHOTOS = ("chelsea", "china", "gravel")
TRAINING_PHOTOS = tuple(name for name in PHOTOS if name not in VALIDATION_PHOTOS)

# A crop shows between 35 % and 100 % of the photograph's shorter side.
CROPS = tuple(float(share) for share in np.geomspace(0.35, 1, 7))
# Area of the object as a share of the image: log-normal around 18 %.
MEDIAN_AREA, AREA_SPREAD, AREA_RANGE = 0.18, 0.55, (0.03, 0.55)


def composites(
    n: int, size: int, seed: int, photos: Sequence[str] = tuple(PHOTOS)
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.int64]]:
    """Draw `n` composites from `photos`: images (n, size, size) in [0, 1], masks of 0 and 1, groups (n,).

    The group is the position in `PHOTOS` of the photograph that the object is cut from; the background comes from
    another. For a validation set that shares no photograph, draw it with `VALIDATION_PHOTOS` and the training set with
    `TRAINING_PHOTOS`. Composite i depends on (seed, i, size, photos) alone. About 1.5 ms each at 64 px.

    Raises `UserError` for fewer than two photographs, an unknown name or a package installed without its photographs.

    >>> images, masks, groups = composites(3, 32, seed=0, photos=VALIDATION_PHOTOS)
    >>> images.shape, {list(PHOTOS)[group] for group in groups} <= set(VALIDATION_PHOTOS)
    ((3, 32, 32), True)
    """
    check_names(photos)
    images, masks = np.empty((n, size, size), np.float32), np.empty((n, size, size), np.uint8)
    groups = np.empty(n, np.int64)
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        over, under = (photos[index] for index in rng.choice(len(photos), 2, replace=False))
        cover = draw_cover(rng, size)
        images[number] = compose(rng, crop(rng, over, size), crop(rng, under, size), cover)
        masks[number] = cover > 0.5
        groups[number] = list(PHOTOS).index(over)
    reduced.cache_clear()  # 100 MB at 256 px, and training follows
    return images, masks, groups


def check_names(photos: Sequence[str]) -> None:
    """Raise `UserError` for an unknown photograph, for fewer than two and for one named twice."""
    unknown = sorted(set(photos) - set(PHOTOS))
    if unknown:
        raise UserError(f"Unknown photographs {', '.join(unknown)}; choose from {', '.join(PHOTOS)}.")
    if len(set(photos)) < 2 or len(set(photos)) < len(photos):
        raise UserError(f"Composites need at least two different photographs, each named once, got {list(photos)}.")


@lru_cache(maxsize=len(PHOTOS))
def photograph(name: str) -> Field:
    """The photograph in grey, (height, width) in [0, 1], at its own resolution."""
    package, file = PHOTOS[name]
    # The plain file, not the package's own loader, which may try to download.
    with as_file(files(package.split(".")[0]).joinpath(*package.split(".")[1:], file)) as path:
        if not path.is_file():
            raise UserError(
                f"The photograph {file} should come with {package} but is not there; reinstall that package."
            )
        pixels = np.asarray(imread(path), float) / 255
    return np.asarray(rgb2gray(pixels[..., :3]) if pixels.ndim == 3 else pixels, float)


@lru_cache(maxsize=len(PHOTOS) * len(CROPS))
def reduced(name: str, size: int, share: float) -> NDArray[np.float32]:
    """The photograph resized so that `size` pixels span `share` of its shorter side: crops are then plain slices."""
    grey = photograph(name)
    scale = size / (share * min(grey.shape))
    height, width = (max(size, round(length * scale)) for length in grey.shape)
    return resized(grey, (height, width)).astype(np.float32)


def crop(rng: np.random.Generator, name: str, size: int) -> Field:
    """A random square of a photograph, (size, size): any of seven scales, flipped or turned, brightness redrawn."""
    grey = reduced(name, size, CROPS[rng.integers(len(CROPS))]).astype(float)
    top, left = (rng.integers(length - size + 1) for length in grey.shape)
    square = grey[top : top + size, left : left + size]
    if rng.random() < 0.25:
        square = np.rot90(square, int(rng.integers(4)))
    if rng.random() < 0.5:
        square = square[:, ::-1]
    mean = float(square.mean())
    redrawn: Field = (square - mean) * rng.uniform(0.5, 1.4) + np.clip(mean + rng.normal(0, 0.15), 0.12, 0.88)
    return redrawn


def draw_cover(rng: np.random.Generator, size: int) -> Field:
    """How far the object covers each pixel, (size, size) in [0, 1]: one to three blobs, at times less a bite."""
    axis = np.linspace(0.5, size - 0.5, size)
    row, column = axis[:, None], axis[None]
    area = np.clip(MEDIAN_AREA * np.exp(rng.normal(0, AREA_SPREAD)), *AREA_RANGE) * size**2
    stretch = np.exp(rng.normal(0, 0.25))
    radii = (float(np.sqrt(area / np.pi) * stretch), float(np.sqrt(area / np.pi) / stretch))
    middle = size * np.clip(rng.normal(0.5, 0.13, 2), 0.2, 0.8)
    softness = rng.uniform(0.04, 0.2)
    body = blob_beside(rng, middle, radii, 0.0, 1.0)
    radial = radial_field(body, row, column)
    for _ in range(rng.integers(0, 3)):
        limb = blob_beside(rng, middle, radii, 0.7, rng.uniform(0.35, 0.75))
        radial = np.minimum(radial, radial_field(limb, row, column))
    cover = inside(radial, softness)
    if rng.random() < 0.25:
        bite = blob_beside(rng, middle, radii, 0.6, rng.uniform(0.25, 0.45))
        cover = cover * (1 - inside(radial_field(bite, row, column), softness / 0.35))
    return cover


def blob_beside(
    rng: np.random.Generator, middle: Field, radii: tuple[float, float], distance: float, scale: float
) -> Blob:
    """A random blob of `scale` times `radii`, about `distance` radii away from `middle`."""
    down, right = rng.normal(0, 1, 2) * distance
    centre = (float(middle[0] + down * radii[0]), float(middle[1] + right * radii[1]))
    outline = draw_outline(rng, rng.uniform(0.05, 0.55), int(rng.integers(3, 10)))
    return Blob(centre, (radii[0] * scale, radii[1] * scale), rng.uniform(-np.pi, np.pi), outline)


def compose(rng: np.random.Generator, over: Field, under: Field, cover: Field) -> Field:
    """Lay `over` on `under`: a slope of light on the object, a background at times out of focus, a shadow, noise."""
    size = cover.shape[0]
    slope = np.linspace(-1, 1, size)
    light = 1 + rng.uniform(-0.3, 0.3) * slope[:, None] + rng.uniform(-0.3, 0.3) * slope[None]
    if rng.random() < 0.5:
        # Half of the images have a shallow depth of field.
        focus = rng.uniform(0.5, 3) * size / 256
        under = blur(under, (focus, focus))
    if rng.random() < 0.5:
        fall = (int(rng.integers(1, 1 + size // 16)), int(rng.integers(-size // 24, 1 + size // 24)))
        under = under * (1 - 0.4 * np.roll(cover, fall, (0, 1)))
    grain = rng.normal(0, rng.uniform(0, 0.03), cover.shape)
    return np.clip(cover * over * light + (1 - cover) * under + grain, 0, 1)
