"""A methods paragraph for a paper: what was done, with its numbers, versions and sources, out of the typed report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracking.analysis.formatting import SYNTHETIC, counted
from tracking.best_mask.start_tables import FRESH
from tracking.spec_view import view_spec
from tracking.summary.sweep import SweepSummary
from tracking.units import unit_word
from trainer.errors import UserError

SOURCES = {
    "study": "M. Amiri, R. Brooks, H. Rivaz: Fine tuning U-Net for ultrasound image segmentation: which layers? MICCAI "
    "2019 workshops, Springer, 2019.",
    "unet": "O. Ronneberger, P. Fischer, T. Brox: U-Net: convolutional networks for biomedical image segmentation. "
    "MICCAI 2015.",
    "adam": "D. P. Kingma, J. Ba: Adam: a method for stochastic optimization. ICLR 2015.",
    "nadeau": "C. Nadeau, Y. Bengio: Inference for the generalization error. Machine Learning 52 (2003), 239-281.",
    "holm": "S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6 "
    "(1979), 65-70.",
    "bbc": "I. Tsamardinos, E. Greasidou, G. Borboudakis: Bootstrapping the out-of-sample predictions for efficient "
    "and accurate cross-validation. Machine Learning 107 (2018), 1895-1922.",
    "norm": "J. Frankle, D. J. Schwab, A. S. Morcos: Training BatchNorm and only BatchNorm. ICLR 2021.",
    "bias": "E. Ben Zaken, Y. Goldberg, S. Ravfogel: BitFit: simple parameter-efficient fine-tuning. ACL 2022.",
    "lora": "E. J. Hu et al.: LoRA: low-rank adaptation of large language models. ICLR 2022.",
    "decay": "J. Howard, S. Ruder: Universal language model fine-tuning for text classification. ACL 2018.",
    "head": "A. Kumar, A. Raghunathan, R. Jones, T. Ma, P. Liang: Fine-tuning can distort pretrained features and "
    "underperform out-of-distribution. ICLR 2022.",
    "varma": "S. Varma, R. Simon: Bias in error estimation when using cross-validation for model selection. BMC "
    "Bioinformatics 7:91 (2006).",
    "nsd": "S. Nikolov et al.: Clinically applicable segmentation of head and neck anatomy for radiotherapy. Journal "
    "of Medical Internet Research 23 (2021), e26151.",
}
TUNED = {
    "all": ("everything", ""),
    "norm": ("the scales and offsets of normalisations", "norm"),
    "bias": ("the offsets", "bias"),
    "lora": ("updates of low rank of the kernels", "lora"),
}
LOSSES = {"bce": "binary cross-entropy", "bce+dice": "the sum of binary cross-entropy and soft Dice loss"}
LIBRARIES = ("thaw", "tensorflow", "jax", "keras", "optuna", "keras-tuner", "mlflow", "numpy", "scikit-image")


def to_methods(summary: SweepSummary) -> str:
    """The paragraph and its sources, in Markdown; nothing in it is said that the sweep did not do.

    Raises `UserError` where nothing is finished; a sweep that goes on is called unfinished.
    """
    if not any(trial.role == "trial" for trial in summary.trials):
        raise UserError(
            f"A methods paragraph says what was done, but of the sweep '{summary.sweep}' no trial is finished. Let it "
            f"go on: {summary.provenance.command}"
        )
    cited: list[str] = []

    def cite(key: str) -> str:
        if key not in cited:
            cited.append(key)
        return f"[{cited.index(key) + 1}]"

    parts = [_data(summary), _network(summary, cite), _training(summary, cite), _folds(summary), _candidates(summary)]
    parts += [_statistics(summary, cite), *_fewer_images(summary), *_external(summary), *_procedure(summary, cite)]
    parts += [*_others(summary), _software(summary)]
    paragraph = " ".join(part for part in parts if part)
    sources = [f"{number}. {SOURCES[key]}" for number, key in enumerate(cited, 1)]
    head = [f"**{SYNTHETIC}**", ""] if summary.data.synthetic else []
    head += [] if summary.finished else ["**NOT FINISHED: what follows is what was done so far**", ""]
    return "\n".join(["## Methods", "", *head, paragraph, "", *sources]) + "\n"


def _section(summary: SweepSummary, name: str) -> Mapping[str, Any]:
    return dict(summary.settings.get(name) or {})


def _data(summary: SweepSummary) -> str:
    data, size = summary.data, _section(summary, "model").get("size")
    classes = ", ".join(f"{count} {label}" for label, count in data.counted_classes)
    left_out = f" What was left out is in the report ({counted(len(data.notes), 'remark')})." if data.notes else ""
    resized = f", resized to {size} x {size} pixels" if size else ""
    what = "synthetic images" if data.synthetic else "images"
    return (
        f"We used {data.images} {what}{f' ({classes})' if classes else ''} from {data.source}{resized}. "
        f"Near-duplicates{'' if data.synthetic else ' and images of one patient, where known,'} were kept together, "
        f"which left {data.groups} groups.{left_out}"
    )


def _network(summary: SweepSummary, cite: Any) -> str:
    view, word, model = view_spec(summary.settings), unit_word(summary.settings), summary.model
    parameters = sum(model.block_params) + model.always_params
    name = view.network or f"U-Net {cite('unet')} with {view.filters} filters at the first level"
    starts = summary.best_mask.starts if summary.best_mask else None
    weights = f"It started from weights trained on {summary.weights.source}."
    if starts is not None:
        each = "; ".join(f"{row.name}: {row.source or FRESH[row.what]}" for row in starts.rows)
        weights = f"What it started from was searched, too ({each})."
    return (
        f"The network was a {name} ({parameters:,} parameters), divided into {counted(model.blocks, word)}; a mask "
        f"says which of them are fine-tuned, while all others stay frozen {cite('study')}. {weights}"
    )


def _training(summary: SweepSummary, cite: Any) -> str:
    train, augmentation = _section(summary, "train"), _section(summary, "augmentation")
    rates = sorted({trial.learning_rate for trial in summary.trials if trial.role == "trial"})
    rate = f"a learning rate of {' or '.join(f'{one:g}' for one in rates)}" if rates else "a searched learning rate"
    copies = ""
    if augmentation.get("total"):
        copies = (
            f" The training part of each fold was augmented, after the split, to the share of {augmentation['total']} "
            f"images in all: rotations up to {augmentation['rotation']:g} degrees, shears up to "
            f"{augmentation['shear']:g} degrees, shifts up to {100 * augmentation['shift']:g} % and zooms up to "
            f"{100 * augmentation['zoom']:g} %{', and mirrored' if augmentation.get('flip') else ''}."
        )
    loss, precision = LOSSES.get(str(train.get("loss")), str(train.get("loss"))), train.get("precision", "float32")
    return (
        f"Each mask was trained with Adam {cite('adam')} at {rate} in batches of {train.get('batch')} on {loss}, in "
        f"{precision}.{_tuning(summary, cite)}{copies}"
    )


def _tuning(summary: SweepSummary, cite: Any) -> str:
    """How a thawed block was tuned, where it was not simply trained with its mask at one rate."""
    train, searched = _section(summary, "train"), dict(_section(summary, "search").get("train") or ())

    def chosen(name: str, default: Any) -> list[Any]:
        return list(searched.get(name) or [train.get(name, default)])

    text, tunes = "", chosen("tune", "all")
    if tunes != ["all"]:
        named = [(TUNED[tune][0], TUNED[tune][1]) for tune in tunes]
        what = " or ".join(f"{words} {cite(source)}" if source else words for words, source in named)
        text += f" Of a block that a mask thaws, {what} trained."
    if "lora" in tunes:
        text += f" The rank of these updates was {_either(chosen('lora_rank', 4))}."
    if (decays := chosen("rate_decay", 1)) != [1]:
        text += f" For every block behind it, a block's rate was multiplied by {_either(decays)} {cite('decay')}."
    if "head-first" in (schedules := chosen("schedule", "at-once")):
        some = "In some candidates the" if len(schedules) > 1 else "The"
        alone = _either(chosen("head_epochs", 3))
        text += f" {some} last layer trained alone for the first {alone} epochs {cite('head')}."
    return text


def _either(numbers: list[Any]) -> str:
    return " or ".join(f"{number:g}" for number in numbers)


def _folds(summary: SweepSummary) -> str:
    noise = summary.noise
    repeats = f" Every trial was trained {len(noise.seeds)} times, with {noise.words}." if len(noise.seeds) > 1 else ""
    return (
        f"Scores are those of {len(summary.folds)}-fold cross-validation, the same folds for every mask; no group was "
        f"divided.{repeats}"
    )


def _candidates(summary: SweepSummary) -> str:
    trials = [trial for trial in summary.trials if trial.role == "trial"]
    masks, epochs = {trial.mask for trial in trials}, sorted({trial.epochs for trial in trials})
    search = _section(summary, "search")
    how = f" ({search['strategy']} search)" if search.get("strategy") else ""
    budgets = f" at {', '.join(map(str, epochs))} epochs" if epochs else ""
    count = summary.best_mask.candidates if summary.best_mask else len(trials)
    return f"{counted(len(masks), 'mask')} were compared{budgets}{how}, {counted(count, 'candidate')} in all."


def _statistics(summary: SweepSummary, cite: Any) -> str:
    scale = summary.distances
    distances = ""
    if scale:
        distances = (
            f", the 95 % Hausdorff distance (in {scale.unit}) and the surface Dice within {scale.tolerance:g} "
            f"{scale.unit} {cite('nsd')}"
        )
    text = (
        f"We report Dice, pixel error and adjusted Rand index{distances}. Differences were tested with the corrected "
        f"resampled t-test over folds {cite('nadeau')}, two-sided at 5 %, with Holm's correction {cite('holm')} over "
        "the comparisons that were fixed beforehand (contracting against expanding, and the area between both "
        "curves)."
    )
    if summary.best_mask and summary.best_mask.starts and summary.best_mask.starts.pretrainings > 1:
        text += " The variance over pre-trainings was added to that over folds."
    if summary.best_mask and summary.best_mask.corrected:
        text += (
            f" The score of the best mask was corrected for its choice among {summary.best_mask.candidates} candidates "
            f"by bootstrapping the out-of-fold scores {cite('bbc')}."
        )
    return text


def _fewer_images(summary: SweepSummary) -> Iterator[str]:
    labelled = summary.labelled_images
    if labelled:
        sizes = ", ".join(map(str, labelled.sizes))
        yield (
            f"Masks were also trained as if {sizes} of the {labelled.images} images were labelled, in nested sets of "
            "whole groups with the classes' shares, for as many steps, and scored on the same images."
        )


def _external(summary: SweepSummary) -> Iterator[str]:
    if summary.external:
        sets = ", ".join(
            f"{one.name} ({one.data.images} images in {one.data.groups} groups)" for one in summary.external
        )
        yield (
            f"The networks of all folds were also scored on images that took no part in training or choice: {sets}; "
            "intervals there are bootstraps of groups."
        )


def _procedure(summary: SweepSummary, cite: Any) -> Iterator[str]:
    nested = summary.best_mask.nested if summary.best_mask else None
    if nested and nested.dice:
        yield (
            f"The whole procedure, search included, was repeated without each of {nested.planned} parts of the images, "
            f"and what it chose was scored on that part {cite('varma')}."
        )


def _others(summary: SweepSummary) -> Iterator[str]:
    names = [trial.mask for trial in summary.trials if trial.role == "referee"]
    if names:
        yield (
            f"Out-of-fold predictions made without thaw ({', '.join(names)}) were scored on the same images by the "
            "same formulas, and compared with the best mask by the same test."
        )


def _software(summary: SweepSummary) -> str:
    provenance = summary.provenance
    versions = {**provenance.versions}
    named = ", ".join(f"{name} {versions[name]}" for name in LIBRARIES if name in versions)
    kinds = ", ".join(kind.name for kind in summary.processors.kinds) if summary.processors else ""
    return (
        f"All was done with thaw{f' ({named})' if named else ''}{f', on {kinds}' if kinds else ''}; the command was "
        f"`{provenance.command}` (seed {summary.seed})."
    )
