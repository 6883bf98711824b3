"""What a person sees in MLflow's own pages: the two saved views of a sweep, and the descriptions of it and its trials.

A saved view is a tag of the experiment that holds the state of MLflow's run page as JSON; the page offers it under
*Views*, and `?viewStateShareKey=KEY` opens it. The format is MLflow 3.17's (the version in requirements.lock), read
from its JavaScript: an envelope with `name`, `createdAt` and the `state`, as text. An MLflow that does not know it
shows its own default columns.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from tracking.record import TrialInfo
from trainer.candidate import PRETRAINED, SCRATCH

TAG = "mlflow.sharedViewState."
CHOICE = "thaw.choice"  # the tag of a trial's run that says whether the answer calls it winner, cheapest choice or both
State = dict[str, object]  # of MLflow's run page, or of a part of it, in MLflow's own keys
TRAINING = {"workflowType": "machine_learning"}  # of MLflow's two faces, the one that is not about language models
IMAGES = "images"  # the folder of the artifacts whose files MLflow's charts know by their keys
LONGEST = 3000  # characters of a verdict in a description; MLflow takes 5,000 in an experiment's tag
# A leaky trial is scored on copies of what it was trained on: it must not head a list of the best. Nor must one that
# was trained on a part of the images: it is no candidate.
TRIALS = "tags.`thaw.kind` = 'trial' AND params.`role` != 'leaky' AND params.`role` != 'subset'"
# In the order of the page, with their widths in pixels: what a small screen shows comes first; the run's name beside
# it says mask and epochs already. MLflow sorts metrics as numbers and parameters as text.
COLUMNS = {
    "metrics.`dice`": 75,
    "metrics.`dice_sd`": 75,
    "metrics.`dice_sem`": 85,
    "params.`mask`": 70,
    "params.`order`": 105,
    f"tags.`{CHOICE}`": 110,
    "params.`depth`": 65,
    "params.`epochs`": 75,
    "metrics.`pixel_error`": 95,
    "metrics.`ari`": 75,
    "metrics.`hd95`": 75,
    "metrics.`surface_dice`": 110,
    "metrics.`trainable_params`": 125,
    "params.`learning_rate`": 110,
    "params.`start`": 90,
    "params.`role`": 85,
    "params.`seed`": 60,
}


@dataclass(frozen=True)
class View:
    """A saved view: `key` in its address, `name` in MLflow's menu, table or charts, and the page's `state`."""

    key: str
    name: str
    mode: str
    state: State

    def tag(self, created: int) -> tuple[str, str]:
        """Key and value of the experiment's tag; `created` in milliseconds since 1970."""
        return f"{TAG}{self.key}", json.dumps(
            {"name": self.name, "createdAt": created, "state": json.dumps(self.state)}
        )

    def address(self, experiment: str) -> str:
        """Where it opens, below the server's address."""
        query = {**TRAINING, "viewStateShareKey": self.key, "compareRunsMode": self.mode}
        return f"/#/experiments/{experiment}/runs?{urlencode(query)}"


def trials_view() -> View:
    """The table of trials, highest Dice first. Its first row is no winner: baselines are in it too, and so is what the
    constraints of a search forbid. The column of the choice says which trial wins.
    """
    state = {
        "selectedColumns": list(COLUMNS),
        "columnOrder": ["tags.`mlflow.runName`", *COLUMNS],
        "columnWidths": {"tags.`mlflow.runName`": 230, **COLUMNS},
        "runsHiddenMode": "SHOW_ALL",
    }
    return View("trials", "Trials by Dice, baselines included", "TABLE", _by_dice() | state)


def images_view(neurons: Sequence[str] = ()) -> View:
    """Charts of the ten trials of the highest Dice above their images: a row for each key in `neurons`, a column for
    each trial.
    """
    sections = [_section("scores", "Scores", columns=2, height=380)]
    axes: State = {
        "xaxis": {"key": "trainable_params", "type": "METRIC"},
        "yaxis": {"key": "dice", "type": "METRIC"},
    }
    charts = [
        _chart("dice", "BAR", "scores", metricKey="dice"),
        _chart("cost", "SCATTER", "scores", runsCountToCompare=100, **axes),
    ]
    if neurons:
        sections.append(_section("neurons", "Neurons before and after", height=160 + 165 * len(neurons)))
        charts.append(_images("neurons", "neurons", neurons))
        # MLflow adds a chart for every key that has none of its own; a deleted one counts.
        charts += [{"uuid": key, "type": "IMAGE", "imageKeys": [key], "deleted": True} for key in neurons]
    sections.append(_section("predictions", "Predictions", height=700))
    charts.append(_images("montage", "predictions", ["montage"]))
    state = {
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,
        "chartsSearchFilter": "^dice$",  # else a chart for every fold of every score follows; images stay
        "runsHiddenMode": "FIRST_10_RUNS",
    }
    return View("pictures", "Charts and images", "CHART", _by_dice() | state)


def _by_dice() -> State:
    return {"searchFilter": TRIALS, "orderByKey": "metrics.`dice`", "orderByAsc": False}


def _section(key: str, name: str, *, columns: int = 1, height: int) -> State:
    shape = {"columns": columns, "cardHeight": height}
    return {"uuid": key, "name": name, "display": True, "isReordered": True, "deleted": False, **shape}


def _chart(key: str, kind: str, section: str, **more: object) -> State:
    return {"uuid": key, "type": kind, "metricSectionId": section, "deleted": False, "isGenerated": False, **more}


def _images(key: str, section: str, keys: Sequence[str]) -> State:
    return _chart(key, "IMAGE", section, imageKeys=list(keys), step=0, showRunParams=False)


def image_key(path: str) -> str:
    """The key of an image's file. MLflow names them `key+step+...`, with ~ for the slashes of the key.

    >>> image_key("images/am~1~0+step+0+timestamp+1+a.png")
    'am/1/0'
    """
    return path.rpartition("/")[2].split("+")[0].replace("~", "/")


def describe_sweep(experiment: str, run_id: str, verdict: str, synthetic: bool) -> tuple[str, str]:
    """The descriptions (Markdown) of a sweep's run and of its experiment; `verdict` is empty before there is one.

    The experiment's has the links first: MLflow shows its first line on every page of the experiment, folds the rest.
    """
    run, query = f"#/experiments/{experiment}/runs/{run_id}", urlencode(TRAINING)
    pages = {view.name: view.address(experiment)[1:] for view in (trials_view(), images_view())}
    pages["Sweep and verdict"] = f"{run}?{query}"
    if verdict:
        pages["Report"] = f"{run}/artifacts/report.html?{query}"
    links = " · ".join(f"[{name}]({address})" for name, address in pages.items())
    text = verdict[:LONGEST] or "This sweep has no verdict yet."
    if synthetic and not verdict:  # the verdict says it itself
        text += " Synthetic data: no claim about real images."
    return f"{text}\n\n{links}", f"{links}\n\n{text}"


def describe_trial(info: TrialInfo, summary: dict[str, float], folds: int, synthetic: bool) -> str:
    """The description (Markdown) of a finished trial: what it is, and its Dice with SD over the folds."""
    candidate = info.candidate
    mask = f"{candidate.mask} ({', '.join(info.aliases)})" if info.aliases else candidate.mask
    how = "fine-tuned" if candidate.start == PRETRAINED else f"fine-tuned from {candidate.start}"
    how = "trained from scratch" if candidate.start == SCRATCH else how
    what = f"{mask}, {how} for {candidate.epochs} epochs at learning rate {candidate.learning_rate:g}"
    leaky = "; folds cut after augmentation, which inflates scores" if candidate.split == "leaky" else ""
    part = f" as if {candidate.images} images were labelled" if candidate.images else ""
    parts = [f"{what}{part}{leaky}." if candidate.epochs else "The starting weights as they are, without any training."]
    parts.append(f"{_dice(summary, folds)}; {info.trainable_params:,} trained parameters.")
    parts += ["Synthetic data: no claim about real images."] * synthetic
    return " ".join(parts)


def _dice(summary: dict[str, float], folds: int) -> str:
    if math.isnan(summary["dice"]):
        return "No Dice, for no image has anything to find"
    return f"**Dice {summary['dice']:.3f} ± {summary['dice_sd']:.3f}** (SD over {folds} folds)"
