"""Specs: TOML in, checked data out, every mistake at once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.spec.load import Spec, as_table, from_table, load_spec, shipped
from trainer.errors import UserError


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_specs_are_sound_and_come_back_from_their_record(name: str) -> None:
    spec = load_spec(name)
    assert spec.name == name and from_table(as_table(spec)) == spec


def test_ultrasound_is_the_laptop_size_of_the_protocol() -> None:
    given = load_spec("ultrasound", data="pictures").settings
    assert (given.model.size, given.model.filters, given.folds, given.train.batch) == (64, 8, 5, 16)
    assert (given.data.images, given.augmentation.total, given.train.loss) == (160, 480, "bce+dice")


def test_xray_differs_from_ultrasound_in_its_pictures_alone() -> None:
    for data in (None, "pictures"):
        xray, ultrasound = (load_spec(name, data=data) for name in ("xray", "ultrasound"))
        modality = replace(ultrasound.settings.data, modality="xray")
        assert xray.search == ultrasound.search
        assert xray.settings == replace(ultrasound.settings, data=modality)


@pytest.mark.parametrize(("name", "images"), [("paper-ultrasound", 163), ("paper-xray", 240)])
def test_the_papers_specs_are_the_study_in_numbers(name: str, images: int) -> None:
    embedded, given = load_spec(name), load_spec(name, data="pictures", pretrain="natural")
    settings, search = given.settings, given.search
    assert (settings.model.size, settings.model.filters, settings.folds) == (256, 64, 5)
    assert (settings.augmentation.total, settings.train.loss, settings.train.batch) == (600, "bce", 8)
    assert (search.epochs, search.learning_rate, search.orders) == (
        (20, 40, 50),
        (1e-4,),
        ("shallow-first", "deep-first"),
    )
    pretrain = settings.pretrain
    assert (pretrain.images, pretrain.epochs, pretrain.validation, pretrain.batch) == (10_000, 40, 0.1, 8)
    assert (pretrain.learning_rate, pretrain.loss) == (1e-4, "bce")
    assert (settings.data.images, embedded.settings.data.images) == (0, images)
    assert replace(embedded.settings, data=replace(settings.data, path=None, images=images)) == replace(
        settings, pretrain=replace(pretrain, path=None), data=replace(settings.data, path=None, images=images)
    )  # nothing else is made smaller without data


def test_the_embedded_table_applies_only_without_data() -> None:
    assert load_spec("ultrasound").settings.data.images == 240
    assert load_spec("ultrasound", data="x").settings.data.images == 160
    assert load_spec("ultrasound", sets=["data.images=7"]).settings.data.images == 7


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("search.epochs=[6,12,24]", (6, 12, 24)),
        ("search.epochs=8", (8,)),
    ],
)
def test_set(given: str, expected: tuple[int, ...]) -> None:
    assert load_spec("smoke", sets=[given]).search.epochs == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fold = 3", "Unknown key 'fold'; did you mean 'folds'"),
        ("[model]\nfilter = 8", "Unknown key 'model.filter'; did you mean 'model.filters'"),
        ("[search]\nepoch = [3]", "Unknown key 'search.epoch'; did you mean 'search.epochs'"),
        ("[search]\nepochs = [0, 3]", "'search.epochs' must be rising whole numbers from 1 on, but got \\[0, 3\\]"),
        ("[search]\nepochs = [12, 6]", "must be rising"),
        ("[search]\nepochs = []", "must be rising"),
        ("data = 5", "'data' must be a section with keys, but got 5"),
        ("embedded = 5", "'embedded' must be a section"),
        ("[search]\nepochs = [1.5]", "'search.epochs' must be a whole number, but got \\[1.5\\]"),
        ("[search]\nlearning_rate = [0.0]", "'search.learning_rate' must be distinct positive numbers"),
        ("[search]\norders = ['shallow']", "unknown order 'shallow'; did you mean 'shallow-first'"),
        ("[search]\norders = []", "name at least one order"),
        ("[search]\norders = ['deep-first', 'deep-first']", "must name each order once, but got deep-first more often"),
        (
            "[search]\nspace = 'masks'\nmasks = ['1', 'none']",
            "lists 'none', the zero-shot score: it is always measured",
        ),
        ("[search]\nspace = 'masks'", "'search.masks' is empty"),
        ("[search]\nspace = 'mask'", "'search.space' must be one of orders, masks, subsets, single, but got 'mask'"),
        ("[search]\nspace = 'masks'\nmasks = ['1-12']", "names block 12, which does not exist"),
        ("[search]\nspace = 'masks'\nmasks = ['contractng']", "did you mean 'contracting'"),
        ("[search]\nspace = 'masks'\nmasks = ['1-5', 'contracting']", "the same mask twice.*both 1-5"),
        ("[search]\nstrategy = 'tpe'", "'search.trials', .* must say how far 'tpe' may go"),
        ("[search]\nstrategy = 'bayesian'", "must be one of grid, exhaustive, .* where 'search.engine' is 'optuna'"),
        ("[search]\nhours = -1", "'search.hours' must be at least 0"),
        ("[search]\nseeds = [1, 2]\nstrategy = 'greedy'", "'search.seeds' repeats the trials of a list"),
        ("[search]\nmust_train = [10]", "'search.must_train' names blocks \\[10\\], which do not exist"),
        ("[search]\nmust_train = [1, 2]\nmust_freeze = [2]", "Blocks \\[2\\] are in 'search.must_train' and in"),
        ("[search]\nmust_train = [1, 2]\nmax_blocks = 1", "names 2 blocks, but 'search.max_blocks' allows 1"),
        ("[search.train]\nbatch = [8, 8]", "'search.train.batch' must be distinct whole numbers, but got \\[8, 8\\]"),
        ("[search.train]\nbatch = [0]", "'search.train.batch' must be at least 1"),
        ("[search.train]\nloss = ['dice']", "'search.train.loss' must be distinct values out of bce, bce\\+dice"),
        ("[search.train]\nrate = [1]", "'search.train.rate' is no training setting that can be searched"),
        ("[search]\ntrain = 5", "'search.train' must be a section of name"),
        ("[search]\nstrategy = 'factorial'\ncells = 64", "set search.space to subsets"),
        ("folds = 1", "'folds' must be at least 2, but got 1"),
        ("folds = true", "'folds' must be a whole number, but got True"),
        ("model = 3", "'model' must be a section with keys, but got 3"),
        ("[train]\nloss = 'dice'", "'train.loss' must be one of bce, bce\\+dice"),
        ("folds = ", "must be a TOML file"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=f"(?s){words}"):
        load_spec(written(tmp_path, text))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_spec(written(tmp_path, "fold = 3\n[search]\nepochs = [0]\n[model]\nsize = 'big'"), sets=["nonsense"])
    assert str(caught.value).count("\n  - ") == 4
    assert "nonsense" in str(caught.value) and "'model.size'" in str(caught.value)


def test_unknown_spec() -> None:
    with pytest.raises(
        UserError,
        match=r"no spec 'ultrsound'; did you mean 'ultrasound'.*Shipped: paper-.*, smoke, ultrasound, xray",
    ):
        load_spec("ultrsound")


def test_a_spec_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Spec("x").name = "y"  # type: ignore[misc]


def test_masks_belong_to_the_data_that_they_are_given_with(tmp_path: Path) -> None:
    spec = written(tmp_path, '[data]\npath = "scans/*/us.png"\nmasks = "scans/*/lesion.png"\n')
    assert load_spec(spec).settings.data.masks == "scans/*/lesion.png"
    other = load_spec(spec, data="others", masks="outlines").settings.data
    assert (other.path, other.masks) == ("others", "outlines")
    assert load_spec(spec, data="others").settings.data.masks == ""
    assert load_spec(spec, data="others", sets=["data.masks=lines"]).settings.data.masks == "lines"
    with pytest.raises(UserError, match=r"'data\.masks' is for images of your own"):
        load_spec("ultrasound", masks="outlines")


def test_a_test_set_is_a_folder_or_a_section_and_shares_what_is_marked(tmp_path: Path) -> None:
    data = '[data]\npath = "own"\nforeground = [2]\nmasks = "own-masks"\n'
    text = f'folds = 3\n{data}[test.lab]\npath = "lab"\nfill = true\n'
    spec = load_spec(written(tmp_path, text), test=["clinic=far away"])
    lab, clinic = spec.test
    assert (lab.name, lab.data.path, lab.data.fill) == ("lab", "lab", True)
    assert (lab.data.foreground, lab.data.masks) == ((2,), "")
    assert (clinic.name, clinic.data.path, clinic.data.fill) == ("clinic", "far away", False)
    assert from_table(as_table(spec)) == spec and "test" not in as_table(load_spec("smoke"))


@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("clinic", "--test takes NAME=FOLDER"),
        ("clinic=", "--test takes NAME=FOLDER"),
        ("a b=folder", "A test set's name must be 1 to 32 letters"),
        ("=folder", "A test set's name must be 1 to 32 letters"),
        ("a.b=folder", "A test set's name must be 1 to 32 letters"),
    ],
)
def test_a_test_set_that_cannot_be_is_refused(test: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        load_spec("smoke", test=[test])


@pytest.mark.parametrize("outer", [0, 2, 10])
def test_outer_is_a_key_beside_the_settings(outer: int) -> None:
    spec = load_spec("smoke", sets=[f"outer={outer}"])
    assert spec.outer == outer and spec.held_out is None and from_table(as_table(spec)) == spec
    assert ("outer" in as_table(spec)) == (outer > 0)


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["outer=1"], "'outer' must be 2 or more parts, each held out once, or 0 for none, but got 1."),
        (["outer=-1"], "but got -1."),
        (["outer=2.5"], "but got 2.5."),
        (["outer=true"], "but got True."),
        (["outer=3", "search.strategy=tpe", "search.hours=1"], "must be 'search.trials' or 'search.trainings': hours"),
        (["held_out.part=1"], "Unknown key 'held_out'"),
        (["uoter=2"], "did you mean 'outer'"),
    ],
)
def test_an_outer_that_cannot_be_is_refused(sets: list[str], said: str) -> None:
    with pytest.raises(UserError) as error:
        load_spec("smoke", sets=sets)
    assert said in str(error.value)


def test_a_search_that_trainings_limit_or_that_ends_by_itself_may_be_repeated() -> None:
    for more in (["search.strategy=tpe", "search.trials=9"], ["search.strategy=greedy"], ["search.hours=1"]):
        assert load_spec("smoke", sets=["outer=3", *more]).outer == 3


def test_a_test_sets_folder_leaves_its_other_settings(tmp_path: Path) -> None:
    patient = 'test.clinic.patient="^(m)"'
    spec = load_spec("smoke", sets=[patient], test=["clinic=folder"])
    (clinic,) = spec.test
    assert (clinic.data.path, clinic.data.patient) == ("folder", "^(m)")
    with pytest.raises(UserError, match=r"Unknown key 'test\.clinic\.blah'"):
        load_spec("smoke", sets=["test.clinic.blah=1"], test=["clinic=folder"])
    with pytest.raises(UserError, match="--test names 'clinic' twice: one and two"):
        load_spec("smoke", test=["clinic=one", "clinic=two"])
