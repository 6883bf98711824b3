"""A candidate's folds: cut right, keyed by everything the numbers depend on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.conftest import made_fold
from trainer.candidate import Candidate
from trainer.config import AugmentConfig, ModelConfig, PartitionConfig, ScoreConfig, Settings, TrainConfig
from trainer.data.cases import Cases
from trainer.results import COPY_MARK
from trainer.training.cross_validation import CrossValidation, _montage, fold_data, fold_maker, leaky_fold_data
from trainer.training.distances import distances
from trainer.training.external_sets import ExternalSet
from trainer.training.fit import Trainer
from trainer.training.ledger import Ledger
from trainer.training.training_key import ranges

SETTINGS = Settings(model=ModelConfig(32, 2), augmentation=AugmentConfig(total=24), folds=3)
FOLD_OF = np.arange(12) % 3


def cases() -> Cases:
    rng = np.random.default_rng(0)
    images = rng.random((12, 32, 32)).astype(np.float32)
    names = tuple(f"case {i}" for i in range(12))
    groups = np.arange(12)
    return Cases(images, (images > 0.7).astype(np.uint8), names, ("",) * 12, groups, "made", "made", True, (), "d1")


@pytest.fixture
def cross_validation(trainer: Trainer, tmp_path: Path) -> CrossValidation:
    folds = fold_maker(cases(), FOLD_OF, SETTINGS)
    return CrossValidation(
        trainer, SETTINGS, folds, Ledger(tmp_path), "d1", {"pretrained": "w1", "scratch:0": "w2"}, (1, 2)
    )


def test_every_case_validates_once_and_is_never_trained_on_where_it_does() -> None:
    folds = fold_data(cases(), FOLD_OF, SETTINGS)
    assert sorted(name for fold in folds for name in fold.names) == sorted(cases().names)
    for fold in folds:
        assert (len(fold.train_x), fold.train_images, len(fold.test_x)) == (16, 8, 4)
        assert not any(np.array_equal(tested, trained) for tested in fold.test_x for trained in fold.train_x)
        assert len(fold.montage) == 2


def test_results_stream_out_fold_by_fold_and_come_back_from_the_ledger(cross_validation: CrossValidation) -> None:
    first = [(result.fold, result.epochs, result.from_ledger) for result in cross_validation(Candidate("1-5", 2, 1e-3))]
    again = [(result.fold, result.epochs, result.from_ledger) for result in cross_validation(Candidate("1-5", 2, 1e-3))]
    assert first == [(fold, epochs, False) for fold in (1, 2, 3) for epochs in (1, 2)]
    assert again == [(fold, epochs, True) for fold in (1, 2, 3) for epochs in (1, 2)]


def test_distances_are_measured_anew_and_cost_no_training(cross_validation: CrossValidation) -> None:
    """At the candidate's own epochs only; another tolerance, or millimetres, trains nothing."""
    candidate = Candidate("none", 0, 1e-3)
    first = list(cross_validation(candidate))
    spacing = np.repeat([[0.5, 2.0]], 12, axis=0)
    folds = fold_maker(replace(cases(), spacing=spacing), FOLD_OF, SETTINGS)
    settings = replace(SETTINGS, score=ScoreConfig(0.5))
    again = list(replace(cross_validation, folds=folds, settings=settings)(candidate))
    assert [result.from_ledger for result in (*first, *again)] == [False] * 3 + [True] * 3
    for results, step, tolerance in ((first, (1.0, 1.0), 1.0), (again, (0.5, 2.0), 0.5)):
        fold, result = cross_validation.folds(candidate)[1], results[1]
        found = distances(fold.test_y[2] == 1, result.predictions[2] == 1, tolerance, step)
        assert (result.scores[2].hd95, result.scores[2].surface_dice) == found
    kept = cross_validation.ledger.entry(cross_validation.key(candidate, cross_validation.folds(candidate)[1]))
    stored = kept.result(0)
    assert stored is not None and np.isnan(stored.mean("hd95"))


@pytest.mark.parametrize("unknown", [np.nan, 0.0])
def test_without_the_spacing_of_every_image_distances_are_in_pixels(unknown: float) -> None:
    spacing = np.ones((12, 2))
    spacing[5, 1] = unknown
    assert fold_data(replace(cases(), spacing=spacing), FOLD_OF, SETTINGS)[0].test_spacing is None
    assert replace(cases(), spacing=spacing).known_spacing is None


def test_copies_have_the_spacing_of_their_originals() -> None:
    spacing = np.arange(1.0, 25.0).reshape(12, 2)
    for fold in leaky_fold_data(replace(cases(), spacing=spacing), SETTINGS, 0):
        originals = [cases().names.index(name.split(COPY_MARK)[0]) for name in fold.names]
        assert fold.test_spacing is not None and np.array_equal(fold.test_spacing, spacing[originals])


def test_a_seed_draws_its_own_copies_on_the_same_folds(cross_validation: CrossValidation) -> None:
    zero, one = (cross_validation.folds(Candidate("1-5", 2, 1e-3, seed=seed)) for seed in (0, 1))
    for left, right in zip(zero, one, strict=True):
        assert left.names == right.names and np.array_equal(left.train_x[:8], right.train_x[:8])
        assert not any(np.array_equal(a, b) for a, b in zip(left.train_x[8:], right.train_x[8:], strict=True))


def test_leaky_folds_score_copies_of_what_they_train_on(cross_validation: CrossValidation) -> None:
    folds = cross_validation.folds(Candidate("1-5", 2, 1e-3, split="leaky"))
    scored = [name for fold in folds for name in fold.names]
    originals = [name for name in scored if COPY_MARK not in name]
    assert len(scored) == len(set(scored)) == 24 and sorted(originals) == sorted(cases().names)
    for fold in folds:
        assert len(fold.train_x) + len(fold.test_x) == 24 and fold.train_images <= 12
    tested = [{name.split(COPY_MARK)[0] for name in fold.names} for fold in folds]
    assert any(tested[0] & other for other in tested[1:])  # one image, scored in two folds: so trained on in both


@pytest.mark.parametrize("total", [0, 24])
def test_on_fewer_images_a_fold_scores_the_same_in_as_many_steps(cross_validation: CrossValidation, total: int) -> None:
    settings = replace(SETTINGS, augmentation=replace(SETTINGS.augmentation, total=total))
    made = fold_maker(cases(), FOLD_OF, settings)
    whole, part = (made(Candidate("1-5", 2, 1e-3, images=images)) for images in (0, 6))
    for all_of_it, half in zip(whole, part, strict=True):
        assert half.names == all_of_it.names and np.array_equal(half.test_x, all_of_it.test_x)
        assert (half.train_images, len(half.trained), all_of_it.trained) == (4, 4, ())
        assert half.train_x.shape == all_of_it.train_x.shape and half.train_y.shape == all_of_it.train_y.shape
        assert np.array_equal(half.train_x[:4], cases().images[[cases().names.index(name) for name in half.trained]])
        assert len(np.unique(half.train_x, axis=0)) == (16 if total else 4)
    keys = {cross_validation.key(Candidate("1-5", 2, 1e-3, images=6), replace(half, trained=(name,))) for name in "ab"}
    assert len(keys) == 2  # other images drawn, another training


def test_the_key_holds_everything_but_the_budget(
    cross_validation: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Candidate("1-5", 2, 1e-3)
    fold, other = cross_validation.folds(one)[:2]
    key = cross_validation.key(one, fold)
    assert cross_validation.key(replace(one, epochs=9), fold) == key
    changed = [
        cross_validation.key(replace(one, mask="6-9"), fold),
        cross_validation.key(replace(one, learning_rate=1e-2), fold),
        cross_validation.key(replace(one, start="scratch"), fold),
        cross_validation.key(one, other),
        cross_validation.key(replace(one, seed=1), fold),
        cross_validation.key(replace(one, split="leaky"), fold),
        replace(cross_validation, data_digest="d2").key(one, fold),
        replace(cross_validation, starts={"pretrained": "w3", "scratch:0": "w2"}).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, partition=PartitionConfig("conv"))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, partition=PartitionConfig(head="always"))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, train=TrainConfig(batch=3))).key(one, fold),
        replace(cross_validation, settings=replace(SETTINGS, augmentation=AugmentConfig(total=30))).key(one, fold),
    ]
    monkeypatch.setattr("trainer.training.training_key.versions", lambda: {"keras": "9"})
    changed.append(cross_validation.key(one, fold))
    assert len({key, *changed}) == len(changed) + 1


def labelled() -> Cases:
    return replace(cases(), labels=tuple("ab"[i % 2] for i in range(12)))


def test_a_fold_by_hand() -> None:
    first, second, third = fold_data(labelled(), FOLD_OF, replace(SETTINGS, augmentation=AugmentConfig()))
    assert [fold.number for fold in (first, second, third)] == [1, 2, 3]
    assert second.names == ("case 1", "case 4", "case 7", "case 10") and second.labels == ("b", "a", "b", "a")
    assert np.array_equal(second.test_x, cases().images[[1, 4, 7, 10]])
    assert np.array_equal(second.test_y, cases().masks[[1, 4, 7, 10]])
    assert np.array_equal(second.train_x, cases().images[[0, 2, 3, 5, 6, 8, 9, 11]])
    assert np.array_equal(second.train_y, cases().masks[[0, 2, 3, 5, 6, 8, 9, 11]])


@pytest.mark.parametrize(("seed", "same"), [(None, True), (5, True), (0, False)])
def test_copies_are_drawn_by_the_settings_seed_where_no_other_is_given(seed: int | None, same: bool) -> None:
    settings = replace(SETTINGS, seed=5)
    left, right = fold_data(cases(), FOLD_OF, settings, 5)[0], fold_data(cases(), FOLD_OF, settings, seed)[0]
    assert np.array_equal(left.train_x, right.train_x) is same


def test_the_montage_is_chosen_by_the_hash_of_the_names() -> None:
    def digest_of(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    names = tuple(f"case {i}" for i in range(7))
    smallest = sorted(names, key=digest_of)[:2]
    assert _montage(names) == tuple(sorted(names.index(name) for name in smallest))
    assert _montage(names[:1]) == (0,) and _montage(()) == ()


def test_leaky_folds_by_hand() -> None:
    settings = replace(SETTINGS, seed=5)
    folds = leaky_fold_data(labelled(), settings, 3)
    whole, copied = fold_data(labelled(), np.full(12, 9), replace(settings, folds=1), 3)[0], [*range(12), *range(12)]
    names = [f"case {i}" for i in range(12)] + [f"case {i}//1" for i in range(12)]
    fold_of = np.random.default_rng([5, 1]).permutation(24) % 3
    for number, fold in enumerate(folds):
        test = np.flatnonzero(fold_of == number)
        assert fold.number == number + 1 and fold.names == tuple(names[i] for i in test)
        assert fold.labels == tuple("ab"[copied[i] % 2] for i in test)
        assert np.array_equal(fold.test_x, whole.train_x[test]) and np.array_equal(fold.test_y, whole.train_y[test])
        assert np.array_equal(fold.train_x, whole.train_x[fold_of != number])
        assert fold.train_images == len({copied[i] for i in np.flatnonzero(fold_of != number)})


def test_folds_are_made_once_per_seed_and_split_and_the_last_two_are_kept() -> None:
    made = fold_maker(cases(), FOLD_OF, SETTINGS)
    one, leaky, other = Candidate("1", 2, 1e-3), Candidate("1", 2, 1e-3, split="leaky"), Candidate("1", 2, 1e-3, seed=1)
    first = made(one)
    assert made(replace(one, mask="9", epochs=1)) is first and made(leaky) is made(leaky) and made(one) is first
    made(other)
    assert made(one) is first
    made(leaky)
    assert made(other) is not None and made(one) is not first


def test_order_is_no_part_of_what_is_augmented() -> None:
    assert ranges(AugmentConfig(order="leaky")) == ranges(AugmentConfig()) and "zoom" in ranges(AugmentConfig())


def test_zero_shot_has_the_same_key_whatever_its_seed_and_rate(cross_validation: CrossValidation) -> None:
    zero = Candidate("none", 0, 1e-3)
    fold = cross_validation.folds(zero)[0]
    assert cross_validation.key(zero, fold) == cross_validation.key(replace(zero, seed=4, learning_rate=1e-2), fold)
    assert cross_validation.key(zero, replace(fold, names=("another",) * 4)) != cross_validation.key(zero, fold)


def elsewhere() -> ExternalSet:
    fold = made_fold(7, images=1, tests=3)
    names, groups = ("a", "b", "c"), np.arange(3)
    return ExternalSet(
        "clinic", Cases(fold.test_x, fold.test_y, names, ("",) * 3, groups, "m", "m", True, (), "e" * 64)
    )


@pytest.fixture
def seeing(cross_validation: CrossValidation) -> CrossValidation:
    """On images in which a network finds something after a few steps."""
    fold = made_fold(1, images=12)
    folds = fold_maker(replace(cases(), images=fold.train_x, masks=fold.train_y), FOLD_OF, SETTINGS)
    return replace(cross_validation, folds=folds, data_digest="seen")


def test_every_folds_network_is_scored_on_a_test_set_once(seeing: CrossValidation) -> None:
    candidate, tested = Candidate("all", 12, 1e-2), replace(seeing, external=[elsewhere()])
    plain = list(seeing(candidate))
    first = [result for result in tested(candidate) if result.epochs == 12]
    assert [result.from_ledger for result in first] == [True] * 3  # a test set trains nothing
    assert all(result.external == {} for result in plain)
    assert len({result.external["clinic"] for result in first}) == 3  # a network each
    fold, result = seeing.folds(candidate)[1], first[1]
    network = seeing.trainer.score_external(candidate, result.weights, elsewhere().cases)
    assert network == result.external["clinic"] and [score.image for score in network] == ["a", "b", "c"]
    own = replace(elsewhere().cases, images=fold.test_x[:3], masks=fold.test_y[:3])
    again = seeing.trainer.score_external(candidate, result.weights, own)
    assert [score.tp for score in again] == [score.tp for score in result.scores[:3]]


def test_a_test_sets_scores_outlive_the_weights_and_come_back_by_training(
    seeing: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidate, tested = Candidate("all", 12, 1e-2), replace(seeing, external=[elsewhere()])
    known = [result.external for result in tested(candidate)]
    for fold in seeing.folds(candidate):
        seeing.ledger.entry(seeing.key(candidate, fold)).lose_weights(12)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "score_external", lambda *_: pytest.fail("they are known"))
        assert [result.external for result in tested(candidate)] == known
    other = replace(elsewhere(), cases=replace(elsewhere().cases, digest="f" * 64))
    assert [result.external for result in replace(tested, external=[other])(candidate)] == known
