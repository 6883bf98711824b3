"""The page's sections that list trials: all of them, and their scores class by class."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from tracking.analysis.formatting import counted, number
from tracking.analysis.trial import TrialSummary
from tracking.report.html import NOTHING, fill, section, table
from tracking.report.page_best_mask import HEADING
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import TRIAL_HEADS, is_main, is_shown, name_of, setting, trial_cells

MOST = 100  # rows of a table of trials
CHOSEN_AMONG = 3  # from this many masks on, a note says that the highest score is partly luck


def trials_section(summary: SweepSummary) -> Markup:
    """The trials at the main setting with the baselines, then those at other settings."""
    if not summary.trials:
        return NOTHING
    main = [trial for trial in summary.trials if trial.role == "trial" and is_main(trial, summary)]
    base = [trial for trial in summary.trials if trial.role != "trial" and is_shown(trial, summary)]
    rest = [trial for trial in summary.trials if not is_shown(trial, summary)]
    return fill(
        "trials.html",
        main=_main(main, base, summary),
        chosen_among=HEADING if len(main) >= CHOSEN_AMONG else "",
        rest=_rest(rest, summary),
    )


def _main(main: Sequence[TrialSummary], base: Sequence[TrialSummary], summary: SweepSummary) -> Markup:
    if not main and not base:
        return NOTHING
    caption = f"Trials at {setting(summary)}, then the baselines. ± is the SD over folds (n − 1); SEM = SD / √n."
    shown, limit = best_rows(main)
    rows = map(trial_cells, (*shown, *base))
    return table(TRIAL_HEADS, rows, caption + limit, summary.data.synthetic, "sortable filterable")


def best_rows(trials: Sequence[TrialSummary]) -> tuple[Sequence[TrialSummary], str]:
    """The trials that a table shows, of more than `MOST` the best by Dice, and what its caption says of that."""
    if len(trials) <= MOST:
        return trials, ""
    best = sorted(trials, key=lambda trial: (math.isnan(trial.dice.mean), -trial.dice.mean))[:MOST]
    return best, f" The best {MOST} of {len(trials)} by Dice; all of them: thaw report --format csv."


def _rest(rest: Sequence[TrialSummary], summary: SweepSummary) -> Markup:
    if not rest:
        return NOTHING
    rows, caption = map(trial_cells, rest), "At other settings."
    return table(TRIAL_HEADS, rows, caption, summary.data.synthetic, "sortable")


def by_class_section(summary: SweepSummary) -> Markup:
    """Dice class by class, and the false-positive area of images without a target."""
    trials = [trial for trial in summary.trials if trial.by_class and is_shown(trial, summary)]
    labels = sorted({label for trial in trials for label in trial.by_class})
    empty = max((trial.empty_truths for trial in trials), default=0)
    if not trials or (len(labels) < 2 and not empty):
        return NOTHING
    heads = ["mask", *(f"{label} ({_images(label, trials)})" for label in labels)]
    caption = "Mean Dice over the images of each class."
    if empty:
        heads.append("false-positive area %")
        caption += f" An image without a target ({counted(empty, 'image')}) has no Dice, but a false-positive area."
    rows = [_class_cells(trial, labels, bool(empty)) for trial in trials]
    return section("By class", [table(heads, rows, caption, summary.data.synthetic, "sortable")])


def _images(label: str, trials: Sequence[TrialSummary]) -> int:
    """How many images of a class were scored."""
    return max(trial.by_class[label].images for trial in trials if label in trial.by_class)


def _class_cells(trial: TrialSummary, labels: Sequence[str], empty: bool) -> list[str]:
    dice = [trial.by_class[label].dice if label in trial.by_class else math.nan for label in labels]
    return [name_of(trial), *map(number, dice), *([number(trial.false_positive_percent, 2)] if empty else [])]
