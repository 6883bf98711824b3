"""A spec's own network: kept by content, checked against the spec; a whole sweep on it, restored and refitted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from sweeps.commands.restore_trial import own_images, restore_trial
from sweeps.environment.home import Home, open_home
from sweeps.planning.user_network import look_at
from sweeps.spec.load import Spec, load_spec
from tests.conftest import Thaw
from tests.small import SMALL_OPTIONS
from tests.trainer.hues import hue_network, write_hues
from tests.trainer.own import after, own, saved
from tracking.store.writer import Tracker
from trainer.config import PretrainConfig
from trainer.errors import UserError
from trainer.network.delta_checkpoints import read_delta
from trainer.network.weights import weights_digest
from trainer.training.pretraining import starting_weights


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def spec_of(path: Path, *sets: str) -> Spec:
    return load_spec("smoke", model=str(path), sets=["search.masks=['1','2-3']", *sets])


def test_the_built_in_network_needs_no_words(home: Home) -> None:
    spec = load_spec("smoke")
    look = look_at(spec, home)
    assert (look.spec, look.notes, len(look.blocks)) == (spec, (), 9)


def test_a_network_is_kept_by_its_content_and_known_by_its_layers(tmp_path: Path, home: Home) -> None:
    path = saved(own(), tmp_path)
    look = look_at(spec_of(path), home)
    model = look.spec.settings.model
    assert Path(model.file).read_bytes() == path.read_bytes() and len(model.architecture) == 16
    network, values, channels = look.notes
    assert channels.startswith("It reads three channels and is given the grey image three times: data.colour=true")
    assert network == f"Network: my.keras, {own().count_params()} parameters in 3 blocks."
    assert values == "Its images have values from 0 to 1: no layer asks for others (model.range)."
    moved = path.rename(tmp_path / "moved.keras")
    again = look_at(spec_of(moved), home).spec.settings.model
    assert (again.file, again.architecture) == (model.file, model.architecture)


def test_a_network_that_cannot_be_read_is_called_as_its_user_calls_it(tmp_path: Path, home: Home) -> None:
    code = keras.layers.Lambda(lambda x: x * 2, output_shape=(32, 32, 1))
    path = saved(after(own(end=None), code), tmp_path)
    with pytest.raises(UserError, match=f"^{path} must do without Lambda layers"):
        look_at(spec_of(path), home)


def test_a_network_without_kernels_has_nothing_to_adapt(tmp_path: Path, home: Home) -> None:
    x = image = keras.Input((32, 32, 1))
    for _ in range(2):
        x = keras.layers.DepthwiseConv2D(3, padding="same", strides=2)(x)
    x = keras.layers.DepthwiseConv2D(1)(keras.layers.UpSampling2D(4)(x))
    path = saved(keras.Model(image, x), tmp_path)
    masks = "search.masks=['1','2']"
    look_at(spec_of(path, masks), home)
    with pytest.raises(UserError, match=r"'search.train.tune' = 'lora' adapts kernels"):
        look_at(spec_of(path, masks, "search.train.tune=['all', 'lora']"), home)


def test_blocks_without_what_is_tuned_are_found_and_said(tmp_path: Path, home: Home) -> None:
    path = saved(own(), tmp_path)  # its last block has no normalisation
    found = look_at(spec_of(path, "search.train.tune=['all', 'norm']", "search.masks=['1','1-2','all']"), home)
    assert found.bare == (("norm", (3,)),)
    assert "Note: blocks 3 have nothing that tune=norm trains, so masks with one of them go without it." in found.notes
    assert look_at(spec_of(path), home).bare == ()


def test_neurons_of_blocks_that_do_not_exist_are_left_out_with_a_word(tmp_path: Path, home: Home) -> None:
    path = saved(own(), tmp_path)
    look = look_at(spec_of(path, "search.neurons=[1,2,5,9]"), home)
    assert look.spec.search.neurons == (1, 2) and "no neurons of blocks 5, 9" in look.notes[1]
    table = "model.blocks=[['conv*'],['*']]"
    look = look_at(spec_of(path, table, "search.neurons=[1]", "search.masks=['1','2']"), home)
    assert look.spec.search.neurons == () and "with model.blocks none are drawn" in look.notes[1]


def test_a_table_of_the_built_in_network_counts_too(home: Home) -> None:
    sets = ["model.blocks=[['block[12]_*'],['*']]", "search.masks=['1','3']"]
    with pytest.raises(UserError, match=r"The spec 'smoke' cannot be used:\n  - 'search\.masks': Mask '3' names"):
        look_at(load_spec("smoke", sets=sets), home)


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"data": "."}, "'data.colour' must be false for the built-in U-Net"),
        ({"model": "any.keras"}, "'data.colour' is for images of your own"),
        ({"data": ".", "sets": ["data.colour=true", "model.colour=true"]}, "found out by thaw, from data.colour"),
    ],
)
def test_colour_without_a_network_or_images_for_it_is_refused(options: dict[str, Any], refused: str) -> None:
    with pytest.raises(UserError, match=re.escape(refused)):
        load_spec("smoke", **{"sets": ["data.colour=true"], **options})


def test_colour_is_refused_for_a_network_of_one_channel_before_any_data_are_read(tmp_path: Path, home: Home) -> None:
    spec = load_spec("smoke", model=str(saved(own(channels=1), tmp_path)), data="gone", sets=["data.colour=true"])
    with pytest.raises(UserError, match=r"three channels, but 'own' reads 1\. Leave out data\.colour"):
        look_at(spec, home)


@pytest.mark.slow
def test_a_whole_sweep_in_colour(thaw_here: Thaw, tmp_path: Path) -> None:
    """Red on green of one luminance: found before any training, refitted, predicted and reported."""
    folder, home, path = write_hues(tmp_path / "hues"), tmp_path / "home", saved(hue_network(), tmp_path)
    command: list[Any] = ["run", "smoke", "--data", folder, "--model", path, "--home", home, "--workers", 1]
    command += [
        *SMALL_OPTIONS,
        "--set",
        "search.masks=['2']",
        "--set",
        "search.epochs=[1]",
        "--set",
        "data.colour=true",
    ]
    command += ["--set", "search.neurons=[1]", "--set", "augmentation.total=12", "--set", "search.learning_rate=[1e-4]"]
    done = thaw_here(*command, "--name", "hues")
    assert done.returncode == 0 and "read in colour; 0 of 8" in done.stdout, done.stderr + done.stdout
    opened = open_home(home)
    tracker = Tracker.connect(opened.tracking_uri, opened.artifact_folder)
    trials = tracker.read_sweep("hues").trials
    assert next(trial for trial in trials if trial.info.role == "zero-shot").mean_dice == pytest.approx(1)
    images, reason = own_images(tracker, restore_trial(tracker, "hues", "2"), opened.data)
    assert images is not None and images.shape == (8, 32, 32, 3), reason
    crowned = thaw_here("champion", "hues", "--mask", "2", "--name", "hues", "--home", home)
    assert crowned.returncode == 0, crowned.stderr
    predicted = thaw_here("predict", "models:/hues@champion", folder / "images", "--out", tmp_path, "--home", home)
    assert predicted.returncode == 0, predicted.stderr
    for truth in (folder / "masks").iterdir():
        assert np.array_equal(np.asarray(Image.open(truth)), np.asarray(Image.open(tmp_path / "masks" / truth.name)))
    page = thaw_here("report", "hues", "--home", home, "--out", tmp_path / "report")
    assert page.returncode == 0, page.stderr


def test_where_it_starts(tmp_path: Path, home: Home) -> None:
    """Its own weights; or those weights trained on composites, kept apart from those of other weights."""
    network = own()
    model, quiet = look_at(spec_of(saved(network, tmp_path)), home).spec.settings.model, lambda *words: None
    mine = starting_weights(PretrainConfig(), model, home.weights, home.data, quiet)
    assert (mine.source, mine.digest, mine.curve) == ("weights of my.keras", weights_digest(network), ())
    small = PretrainConfig(path="composites", images=8, epochs=1, batch=4)
    trained = starting_weights(small, model, home.weights, home.data, quiet)
    assert "composites" in trained.source and len(trained.curve) == 1 and trained.digest != mine.digest
    network.set_weights([weight + 0.1 for weight in network.get_weights()])
    other = look_at(spec_of(saved(network, tmp_path)), home).spec
    assert other.settings.model.architecture == model.architecture
    assert starting_weights(small, other.settings.model, home.weights, home.data, quiet).path != trained.path


@pytest.mark.slow
def test_a_whole_sweep_on_it(thaw_here: Thaw, tmp_path: Path) -> None:
    path, home = saved(own(), tmp_path), tmp_path / "home"
    command: list[Any] = ["run", "smoke", "--model", path, "--home", home, "--workers", 1, "--name", "mine"]
    command += SMALL_OPTIONS
    command += ["--set", "search.masks=['3']", "--set", "search.epochs=[2]", "--set", "search.neurons=[1]"]
    command += ["--set", "train.batch_norm=adapt", "--set", "search.learning_rate=[0.02]"]
    done = thaw_here(*command)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "Network: my.keras" in done.stdout
    path.rename(tmp_path / "moved.keras")  # all that follows does without the file, or with it in another place
    command[3] = tmp_path / "moved.keras"
    again = thaw_here(*command)
    assert again.returncode == 0 and "nothing to train" in again.stdout, again.stderr + again.stdout

    opened = open_home(home)
    tracker = Tracker.connect(opened.tracking_uri, opened.artifact_folder)
    (opened.networks / next(opened.networks.iterdir()).name).unlink()
    restored = restore_trial(tracker, "mine", "3")
    trial = next(
        recorded_trial
        for recorded_trial in tracker.read_sweep("mine").trials
        if recorded_trial.info.candidate.mask == "3"
    )
    delta = tracker.fetch_file(trial.run_id, "checkpoints/fold_1.npz", tmp_path)
    assert delta is not None and set(read_delta(delta).weights) == {"mask/0", "mask/1", *STATISTICS}
    assert weights_digest(restored.network) != restored.info.weights["digest"]
    assert json.loads(thaw_here("report", "mine", "--format", "json", "--home", home).stdout)["model"]["blocks"] == 3

    command[3] = saved(own(filters=3), tmp_path)
    clash = thaw_here(*command)
    assert clash.returncode == 2 and "another network (moved.keras -> my.keras)" in clash.stderr, clash.stderr
    command[3] = tmp_path / "moved.keras"
    assert thaw_here(*command).returncode == 0
    crowned = thaw_here("champion", "mine", "--name", "mine", "--home", home)
    assert crowned.returncode == 0, crowned.stderr
    Image.fromarray(np.full((50, 60), 90, np.uint8)).save(tmp_path / "a.png")
    predicted = thaw_here(
        "predict", "models:/mine@champion", tmp_path / "a.png", "--out", tmp_path / "out", "--home", home
    )
    assert predicted.returncode == 0, predicted.stderr
    with Image.open(tmp_path / "out/masks/a.png") as mask:
        assert mask.size == (60, 50)
    command[3] = "models:/mine@champion"
    command[command.index("--name") + 1] = "of the champion"
    assert thaw_here(*command, "--dry-run").returncode == 0


STATISTICS = ("bn1/2", "bn1/3", "bn2/2", "bn2/3")
