from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import summary_of, with_shown_images
from tracking.record import ShownImages, SweepRecord
from tracking.report.page_figures import figures_section


def test_images_are_shown_and_the_curves_are_linked(record: SweepRecord) -> None:
    section = figures_section(summary_of(record), with_shown_images(record))
    assert [f"Figure {number}: " in section for number in (1, 2, 3, 4, 5)] == [True, True, True, False, True]
    assert '<a href="#directions">Figure 4</a>' in section and section.count("data:image/png") == 3


def test_without_predictions_the_montages_stand_in(record: SweepRecord) -> None:
    section = figures_section(summary_of(record), record)
    assert section.count("data:image/png") == 2 and "Contracting tuned (1-5 · 12 epochs · lr 0.001)." in section


def test_nothing_recorded_is_no_section_and_a_note_is_one(record: SweepRecord) -> None:
    bare = replace(record, trials=())
    assert figures_section(summary_of(bare), bare) == ""
    assert "They are missing." in figures_section(
        summary_of(bare), replace(bare, shown_images=ShownImages(notes=("They are missing.",)))
    )
