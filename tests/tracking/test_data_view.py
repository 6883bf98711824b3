from __future__ import annotations

from tests.tracking.made_up import sweep_info
from tracking.data_view import WeightsView, view_data, view_weights


def test_every_recorded_fact_has_its_field() -> None:
    recorded = sweep_info().data
    view = view_data(recorded)
    assert {name: getattr(view, name) for name in recorded} == {**recorded, "notes": tuple(recorded["notes"])}


def test_classes_are_counted_by_name_and_those_without_one_are_not() -> None:
    view = view_data({**sweep_info().data, "classes": {"malignant": 3, "": 2, "benign": 5}})
    assert view.counted_classes == (("benign", 5), ("malignant", 3))


def test_an_older_record_says_less_and_one_of_later_more() -> None:
    names = ("synthetic", "source", "layout", "images", "groups", "duplicates", "empty_masks")
    few = {name: sweep_info().data[name] for name in names}
    assert view_data({**few, "new fact": 1}).digest == "" and view_data(few).notes == ()
    assert view_weights({}) == WeightsView() and view_weights({"digest": "a", "notes": ["b"]}).notes == ("b",)
