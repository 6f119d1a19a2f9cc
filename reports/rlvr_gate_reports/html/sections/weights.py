"""The weight update of a checkpoint as data for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
_FACTS = {
    "unchanged_fraction_at_1e-5": "unchanged within 1e-5",
    "unchanged_fraction_at_relative_1e-3": "unchanged within 1e-3 of itself",
    "unchanged_fraction_bf16": "unchanged in bfloat16",
    "unchanged_fraction_exact": "unchanged, nothing rounded",
    "relative_update": "size of the update, ‖Δ‖ / ‖W‖",
}
_ALWAYS = ("unchanged_fraction_at_1e-5", "relative_update")
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
class TensorRow:
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
class UpdatePanel:
    """How far a checkpoint's weights moved."""

    role: str
    against: str
    total: Bar
    facts: tuple[tuple[str, str], ...]
    by_type: tuple[Bar, ...]
    by_layer: tuple[Bar, ...]
    tensors: tuple[TensorRow, ...]
    story: str
    """What the sparsity means, in plain words."""
    heat: svg.Svg
    """Share changed by layer and matrix type."""
    rows: svg.Svg
    """Share changed along the rows of the most uneven matrices."""
    columns: svg.Svg
    matrices: MatrixPanel | None
    overlaps: tuple[OverlapRow, ...]
    trajectory: str
    notes: tuple[str, ...]
    """How tensors were matched, and what was left out."""


def update_panel(role: str, update: object) -> UpdatePanel | None:
    """Read one role's entry of `RunRecord.weights`; None where nothing was measured."""
    if not isinstance(update, Mapping) or not isinstance(update.get("total"), Mapping):
        return None
    total = update["total"]
    tensors = [t for t in update.get("tensors", ()) if isinstance(t, Mapping)]
    same = total.get("unchanged_fraction")
    facts = tuple(
        (_FACTS.get(str(key), _spaced(str(key))), words.number(value))
        for key, value in total.items()
        if isinstance(value, float) and (value != same or key in _ALWAYS)
    )
    return UpdatePanel(
        role=role,
        against=str(update.get("against", "base")),
        total=_bar("all weights", [total], role),
        facts=facts,
        by_type=_grouped(tensors, _type, role),
        by_layer=_grouped(tensors, _layer, role),
        tensors=tuple(_row(tensor) for tensor in tensors),
        story=_story(total),
        heat=_heat(tensors, role),
        rows=_density(tensors, role, "row"),
        columns=_density(tensors, role, "column"),
        matrices=matrix_panel(update),
        overlaps=_overlaps(update.get("overlaps")),
        trajectory=_trajectory(update.get("trajectory")),
        notes=_notes(update),
    )


def _story(total: Mapping[str, object]) -> str:
    """Where the sparsity lies among those published (arXiv:2511.08567, tab. 1)."""
    share = total.get("unchanged_fraction_bf16", total.get("unchanged_fraction"))
    if not isinstance(share, int | float):
        return ""
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


def _heat(tensors: Sequence[Mapping[str, object]], role: str) -> svg.Svg:
    cells: dict[tuple[tuple[int, str], tuple[int, str]], list[Mapping[str, object]]] = {}
    for tensor in tensors:
        layer, kind = _layer(str(tensor["name"])), _type(str(tensor["name"]))
        if layer is not None and kind is not None:
            cells.setdefault((layer, kind), []).append(tensor)
    layers, kinds = (sorted({key[side] for key in cells}) for side in (0, 1))
    values = [[_changed(cells.get((layer, kind))) for kind in kinds] for layer in layers]
    names = [name.removesuffix("_proj").removesuffix("_layernorm") for _, name in kinds]
    return svg.heat([name for _, name in layers], names, values, role, "share of weights changed")


def _changed(tensors: Sequence[Mapping[str, object]] | None) -> float | None:
    parameters = sum(_int(t["parameters"]) for t in tensors or ())
    return (
        1 - sum(_int(t["unchanged"]) for t in tensors or ()) / parameters if parameters else None
    )


def _density(tensors: Sequence[Mapping[str, object]], role: str, line: str) -> svg.Svg:
    """Profiles of the matrices whose rows (or columns) differ most, beyond chance."""
    found = [
        (float(far), str(t["name"]), [float(v) for v in profile])
        for t in tensors
        if isinstance(far := t.get(f"{line}_dispersion"), int | float)
        and isinstance(profile := t.get(f"{line}_density"), Sequence)
        and len(profile) == _BINS
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


def _overlaps(found: object) -> tuple[OverlapRow, ...]:
    return tuple(
        OverlapRow(
            str(other),
            _beside(of, "jaccard", "jaccard_random"),
            _beside(of, "o1", "o1_random"),
            _beside(of, "o2", "o2_random"),
        )
        for other, of in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(of, Mapping)
    )


def _beside(of: Mapping[str, object], key: str, chance: str) -> str:
    """A share, and what chance would give."""
    share, random = (words.number(_float(of.get(k))) for k in (key, chance))
    return f"{share} (chance {random})"


def _trajectory(found: object) -> str:
    if not isinstance(found, Mapping):
        return ""
    kept, ever, now = (
        _float(found.get(key)) for key in ("unchanged_since_previous", "ever_changed", "changed")
    )
    if kept is None or ever is None or now is None:
        return ""
    return (
        f"Along the run: {words.number(kept)} unchanged since {found.get('previous')}; "
        f"{words.number(ever)} of the weights had changed at some step so far, "
        f"{words.number(now)} differ from the base now."
    )


def _notes(update: Mapping[str, object]) -> tuple[str, ...]:
    matching, absent = update.get("matching"), update.get("not measured")
    notes: list[str] = []
    if isinstance(matching, Mapping):
        notes += [f"{str(note)[:1].upper()}{str(note)[1:]}." for note in matching.get("notes", ())]
        for key, said in (
            ("missing", "In the base only"), ("extra", "In this checkpoint only"),
            ("not weights", "Equal in both, but no weights"),
        ):  # fmt: skip
            names = [str(name) for name in matching.get(key, ())]
            if names:
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                notes.append(f"{said}: {', '.join(names[:3])}{more}.")
    if isinstance(absent, Mapping):
        left = len(absent.get("layers left out", ()))
        if left:
            notes.append(f"{left} matrices were not decomposed, to stay within the work budget.")
        notes += [f"Numerics contradict theory: {told}" for told in absent.get("violations", ())]
    return tuple(notes)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _grouped(
    tensors: Sequence[Mapping[str, object]],
    group: Callable[[str], tuple[int, str] | None],
    role: str,
) -> tuple[Bar, ...]:
    groups: dict[tuple[int, str], list[Mapping[str, object]]] = {}
    for tensor in tensors:
        key = group(str(tensor["name"]))
        if key is not None:
            groups.setdefault(key, []).append(tensor)
    return tuple(_bar(key[1], groups[key], role) for key in sorted(groups))


def _bar(label: str, tensors: Sequence[Mapping[str, object]], role: str) -> Bar:
    parameters = sum(_int(t["parameters"]) for t in tensors)
    unchanged = sum(_int(t["unchanged"]) for t in tensors)
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


def _row(tensor: Mapping[str, object]) -> TensorRow:
    parameters, unchanged = _int(tensor["parameters"]), _int(tensor["unchanged"])
    shape = tensor.get("shape", ())
    return TensorRow(
        name=str(tensor["name"]),
        dtype=str(tensor.get("dtype", "–")),
        shape=" × ".join(str(n) for n in shape) if isinstance(shape, Sequence) else "–",
        parameters=parameters,
        share=words.number(unchanged / parameters if parameters else None),
        max_abs=_scientific(tensor.get("max_abs")),
        relative_l2=_scientific(tensor.get("relative_l2")),
    )


def _scientific(value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    return f"{value:.1e}".replace("-", "−") if value else "0"


def _int(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _spaced(key: str) -> str:
    return key.replace("_", " ")


def read(material: Material) -> list[Part]:
    """One part with every checkpoint's update; none where nothing was measured."""
    weights = material.record.weights
    found = [update_panel(role, weights[role]) for role in role_order(weights)]
    updates = tuple(update for update in found if update is not None)
    return [Part("weights", "Weights", updates)] if updates else []


WEIGHTS = Section("weights.html.j2", read)
