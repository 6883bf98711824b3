"""The answer in words: one sentence with an interval and a price, and the notes that belong to it."""

from __future__ import annotations

import math

from tracking.analysis.formatting import counted, mask_name
from tracking.analysis.per_image import FAILURE
from tracking.record import Json, SweepInfo
from tracking.units import WORDS, unit_of

UNBIASED = ("grid", "exhaustive", "factorial", "random", "qmc")  # strategies whose masks do not depend on their scores


def sentence(found: Json, info: SweepInfo) -> str:
    """`Thaw blocks 1-5: Dice 0.80 (0.81 before ...); 0.08 [0.02, 0.14] above expanding, ...; 4 cheaper masks tie, ...`

    Says so where no training at all is best, where networks learned nothing, and where nothing differs.
    """
    synthetic = " Synthetic data: no claim about real images." if found["synthetic"] else ""
    best = found["best"]
    if best["dice"] < FAILURE:
        return (
            f"No answer: no {_noun(found)} of {found['candidates']} scores more than {digits(best['dice'])} Dice, so "
            "the networks find almost nothing. Train longer, at another learning rate, or from better starting "
            f"weights.{synthetic}"
        )
    against = {one["name"]: one for one in found["against"]}
    zero = against.get("zero-shot")
    if zero and zero["mean"] <= 0:
        told = (
            f"Thaw nothing: without any training the Dice is {digits(zero['candidate']['dice'])}; the best of "
            f"{counted(found['candidates'], _noun(found))}, {_which(found, info)}, has {_score(found)}, {ahead(zero)}"
        )
        return f"{told}.{synthetic}"
    same = _same(found)
    head = f"No difference shown among {counted(found['candidates'], _noun(found))}: highest is" if same else "Thaw"
    parts = [f"{head} {_which(found, info)}: Dice {_score(found)}"]
    names = [name for name in ("expanding", "contracting", "all") if name in against]
    shown = names[:1] + (["all"] if "all" in names[1:] else names[1:2])
    parts += [", ".join(ahead(against[name]) for name in shown)] if shown else []
    parts.append(_ties(found, same))
    if zero and not zero["low"] > 0:
        parts.append(f"not shown to be better than no training at all ({ahead(zero)})")
    scratch = against.get("scratch")
    if scratch and scratch["mean"] < 0:
        parts.append(f"all blocks from scratch score higher ({ahead(scratch)})")
    return f"{'; '.join(parts)}.{synthetic}"


def notes(found: Json, info: SweepInfo) -> list[str]:
    """How the numbers of the sentence were made, and which trials have no place in them."""
    told = []
    if found["corrected"] is None:
        told.append("Not corrected for the search: that needs ten images or more, so expect less of the winner.")
    else:
        told.append(
            "Corrected for the search: the winner is chosen on drawn images and scored on the others, "
            f"{found['corrected']['draws']:,} times, and so are its leads. That allows for the luck of the images, not "
            "for that of one training: seeds do that."
        )
    told.append(
        f"[ ]: 95 %, corrected resampled t over {len(info.folds)} folds. A mask ties when the interval of its distance "
        "from the best holds 0: not shown to be worse, which is not the same as being as good."
    )
    lacking = [name for name in ("expanding", "all") if not _measured(name, found)]
    if lacking:
        told.append(f"Not measured at the settings compared: {' and '.join(lacking)}.")
    if found["dropped"]:
        told.append(
            f"{counted(found['dropped'], 'trial')} dropped before the last fold because clearly worse; left out."
        )
    for key in ("failed", "unfinished"):
        if found[key]:
            told.append(f"{counted(found[key], 'trial')} {key}; left out.")
    return told


def effect_sentences(effects: Json, info: SweepInfo) -> list[str]:
    """What the effects are of, how far they can be believed, and the largest."""
    word = WORDS[unit_of(info.spec)]
    which = f"all {effects['possible']}" if effects["masks"] == effects["possible"] else (
        f"{effects['masks']} of {effects['possible']:,}"
    )  # fmt: skip
    empty = ", the zero-shot score apart" if effects["zero_shot"] else ""
    offsets = f", each of the {effects['settings']} settings with a mean of its own" if effects["settings"] > 1 else ""
    top = max(effects["blocks"], key=lambda one: abs(one["mean"]))
    told = [
        f"Effect of a {word}: mean Dice with it thawed minus frozen, over {which} masks{empty}{offsets}. Largest: "
        f"{word} {top['block']}, {signed(top)}."
    ]
    if effects["pairs"]:
        pair = max(effects["pairs"], key=lambda one: abs(one["mean"]))
        told.append(
            f"Interaction of two: half of what one brings more when the other is thawed too. Largest: "
            f"{'×'.join(map(str, pair['blocks']))}, {signed(pair)}."
        )
    elif effects["clear"]:
        told.append(f"These masks cannot tell pairs of {word}s apart; no pair can pass for a single {word}.")
    else:
        told.append(
            f"These masks cannot tell interactions: the effects suppose that {word}s add up, and what pairs do "
            "together shows up in them."
        )
    if effects["inseparable"]:
        blocks = ", ".join(map(str, effects["inseparable"]))
        told.append(f"Without an effect of their own, for these masks never vary them alone: {word} {blocks}.")
    strategy = dict(info.spec.get("search") or {}).get("strategy", "grid")
    if effects["design"] == "sample" and strategy not in UNBIASED:
        told.append(f"'{strategy}' chose the masks by their scores, so these effects lean towards where it looked.")
    return told


def ahead(one: Json) -> str:
    """`0.08 [0.02, 0.14] above expanding`, `0.02 [-0.02, 0.06] below all`."""
    name = {"zero-shot": "zero-shot", "scratch": "scratch"}.get(one["name"], one["name"])
    below = round(one["mean"], 2) < 0
    sign = -1 if below else 1
    ends = sorted((sign * one["low"], sign * one["high"]))
    interval = (
        f"[{digits(ends[0])}, {digits(ends[1])}]" if not math.isnan(one["low"]) else f"(no interval: {one['note']})"
    )
    return f"{digits(abs(one['mean']))} {interval} {'below' if below else 'above'} {name}"


def signed(one: Json) -> str:
    """`+0.081 [0.020, 0.142]`."""
    mean = f"{one['mean']:+.3f}".replace("-", "−")
    if math.isnan(one["low"]):
        return f"{mean} (no interval: {one['note']})"
    return f"{mean} [{digits(one['low'], 3)}, {digits(one['high'], 3)}]"


def digits(value: float, count: int = 2) -> str:
    """A fixed number of digits with a true minus, never −0.00; an en dash for NaN."""
    return "–" if math.isnan(value) else f"{round(value, count) + 0.0:.{count}f}".replace("-", "−")


def span(one: Json) -> str:
    """`[0.02, 0.14]`, the ends of an interval."""
    return f"[{digits(one['low'])}, {digits(one['high'])}]"


def percent(share: float) -> str:
    """`5 %`, `0.3 %`: a share of the parameters."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def setting_words(one: Json) -> str:
    """`12 epochs, lr 0.001, batch 8`."""
    more = "".join(f", {name} {value}" for name, value in one["train"].items())
    return f"{one['epochs']} epochs, lr {one['learning_rate']:g}{more}"


def _which(found: Json, info: SweepInfo) -> str:
    """`blocks 1-5`, with the setting where more than one was searched."""
    best, word = found["best"], WORDS[unit_of(info.spec)]
    if best["mask"] == "all":
        which = f"all {word}s"
    else:
        which = f"{word}{'' if len(best['blocks']) == 1 else 's'} {best['mask']}"
    return f"{which} ({setting_words(best)})" if len(found["settings"]) > 1 else which


def _score(found: Json) -> str:
    corrected = found["corrected"]
    searched = f"the search over {counted(found['candidates'], _noun(found))}"
    if corrected is None:
        return f"{digits(found['best']['dice'])} (not corrected for {searched})"
    return f"{digits(corrected['corrected'])} ({digits(corrected['apparent'])} before allowing for {searched})"


def _ties(found: Json, same: bool) -> str:
    best = found["best"]
    cheaper = [one for one in found["compared"] if one["tied"] and one["trainable_params"] < best["trainable_params"]]
    if not cheaper:
        return f"no cheaper {_noun(found)} ties"
    first = cheaper[0]
    noun, verb = (_noun(found), "ties") if len(cheaper) == 1 else (f"{_noun(found)}s", "tie")
    which = mask_name(first) if len(found["settings"]) == 1 else f"{mask_name(first)} at {setting_words(first)}"
    smallest = "it is" if len(cheaper) == 1 else "the smallest is"
    return f"{len(cheaper)} cheaper {noun} {verb}, {smallest} {which} with {percent(first['share'])} of the parameters"


def _same(found: Json) -> bool:
    """Whether nothing differs: every candidate ties with the best, and no reference mask is excluded either."""
    told = [one for one in found["against"] if one["name"] in ("expanding", "contracting", "all")]
    return all(one["tied"] for one in found["compared"]) and not any(one["low"] > 0 for one in told)


def _measured(name: str, found: Json) -> bool:
    best = found["best"]
    return name in (best["mask"], *best["aliases"]) or any(one["name"] == name for one in found["against"])


def _noun(found: Json) -> str:
    return "mask" if len(found["settings"]) == 1 else "candidate"
