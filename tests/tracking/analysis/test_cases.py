from __future__ import annotations

from dataclasses import replace

from tracking.analysis.cases import image_cases
from tracking.analysis.comparisons import at_setting
from tracking.analysis.winners_curse import dice_by_image
from tracking.record import SweepRecord


def test_every_case_has_what_both_masks_scored_on_it(record: SweepRecord) -> None:
    main = at_setting(record.finished, 12, 1e-3)
    cases = image_cases(main, record.info)
    assert [one.rule for one in cases] == ["best", "median", "worst", "contracting most ahead", "expanding most ahead"]
    left, right = (
        dice_by_image(next(one for one in main if one.info.candidate.mask == mask)) for mask in ("1-5", "6-9")
    )
    assert [(one.contracting, one.expanding) for one in cases] == [(left[one.image], right[one.image]) for one in cases]
    assert cases[0].contracting + cases[0].expanding == max(left[name] + right[name] for name in left)


def test_without_scores_of_both_masks_there_are_none(record: SweepRecord) -> None:
    main = at_setting(record.finished, 12, 1e-3)
    assert image_cases([replace(one, scores=()) for one in main], record.info) == ()
    assert image_cases([one for one in main if one.info.candidate.mask != "6-9"], record.info) == ()


def test_an_image_without_a_lesion_has_no_dice(record: SweepRecord) -> None:
    assert "case 2-5" not in dice_by_image(record.finished[0]) and len(dice_by_image(record.finished[0])) == 29
