"""Networks from files: whole, by content, with nothing in them run or imported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from tests.trainer.network.test_ending import chain, conv
from trainer.errors import UserError
from trainer.network.network_file import custom_code, holds_network, import_custom, load_network
from trainer.network.weights import weights_digest, write_weights

LAB = """
import keras

@keras.saving.register_keras_serializable(package="lab_of_tests")
class Gate(keras.layers.Layer):
    def call(self, x):
        return x * 2.0
"""


@pytest.fixture
def small() -> keras.Model:
    return chain(conv(2, "relu"), conv(1, "sigmoid"))


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("name", ["net.keras", "net.h5", "net.hdf5", "named.keras.txt", "old_as.keras"])
def test_a_whole_network_is_read_by_its_content(tmp_path: Path, small: keras.Model, name: str) -> None:
    kind = "net.h5" if "h" in name.split(".")[-1] or name.startswith("old") else "net.keras"
    small.save(tmp_path / kind)
    (tmp_path / kind).rename(tmp_path / name)
    assert weights_digest(load_network(tmp_path / name)) == weights_digest(small) and holds_network(tmp_path / name)


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_sequential_becomes_functional(tmp_path: Path) -> None:
    network = keras.Sequential([keras.Input((8, 8, 1)), conv(2, name="one"), conv(name="two")], name="own")
    network.save(tmp_path / "net.keras")
    loaded = load_network(tmp_path / "net.keras")
    assert [layer.name for layer in loaded.layers[1:]] == ["one", "two"] and not isinstance(loaded, keras.Sequential)
    keras.Sequential([conv()], name="own").save(tmp_path / "open.keras")
    with pytest.raises(UserError, match="must say what it reads, but 'own' was saved before it was built"):
        load_network(tmp_path / "open.keras")


def test_weights_alone_are_no_network(tmp_path: Path, small: keras.Model) -> None:
    write_weights(small, tmp_path / "net.weights.h5")
    assert not holds_network(tmp_path / "net.weights.h5")
    with pytest.raises(UserError, match="must hold a whole network, but it holds weights only"):
        load_network(tmp_path / "net.weights.h5")


@pytest.mark.parametrize(
    ("content", "words"), [(b"hello", "neither by its content"), (b"PK\x03\x04", "cannot be read")]
)
def test_what_is_damaged_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "net.keras").write_bytes(content)
    with pytest.raises(UserError, match=words):
        load_network(tmp_path / "net.keras")


@pytest.fixture
def of_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file with a layer of the module `lab_of_tests`, which nobody has imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "lab_of_tests", raising=False)
    (tmp_path / "lab_of_tests.py").write_text(LAB)
    (lab,) = import_custom(["lab_of_tests"])
    chain(lab.Gate(name="gate"), conv()).save(tmp_path / "net.keras")
    keras.saving.get_custom_objects().pop("lab_of_tests>Gate")
    monkeypatch.delitem(sys.modules, "lab_of_tests")
    yield tmp_path / "net.keras"
    keras.saving.get_custom_objects().pop("lab_of_tests>Gate", None)


def test_layers_of_a_lab_are_named_and_imported_only_by_name(of_a_lab: Path) -> None:
    words = r"Gate, registered as lab_of_tests>Gate.*\(layer 'gate'\).* --custom mylab\.layers \(model\.custom\)"
    with pytest.raises(UserError, match=words):
        load_network(of_a_lab)
    assert "lab_of_tests" not in sys.modules
    assert load_network(of_a_lab, ["lab_of_tests"]).get_layer("gate") is not None


def test_the_code_of_a_module_counts_not_its_name(of_a_lab: Path) -> None:
    before = custom_code(["lab_of_tests"])
    assert len(before) == 16 and custom_code([]) == ""
    of_a_lab.with_name("lab_of_tests.py").write_text(LAB + "\n# changed\n")
    assert custom_code(["lab_of_tests"]) != before


@pytest.mark.parametrize(
    ("name", "words"),
    [("no_such_lab", "can be imported, but 'no_such_lab' cannot"), ("labs/mine.py", "as in an import"), ("", "as in")],
)
def test_what_is_no_module_is_refused(name: str, words: str) -> None:
    with pytest.raises(UserError, match=f"--custom must name a module.*{words}"):
        import_custom([name])


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    secret = layers.Lambda(lambda x: x * 2, output_shape=(8, 8, 1), name="secret")
    chain(secret, conv()).save(tmp_path / "net.keras")
    with pytest.raises(UserError, match="must do without Lambda layers, but 'secret' holds Python code"):
        load_network(tmp_path / "net.keras")


def test_an_activation_of_a_lab_is_named(tmp_path: Path) -> None:
    def my_activation(x: Any) -> Any:
        return x

    keras.saving.register_keras_serializable(package="lab_of_tests")(my_activation)
    chain(conv(activation=my_activation)).save(tmp_path / "net.keras")
    keras.saving.get_custom_objects().pop("lab_of_tests>my_activation")
    with pytest.raises(UserError, match=r"needs classes that do not come with Keras: .*my_activation"):
        load_network(tmp_path / "net.keras")
