"""The weight update of a checkpoint as data for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rlvr_gate.records import (
    MatrixShape,
    Step,
    TensorRow,
    UpdateOverlap,
    UpdateRecord,
    WeightTotals,
)
from rlvr_gate_reports import svg, words
from rlvr_gate_reports.html.sections.matrices import MatrixPanel, matrix_panel
from rlvr_gate_reports.html.sections.section import Material, Part, Section
from rlvr_gate_reports.reading import role_order

_TYPES = (
    "embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    "input_layernorm", "post_attention_layernorm", "norm", "lm_head",
)  # fmt: skip
_PUBLISHED = {"RL": (0.36, 0.92), "supervised fine-tuning": (0.0, 0.19)}
"""Update sparsity in bfloat16 of published pairs: arXiv:2511.08567, table 1."""
_FACTS: tuple[tuple[str, Callable[[WeightTotals], float | None], bool], ...] = (
    ("unchanged within 1e-5", lambda total: total.within_tolerance, True),
    ("unchanged within 1e-3 of itself", lambda total: total.within_relative, False),
    ("unchanged in bfloat16", lambda total: total.bf16, False),
    ("unchanged, nothing rounded", lambda total: total.exact, False),
    ("size of the update, ‖Δ‖ / ‖W‖", lambda total: total.relative_update, True),
)
"""Words, what they are about, and whether it is shown even where it says nothing new."""
_BINS = 24
_SHOWN = 14  # matrices in a density map


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a group of tensors and the share of its weights that is unchanged."""

    label: str
    parameters: int
    share: str
    picture: svg.Svg


@dataclass(frozen=True, slots=True)
class TensorLine:
    """One tensor of the update, worded."""

    name: str
    dtype: str
    shape: str
    parameters: int
    share: str
    max_abs: str
    relative_l2: str


@dataclass(frozen=True, slots=True)
class OverlapRow:
    """How two updates of one base overlap, worded: each share beside what chance gives."""

    other: str
    jaccard: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Map:
    """One quantity of the switch."""

    said: str
    picture: svg.Svg


@dataclass(frozen=True, slots=True)
class UpdatePanel:
    """How far a checkpoint's weights moved."""

    role: str
    against: str
    total: Bar
    facts: tuple[tuple[str, str], ...]
    by_type: tuple[Bar, ...]
    by_layer: tuple[Bar, ...]
    tensors: tuple[TensorLine, ...]
    story: str
    """What the sparsity means, in plain words."""
    maps: tuple[Map, ...]
    """By layer and type of tensor; one is shown at a time."""
    rows: svg.Svg
    """Share changed along the rows of the most uneven matrices."""
    columns: svg.Svg
    matrices: MatrixPanel | None
    overlaps: tuple[OverlapRow, ...]
    trajectory: str
    notes: tuple[str, ...]
    """How tensors were matched, and what was left out."""


def update_panel(role: str, update: UpdateRecord) -> UpdatePanel:
    """Read one update."""
    tensors = update.tensors
    return UpdatePanel(
        role=role,
        against=update.against,
        total=_bar("all weights", [update.total], role),
        facts=_facts(update.total),
        by_type=_grouped(tensors, _type, role),
        by_layer=_grouped(tensors, _layer, role),
        tensors=tuple(_row(tensor) for tensor in tensors),
        story=_story(update.total),
        maps=_maps(update, role),
        rows=_density([(t.row_dispersion, t.name, t.row_density) for t in tensors], role, "row"),
        columns=_density(
            [(t.column_dispersion, t.name, t.column_density) for t in tensors], role, "column"
        ),
        matrices=matrix_panel(update.matrices),
        overlaps=_overlaps(update.overlaps),
        trajectory=_trajectory(update.trajectory),
        notes=_notes(update),
    )


def _facts(total: WeightTotals) -> tuple[tuple[str, str], ...]:
    found = ((said, read(total), always) for said, read, always in _FACTS)
    return tuple(
        (said, words.number(value))
        for said, value, always in found
        if value is not None and (always or value != total.unchanged_fraction)
    )


def _story(total: WeightTotals) -> str:
    """Where the sparsity lies among those published (arXiv:2511.08567, tab. 1)."""
    share = total.unchanged_fraction if total.bf16 is None else total.bf16
    known = [name for name, (low, high) in _PUBLISHED.items() if low <= share <= high]
    if share == 1:
        said = "Nothing changed: this is the checkpoint it started from."
    elif known:
        said = f"That is what {known[0]} leaves unchanged in published pairs."
    else:
        said = "Published pairs show neither for RL nor for supervised fine-tuning."
    ranges = "; ".join(
        f"{name} {words.number(low)} to {words.number(high)}"
        for name, (low, high) in _PUBLISHED.items()
    )
    return f"{said} (arXiv:2511.08567, table 1: {ranges}.)"


def _maps(update: UpdateRecord, role: str) -> tuple[Map, ...]:
    """By layer and type of tensor, one map for each quantity that was measured."""
    tensors, matrices = update.tensors, update.matrices
    drawn = (
        Map(said, _heat(values, role, said))
        for said, values in (
            ("share of weights changed", {t.name: _changed(t) for t in tensors}),
            ("size of the update, ‖Δ‖ / ‖W‖", {t.name: t.relative_l2 for t in tensors}),
            ("normalised spectral shift", {m.name: m.nss for m in matrices}),
            ("largest principal angle, degrees", {m.name: m.angle for m in matrices}),
            ("rank over full rank", {m.name: m.rank / m.full_rank for m in matrices}),
            ("overlap with small weights", {m.name: _on_small(m) for m in matrices}),
        )
    )
    return tuple(each for each in drawn if each.picture)


def _heat(values: Mapping[str, float | None], role: str, what: str) -> svg.Svg:
    """Of several tensors in one cell, the largest."""
    cells: dict[tuple[tuple[int, str], tuple[int, str]], float] = {}
    for name, value in values.items():
        layer, kind = _layer(name), _type(name)
        if layer is not None and kind is not None and value is not None:
            cells[layer, kind] = max(value, cells.get((layer, kind), value))
    layers, kinds = (sorted({key[side] for key in cells}) for side in (0, 1))
    lines = [[cells.get((layer, kind)) for kind in kinds] for layer in layers]
    names = [name.removesuffix("_proj").removesuffix("_layernorm") for _, name in kinds]
    return svg.heat([name for _, name in layers], names, lines, role, what)


def _changed(tensor: TensorRow) -> float | None:
    return 1 - tensor.unchanged / tensor.parameters if tensor.parameters else None


def _on_small(matrix: MatrixShape) -> float | None:
    return next((mask.overlap for mask in matrix.masks if mask.mask == "low"), None)


def _density(
    lines: Sequence[tuple[float | None, str, Sequence[float]]], role: str, line: str
) -> svg.Svg:
    """Profiles of the matrices whose rows (or columns) differ most, beyond chance.

    Args:
        lines: dispersion, name and profile of each.
    """
    found = [
        (far, name, profile)
        for far, name, profile in lines
        if far is not None and len(profile) == _BINS
    ]
    shown = sorted(found, key=lambda row: (-row[0], row[1]))[:_SHOWN]
    if not shown:
        return svg.Svg("")
    labels = [f"{_short(name)} ×{far:.1f}" for far, name, _ in shown]
    bins = [f"{line}s, part {n + 1} of {_BINS}" for n in range(_BINS)]
    return svg.heat(
        labels, bins, [profile for *_, profile in shown], role,
        f"share changed along the {line}s", spell=False,
    )  # fmt: skip


def _short(name: str) -> str:
    """`2 q_proj` of `model.layers.2.self_attn.q_proj.weight`."""
    layer, kind = _layer(name), _type(name)
    return " ".join(
        str(p) for p in (layer[0] if layer else "", kind[1] if kind else name) if p != ""
    )


def _overlaps(found: Mapping[str, UpdateOverlap]) -> tuple[OverlapRow, ...]:
    return tuple(
        OverlapRow(
            other,
            _beside(of.jaccard, of.jaccard_random),
            _beside(of.o1, of.o1_random),
            _beside(of.o2, of.o2_random),
        )
        for other, of in found.items()
    )


def _beside(share: float | None, chance: float | None) -> str:
    """A share, and what chance would give."""
    return f"{words.number(share)} (chance {words.number(chance)})"


def _trajectory(found: Step | None) -> str:
    if found is None:
        return ""
    return (
        f"Along the run: {words.number(found.unchanged_since_previous)} unchanged since "
        f"{found.previous}; {words.number(found.ever_changed)} of the weights had changed at some "
        f"step so far, {words.number(found.changed)} differ from the base now."
    )


def _notes(update: UpdateRecord) -> tuple[str, ...]:
    matching, left = update.matching, len(update.not_measured.left_out)
    notes = [f"{note[:1].upper()}{note[1:]}." for note in matching.notes]
    for said, names in (
        ("In the base only", matching.missing),
        ("In this checkpoint only", matching.extra),
        ("Equal in both, but no weights", matching.not_weights),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            notes.append(f"{said}: {', '.join(names[:3])}{more}.")
    if left:
        notes.append(f"{left} matrices were not decomposed, to stay within the work budget.")
    violations = update.not_measured.violations
    return (*notes, *(f"Numerics contradict theory: {told}" for told in violations))


def _grouped(
    tensors: Sequence[TensorRow], group: Callable[[str], tuple[int, str] | None], role: str
) -> tuple[Bar, ...]:
    groups: dict[tuple[int, str], list[TensorRow]] = {}
    for tensor in tensors:
        key = group(tensor.name)
        if key is not None:
            groups.setdefault(key, []).append(tensor)
    return tuple(_bar(key[1], groups[key], role) for key in sorted(groups))


def _bar(label: str, counted: Sequence[TensorRow | WeightTotals], role: str) -> Bar:
    parameters = sum(each.parameters for each in counted)
    unchanged = sum(each.unchanged for each in counted)
    share = unchanged / parameters if parameters else 0.0
    return Bar(label, parameters, words.number(share), svg.bar(share, role))


def _type(name: str) -> tuple[int, str] | None:
    parts = name.removesuffix(".weight").split(".")
    bias = parts[-1] == "bias"
    kind = parts[-2] if bias and len(parts) > 1 else parts[-1]
    rank = _TYPES.index(kind) if kind in _TYPES else len(_TYPES)
    return rank, f"{kind} bias" if bias else kind


def _layer(name: str) -> tuple[int, str] | None:
    found = re.search(r"\.(\d+)\.", name)
    return (int(found[1]), f"layer {int(found[1])}") if found else None


def _row(tensor: TensorRow) -> TensorLine:
    share = tensor.unchanged / tensor.parameters if tensor.parameters else None
    return TensorLine(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=" × ".join(map(str, tensor.shape)),
        parameters=tensor.parameters,
        share=words.number(share),
        max_abs=_scientific(tensor.max_abs),
        relative_l2=_scientific(tensor.relative_l2),
    )


def _scientific(value: float) -> str:
    return f"{value:.1e}".replace("-", "−") if value else "0"


def read(material: Material) -> list[Part]:
    """One part with every checkpoint's update; none where nothing was measured."""
    weights = material.record.weights
    updates = tuple(update_panel(role, weights[role]) for role in role_order(weights))
    return [Part("weights", "Weights", updates)] if updates else []


WEIGHTS = Section("weights.html.j2", read)
