from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.tracking.made_up import scratch_info, trial_info
from tracking.record import TrialInfo
from tracking.store.mlflow_views import (
    CHOICE,
    COLUMNS,
    View,
    describe_sweep,
    describe_trial,
    images_view,
    trials_view,
)

SUMMARY = {"dice": 0.8123, "dice_sd": 0.0301}


def state_of(view: View) -> Any:
    """The state as MLflow reads it out of the tag."""
    return json.loads(json.loads(view.tag(created=1)[1])["state"])


MANY = [f"am/{block}/127" for block in range(1, 23)]


@pytest.mark.parametrize("view", [trials_view(), images_view(), images_view(MANY)], ids=["table", "", "full"])
def test_a_view_is_an_envelope_that_fits_into_a_tag(view: View) -> None:
    key, value = view.tag(created=1)
    assert key == f"mlflow.sharedViewState.{view.key}"
    envelope = json.loads(value)
    assert (envelope["name"], envelope["createdAt"]) == (view.name, 1)
    assert json.loads(envelope["state"]) == view.state
    assert len(value) <= 5000  # MLflow's limit for a tag of an experiment


def test_the_table_starts_with_the_score_and_then_what_was_trained() -> None:
    state = state_of(trials_view())
    names = [column.split("`")[1] for column in state["selectedColumns"]]
    assert names[:8] == ["dice", "dice_sd", "dice_sem", "mask", "order", "thaw.choice", "depth", "epochs"]
    assert state["columnOrder"][1:] == list(COLUMNS)


def test_the_table_claims_no_winner_and_shows_the_one_that_the_answer_has() -> None:
    view = trials_view()
    assert view.name == "Trials by Dice, baselines included"
    assert f"tags.`{CHOICE}`" in state_of(view)["selectedColumns"]


def test_every_card_lies_in_a_section_and_every_neuron_is_shown_once() -> None:
    state = state_of(images_view(["am/1/0", "am/9/3"]))
    sections = {section["uuid"] for section in state["compareRunSections"]}
    charts = state["compareRunCharts"]
    assert {chart["metricSectionId"] for chart in charts if not chart["deleted"]} == sections
    assert len({chart["uuid"] for chart in charts}) == len(charts)
    seen = [key for chart in charts if not chart["deleted"] for key in chart.get("imageKeys", [])]
    assert seen == ["am/1/0", "am/9/3", "montage"]


@pytest.mark.parametrize(
    ("verdict", "synthetic", "expected"),
    [
        ("", True, "This sweep has no verdict yet. Synthetic data: no claim about real images."),
        ("", False, "This sweep has no verdict yet."),
        ("Shallow better: it is.", True, "Shallow better: it is."),
        ("x" * 9000, False, "x" * 3000),
    ],
)
def test_a_sweep_is_described_by_its_verdict_and_leads_to_its_views(
    verdict: str, synthetic: bool, expected: str
) -> None:
    of_run, of_experiment = describe_sweep("7", "abc", verdict, synthetic)
    said, links = of_run.split("\n\n")
    assert of_experiment == f"{links}\n\n{said}"
    assert said == expected
    assert all(view.address("7")[1:] in links for view in (trials_view(), images_view()))
    assert ("runs/abc/artifacts/report.html" in links) == bool(verdict)


LEAKY = replace(
    trial_info("deep-first", 4), candidate=replace(trial_info("deep-first", 4).candidate, split="leaky"), role="leaky"
)


@pytest.mark.parametrize(
    ("info", "summary", "expected"),
    [
        (
            trial_info("deep-first", 4),
            SUMMARY,
            "6-9 (expanding), fine-tuned for 12 epochs at learning rate 0.001. **Dice",
        ),
        (trial_info("", 0), SUMMARY, "The starting weights as they are, without any training. **Dice 0.812 ± 0.030**"),
        (scratch_info(), SUMMARY, "all, trained from scratch for 12 epochs"),
        (LEAKY, SUMMARY, "learning rate 0.001; folds cut after augmentation, which inflates scores. **Dice"),
        (trial_info("", 0), {"dice": float("nan"), "dice_sd": float("nan")}, "No Dice, for no image has anything"),
    ],
    ids=["fine-tuned", "zero-shot", "scratch", "leaky", "no truth"],
)
def test_a_trial_is_described(info: TrialInfo, summary: dict[str, float], expected: str) -> None:
    assert expected in describe_trial(info, summary, 5, synthetic=False)
    assert "ynthetic" not in describe_trial(info, summary, 5, synthetic=False)
    assert describe_trial(info, summary, 5, synthetic=True).endswith("Synthetic data: no claim about real images.")
