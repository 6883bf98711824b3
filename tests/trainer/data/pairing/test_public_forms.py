"""Public sets and plain habits as small folders in their own names: each is paired, or refused with what to choose."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.trainer.data.drawn import Drawn, touch
from trainer.config import DataConfig
from trainer.data.cases import load_cases
from trainer.data.pairing.sources import find, find_whole
from trainer.errors import UserError

# Image and mask of case {n}; what else lies there comes third, and is not read.
Form = tuple[str, str, *tuple[str, ...]]
READ: dict[str, Form] = {
    # The twelve.
    "CVC-ClinicDB": ("Original/{n}.tif", "Ground Truth/{n}.tif"),
    "Carvana": ("train/{n}_01.jpg", "train_masks/{n}_01_mask.gif"),
    "Carvana with test": ("train/{n}_01.jpg", "train_masks/{n}_01_mask.gif", "test/{n}_07.jpg"),
    "HC18": ("training_set/00{n}_HC.png", "training_set/00{n}_HC_Annotation.png"),
    "HC18 with test": ("training_set/{n}_HC.png", "training_set/{n}_HC_Annotation.png", "test_set/{n}_HC.png"),
    "ISIC flat": ("ISIC_000{n}.jpg", "ISIC_000{n}_segmentation.png"),
    "annotations": ("images/{n}.png", "annotations/{n}.png"),
    "dash": ("{n}.png", "{n}-mask.png"),
    "labels": ("images/{n}.png", "labels/{n}.png"),
    "prefix": ("images/img_{n}.png", "masks/mask_{n}.png"),
    "nnU-Net": ("imagesTr/us_{n}_0000.png", "labelsTr/us_{n}.png"),
    "nnU-Net with test": (
        "Dataset001_X/imagesTr/us_{n}_0000.png",
        "Dataset001_X/labelsTr/us_{n}.png",
        "imagesTs/u{n}.png",
    ),
    "patients": ("p{n}/images/0.png", "p{n}/masks/0.png"),
    "seg": ("{n}.png", "{n}_seg.png"),
    # Others' published forms.
    "ISIC 2016": (
        "ISBI2016_ISIC_Part1_Training_Data/ISIC_{n}.jpg",
        "ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_{n}_Segmentation.png",
    ),
    "ISIC 2017": (
        "ISIC-2017_Training_Data/ISIC_{n}.jpg",
        "ISIC-2017_Training_Part1_GroundTruth/ISIC_{n}_segmentation.png",
        "ISIC-2017_Training_Data/ISIC_{n}_superpixels.png",
    ),
    "ISIC 2018": (
        "ISIC2018_Task1-2_Training_Input/ISIC_{n}.jpg",
        "ISIC2018_Task1_Training_GroundTruth/ISIC_{n}_segmentation.png",
    ),
    "HAM10000": (
        "HAM10000_images_part_1/ISIC_{n}.jpg",
        "HAM10000_segmentations_lesion_tschandl/ISIC_{n}_segmentation.png",
    ),
    "PH2": (
        "PH2 Dataset images/IMD00{n}/IMD00{n}_Dermoscopic_Image/IMD00{n}.bmp",
        "PH2 Dataset images/IMD00{n}/IMD00{n}_lesion/IMD00{n}_lesion.bmp",
        "PH2 Dataset images/IMD00{n}/IMD00{n}_roi/IMD00{n}_R1_Label3.bmp",
    ),
    "BUS-BRA": ("BUSBRA/Images/bus_000{n}-l.png", "BUSBRA/Masks/mask_000{n}-l.png"),
    "TN3K": ("trainval-image/000{n}.jpg", "trainval-mask/000{n}.jpg"),
    "TN3K all": ("{part}-image/000{n}.jpg", "{part}-mask/000{n}.jpg"),
    "DDTI": ("p_image/{n}.PNG", "p_mask/{n}.PNG"),
    "Kvasir-SEG": ("Kvasir-SEG/images/cju{n}.jpg", "Kvasir-SEG/masks/cju{n}.jpg"),
    "CVC-ColonDB": ("CVC-ColonDB/images/{n}.png", "CVC-ColonDB/masks/{n}.png"),
    "Hyper-Kvasir": ("segmented-images/images/a{n}.jpg", "segmented-images/masks/a{n}.jpg"),
    "PolypGen": ("data_C{n}/images_C{n}/x_{n}.jpg", "data_C{n}/masks_C{n}/x_{n}_mask.jpg"),
    "BKAI": ("train/train/a{n}.jpeg", "train_gt/train_gt/a{n}.jpeg"),
    "GlaS": ("train_{n}.bmp", "train_{n}_anno.bmp"),
    "DSB 2018": ("stage1_train/0a{n}b/images/0a{n}b.png", "stage1_train/0a{n}b/masks/f{n}e.png"),
    "REFUGE": ("train/Images/g000{n}.jpg", "train/gts/g000{n}.bmp"),
    "REFUGE as published": (
        "Training400/Glaucoma/g000{n}.jpg",
        "Annotation-Training400/Disc_Cup_Masks/Glaucoma/g000{n}.bmp",
    ),
    "FIVES": ("{part}/Original/{n}_A.png", "{part}/Ground truth/{n}_A.png"),
    "DRIVE": (
        "training/images/2{n}_training.tif",
        "training/1st_manual/2{n}_manual1.gif",
        "training/mask/2{n}_training_mask.gif",
    ),
    "DRIVE with test": (
        "training/images/2{n}_training.tif",
        "training/1st_manual/2{n}_manual1.gif",
        "training/mask/2{n}_training_mask.gif",
        "test/images/0{n}_test.tif",
        "test/mask/0{n}_test_mask.gif",
    ),
    "HRF": ("images/0{n}_dr.JPG", "manual1/0{n}_dr.tif", "mask/0{n}_dr_mask.tif"),
    "CHASE_DB1": ("CHASEDB1/Image_0{n}L.jpg", "CHASEDB1/Image_0{n}L_1stHO.png", "CHASEDB1/Image_0{n}L_2ndHO.png"),
    "COVID radiography": ("COVID/images/COVID-{n}.png", "COVID/masks/COVID-{n}.png"),
    "COVID radiography, all": ("{klass}/images/X-{n}.png", "{klass}/masks/X-{n}.png"),
    "QaTa-COV19": ("Train Set/Images/sub-S0{n}.png", "Train Set/Ground-truths/mask_sub-S0{n}.png"),
    "Chest X-ray masks": ("CXR_png/CHNCXR_000{n}_0.png", "masks/CHNCXR_000{n}_0_mask.png"),
    "LGG MRI": ("kaggle_3m/TCGA_{n}/TCGA_{n}_1.tif", "kaggle_3m/TCGA_{n}/TCGA_{n}_1_mask.tif"),
    "VOC, one folder": ("JPEGImages/200{n}.jpg", "SegmentationClass/200{n}.png"),
    "CamVid": ("train/0{n}.png", "train_labels/0{n}_L.png"),
    "ADE20K": ("images/training/A_{n}.jpg", "annotations/training/A_{n}.png"),
    "Oxford pets": ("images/Cat_{n}.jpg", "annotations/trimaps/Cat_{n}.png"),
    "LiTS as slices": ("volumes/volume-{n}.png", "segmentations/segmentation-{n}.png"),
    "SegTHOR": ("train/Patient_0{n}/Patient_0{n}.png", "train/Patient_0{n}/GT.png"),
    "Massachusetts": ("tiff/train/{n}.tiff", "tiff/train_labels/{n}.tif"),
    # Habits.
    "numbered": ("Test_Image_{n}.png", "mask_{n}.png"),
    "numbered, two folders": ("pics/Test_Image_{n}.png", "truth/mask_{n}.png"),
    "in the middle": ("p1_image_{n}.png", "p1_mask_{n}.png"),
    "per case": ("scans/c{n}/us.png", "scans/c{n}/lesion.png"),
    "zeros": ("images/{n}.png", "masks/00{n}.png"),
    "zeros and case": ("images/IMG_{n}.PNG", "masks/img_00{n}_mask.png"),
    "letter case": ("IMG_{n}.PNG", "img_{n}_mask.png"),
    "letter case in folders": ("Set/Images/A{n}.PNG", "Set/MASKS/a{n}.png"),
    "nested": ("a/b/c/images/{n}.png", "a/b/c/masks/{n}.png"),
    "masks flat": ("images/benign/x{n}.png", "masks/x{n}.png"),
    "images flat": ("images/x{n}.png", "labels/benign/x{n}.png"),
    "parts inside": ("images/{part}/{n}.png", "labels/{part}/{n}.png"),
    "parts outside": ("{part}/images/{n}.png", "{part}/labels/{n}.png"),
    "overlays beside": ("images/{n}.png", "masks/{n}.png", "overlays/{n}.png"),
    "overlays beside, by suffix": ("{n}.png", "{n}_seg.png", "{n}_overlay.png"),
    "mask first": ("{n}.png", "mask_{n}.png"),
    "ground truth in words": ("1/{n} original.png", "1/{n} ground truth.png"),
    "French accents": ("images/\u00e9cho_{n}.png", "labels/e\u0301cho_{n}.png"),
    "odd folder": ("images/{n}.png", "foie/{n}.png"),
    "patient folders, suffix": ("patient_0{n}/a.png", "patient_0{n}/a_seg.png"),
    "further folders": ("train/p{n}/Test_Image_1.png", "seg/bin/p{n}/1_seg.png"),
    "classes inside both": ("JPEGImages/benign/{n}.png", "Ground Truth/benign/{n}_mask.gif"),
    "parts in names": ("train/{n}_training.png", "masks/{n}_HC_Annotation.png"),
    "words behind a dot": ("img.{n}.png", "img.{n}.label.png"),
}
PARTS, CLASSES = ("train", "val", "test"), ("Normal", "COVID", "Lung_Opacity")


def files_of(form: Form) -> tuple[list[str], list[str], list[str]]:
    """Three cases: their images, their masks, and other files."""
    names = [[text.format(n=n + 1, part=PARTS[n], klass=CLASSES[n]) for n in range(3)] for text in form]
    return names[0], names[1], [name for others in names[2:] for name in others]


@pytest.mark.parametrize("form", READ)
def test_a_form_that_people_have_is_paired(tmp_path: Path, form: str) -> None:
    images, masks, others = files_of(READ[form])
    match = find(DataConfig(str(touch(tmp_path, *images, *masks, *others))))
    found = {
        pair.image.relative_to(tmp_path).as_posix(): [mask.relative_to(tmp_path).as_posix() for mask in pair.masks]
        for pair in match.pairs
    }
    assert found == {image: [mask] for image, mask in zip(images, masks, strict=True)}
    assert not (match.without_mask or match.without_image or match.incomplete or match.duplicates)
    assert not others or any("not read" in note for note in match.notes)


# What lies there, and words of the refusal: both readings, as patterns that choose one.
REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "COVID-QU": (
        ("Train/images/c{n}.png", "Train/infection masks/c{n}.png", "Train/lung masks/c{n}.png"),
        ("Two readings", "--masks '{root}/Train/infection masks/*.png'", "--masks '{root}/Train/lung masks/*.png'"),
    ),
    "STARE": (
        ("stare-images/im{n}.png", "labels-ah/im{n}.ah.png", "labels-vk/im{n}.vk.png"),
        ("--masks '{root}/labels-ah/*.ah.png'", "--masks '{root}/labels-vk/*.vk.png'"),
    ),
    "VOC": (
        ("JPEGImages/{n}.jpg", "SegmentationClass/{n}.png", "SegmentationObject/{n}.png"),
        ("SegmentationClass/*.png", "SegmentationObject/*.png"),
    ),
    "BraTS": (
        ("B/B_{n}/B_{n}_t1.png", "B/B_{n}/B_{n}_t2.png", "B/B_{n}/B_{n}_flair.png", "B/B_{n}/B_{n}_seg.png"),
        ("3 readings", "its images may be", "B/*/B_*_flair.png", "B/*/B_*_t1.png"),
    ),
    "nnU-Net, two channels": (
        ("imagesTr/x_{n}_0000.png", "imagesTr/x_{n}_0001.png", "labelsTr/x_{n}.png"),
        ("--data '{root}/imagesTr/*_0000.png' --masks '{root}/labelsTr/*.png'", "*_0001.png"),
    ),
    "CVC-ClinicDB in two formats": (
        ("PNG/Original/{n}.png", "PNG/Ground Truth/{n}.png", "TIF/Original/{n}.tif", "TIF/Ground Truth/{n}.tif"),
        ("PNG/Original and TIF/Original", "in two formats"),
    ),
    "two observers": (("images/{n}.png", "masks/{n}_observer1.png", "masks/{n}_observer2.png"), ("*_observer1.png",)),
    "two observers' folders": (
        ("images/{n}.png", "masks1/{n}.png", "masks2/{n}.png"),
        ("masks1/*.png", "masks2/*.png"),
    ),
    "like DRIVE": (
        ("x/{n}_x.tif", "manual/{n}_x_hand.gif", "mask/{n}_x_mask.gif"),
        ("mask/*_mask.gif", "manual/*_hand"),
    ),
    "two kinds of images": (("images/{n}.png", "images_sharp/{n}.png", "labels/{n}.png"), ("images_sharp/*.png",)),
    "left and right": (("images/{n}.png", "masks/{n}_left.png", "masks/{n}_right.png"), ("*_left.png", "*_right.png")),
    "other words": (("images/benign_{n}.png", "masks/malignant_{n}.png"), ("3 images without mask", "3 masks without")),
    "7 and 07": (
        ("images/{n}.png", "images/0{n}.png", "masks/00{n}.png"),
        ("images may be", "such as images/01.png"),
    ),
    "x.png and x.jpg": (("images/{n}.png", "images/{n}.jpg", "labels/{n}.png"), ("a name of its own",)),
    "no mask of one": (("images/{n}.png", "images/a{n}.png", "labels/{n}.png"), ("3 images without mask (a1.png",)),
    "no masks": (("cats/{n}.png", "dogs/{n}.png"), ("none that thaw knows", "--data table.csv")),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_can_be_read_in_two_ways_is_refused_with_both(tmp_path: Path, form: str) -> None:
    files, words = REFUSED[form]
    touch(tmp_path, *(name.format(n=n) for name in files for n in (1, 2, 3)))
    with pytest.raises(UserError) as refusal:
        find_whole(DataConfig(str(tmp_path)))
    for text in words:
        assert text.format(root=tmp_path) in str(refusal.value)


@pytest.mark.parametrize("form", [form for form, (_, words) in REFUSED.items() if any("*" in word for word in words)])
def test_each_command_of_a_refusal_is_a_reading(tmp_path: Path, form: str) -> None:
    files, _ = REFUSED[form]
    touch(tmp_path, *(name.format(n=n) for name in files for n in (1, 2, 3)))
    with pytest.raises(UserError) as refusal:
        find_whole(DataConfig(str(tmp_path)))
    commands = [shlex.split(line) for line in str(refusal.value).splitlines() if line.startswith("  --data")]
    assert len(commands) >= 2
    for _, images, _, masks in commands:
        assert len(find_whole(DataConfig(images, masks=masks)).pairs) == 3


def test_a_part_is_taken_alone(tmp_path: Path) -> None:
    images, masks, _ = files_of(READ["parts outside"])
    touch(tmp_path, *images, *masks)
    for part, image in zip(("training", "val", "test"), images, strict=True):
        (pair,) = find_whole(DataConfig(str(tmp_path), part=part)).pairs
        assert pair.image == tmp_path / image
    with pytest.raises(UserError, match=r"'data\.part' must name a part .* 'fold1'.*: test, train, val"):
        find_whole(DataConfig(str(tmp_path), part="fold1"))


def test_images_and_masks_of_any_names_are_told_apart_by_their_pixels(tmp_path: Path, drawn: Drawn) -> None:
    numbers = (1, 2, 3)
    for name, images, masks in (
        ("folders", "alpha/{}.png", "beta/{}.png"),
        ("folders, reversed", "beta/{}.png", "alpha/{}.png"),
        ("suffixes", "{}.png", "{}_foo.png"),
        ("cases", "c{}/a.png", "c{}/b.png"),
    ):
        of_images, of_masks = ([text.format(n) for n in numbers] for text in (images, masks))
        match = find(DataConfig(str(drawn.put(tmp_path / name, of_images, of_masks))))
        assert [pair.image.relative_to(tmp_path / name).as_posix() for pair in match.pairs] == of_images
        assert len(match.pairs) == 3


def test_another_folder_of_masks_is_a_second_reading(tmp_path: Path, drawn: Drawn) -> None:
    folder = drawn.put(tmp_path, ["images/1.png", "images/2.png"], ["mask/1.png", "mask/2.png"])
    drawn.put(folder, ["enhanced/1.png", "enhanced/2.png"], [])
    assert find(DataConfig(str(folder))).name == "images and masks"  # images beside images are left out, with a word
    drawn.put(folder, [], ["vessels/1.png", "vessels/2.png"])
    with pytest.raises(UserError, match=r"(?s)Two readings .*mask/\*\.png.*vessels/\*\.png"):
        find(DataConfig(str(folder)))


def test_masks_that_show_photographs_are_left_out_with_a_word(tmp_path: Path, drawn: Drawn) -> None:
    """BUID: the image, its mask, and the lesion cut out of the image."""
    names = [[f"{n} Benign {what}.png" for n in (1, 2)] for what in ("Image", "Mask", "Lesion")]
    match = find(DataConfig(str(drawn.put(tmp_path, [*names[0], *names[2]], names[1]))))
    assert [[mask.name for mask in pair.masks] for pair in match.pairs] == [[name] for name in names[1]]
    assert any(note.startswith("2 files that look like images, not like masks, not read") for note in match.notes)


def test_folders_that_are_patients_are_whole_in_every_fold(tmp_path: Path, drawn: Drawn) -> None:
    names = [f"p{patient}/{{}}/{number}.png" for patient in range(3) for number in range(2)]
    folder = drawn.put(
        tmp_path / "set", [name.format("images") for name in names], [name.format("masks") for name in names]
    )
    cases = load_cases(DataConfig(str(folder)), 16, tmp_path / "cache")
    assert (cases.patients, cases.groups.tolist()) == (3, [0, 0, 1, 1, 2, 2])
    assert "3 patients in 6 images: all images of a patient are in one fold" in cases.notes
    assert load_cases(DataConfig(str(folder), patient=r"(p\d/.*)"), 16, tmp_path / "cache").patients == 6
