"""The weight section: heat maps, density maps, tables and plain words from the run's record."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rlvr_gate.records import (
    Compared,
    MaskShare,
    Matching,
    MatrixShape,
    NotMeasured,
    RunRecord,
    Step,
    TensorRow,
    UpdateOverlap,
    UpdateRecord,
    WeightTotals,
)
from rlvr_gate_reports import html
from rlvr_gate_reports.html.sections.weights import update_panel


def tensor(name: str, unchanged: int, **more: object) -> TensorRow:
    row = TensorRow(name, "BF16", (10, 10), 100, unchanged, unchanged, unchanged, 0.1, 0.01,
                    None, None, (), ())  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def update(**more: object) -> UpdateRecord:
    tensors = (
        tensor("model.layers.0.self_attn.q_proj.weight", 50, row_dispersion=7.25,
               column_dispersion=1.5, row_density=(0.5,) * 24, column_density=(0.25,) * 24),
        tensor("model.layers.0.mlp.up_proj.weight", 75),
        tensor("model.layers.1.self_attn.q_proj.weight", 100),
        tensor("model.embed_tokens.weight", 75),
    )  # fmt: skip
    record = UpdateRecord(
        "base", WeightTotals(400, 300, 0.75, bf16=0.75), tensors, Matching((), (), (), (), 0),
        Compared("", "", "", ""), (), NotMeasured((), ()), {},
    )  # fmt: skip
    return replace(record, **more)  # type: ignore[arg-type]


MATRIX = MatrixShape(
    name="model.layers.0.self_attn.q_proj.weight", shape=(10, 10), norm=0.1,
    relative_norm=0.0031, spectral_norm=0.05, nss=0.00012, rank=10, full_rank=10,
    stable_rank=3.25, effective_rank=8.5, signal_rank=2, signal_share=0.5,
    null_stable_rank=5.5, null_effective_rank=9.25, top=4, left_angle=1.25,
    right_angle=2.5, projector_distance=0.1, gap=0.02, ill_conditioned=True,
    weyl_slack=0.1, mirsky_slack=0.1, wedin_slack=None, note="",
    masks=(MaskShare("low", 0.5, 0.884, 0.809, 0.815, 0.001),
           MaskShare("principal", 0.5, 0.434, None, None, None)),
)  # fmt: skip


def test_the_heat_map_shows_the_share_changed_of_every_layer_and_type() -> None:
    panel = update_panel("rlvr", update())
    [shares, sizes] = panel.maps
    assert shares.said == "share of weights changed"
    words = re.findall(r">([^<>]+)</text>", shares.picture)
    assert words == ["q", "up", "layer 0", "0.500", "0.250", "layer 1", "0"]
    shades = [float(x) for x in re.findall(r'fill-opacity="([\d.]+)"', shares.picture)]
    assert sizes.said.startswith("size of the update")
    assert shades[0] > shades[1] > shades[2]


def test_the_map_switches_between_the_quantities_that_were_measured() -> None:
    panel = update_panel("rlvr", update(matrices=[MATRIX]))
    said = {each.said: re.findall(r">([^<>]+)</text>", each.picture)[-1] for each in panel.maps}
    assert list(said)[2:] == [
        "normalised spectral shift", "largest principal angle, degrees", "rank over full rank",
        "overlap with small weights",
    ]  # fmt: skip
    assert said["normalised spectral shift"] == "1.2e−4"
    assert said["largest principal angle, degrees"] == "2.500"
    assert said["overlap with small weights"] == "0.884"


def test_figures_that_say_the_same_are_shown_once() -> None:
    total = WeightTotals(
        4, 3, 0.75, bf16=0.75, exact=0.5, within_tolerance=0.75, relative_update=0.0031
    )
    panel = update_panel("rlvr", update(total=total))
    assert panel.facts == (
        ("unchanged within 1e-5", "0.750"),
        ("unchanged, nothing rounded", "0.500"),
        ("size of the update, ‖Δ‖ / ‖W‖", "0.003"),
    )


def test_density_maps_show_the_most_uneven_matrices_only() -> None:
    panel = update_panel("rlvr", update())
    assert "0 q_proj ×7.2" in panel.rows
    assert panel.rows.count("<rect") == panel.columns.count("<rect") == 24
    assert "rows, part 3 of 24: 0.500" in panel.rows


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.75, "what RL leaves unchanged"),
        (0.1, "what supervised fine-tuning leaves unchanged"),
        (0.25, "neither for RL nor"),
        (0.97, "neither for RL nor"),
        (1, "Nothing changed"),
    ],
)
def test_the_sparsity_is_put_among_those_published(share: float, words: str) -> None:
    panel = update_panel("rlvr", update(total=WeightTotals(4, 3, share)))
    assert words in panel.story


def test_matrices_stand_beside_what_rounding_alone_shows() -> None:
    panel = update_panel("rlvr", update(matrices=(MATRIX,)))
    assert panel.matrices is not None
    row = panel.matrices.rows[0]
    assert row.angle == "2.50° (no gap)"
    assert (row.rank, row.stable, row.effective) == ("10 / 10", "3.2 (5.5)", "8.5 (9.2)")
    assert (row.low, row.principal) == ("0.884 (0.809–0.815)", "0.434")
    assert row.shift == "1.2e−04"
    assert (panel.matrices.top, panel.matrices.ill) == ("4", 1)


def test_overlaps_trajectory_and_matching_are_worded() -> None:
    panel = update_panel(
        "rlvr",
        update(
            overlaps={"rlvr-2": UpdateOverlap(0.3, 0.1, 0.6, 0.2, 0.5, 0.25, 9.0)},
            trajectory=Step("step-8", 0.9, 0.3, 0.25),
            matching=Matching(("rlvr ties lm_head",), ("a", "b", "c", "d"), (), ("ids (I64)",), 4),
            not_measured=NotMeasured(("x",) * 3, ()),
        ),
    )
    assert panel.overlaps[0].jaccard == "0.300 (chance 0.100)"
    assert "0.900 unchanged since step-8; 0.300 of the weights had changed" in panel.trajectory
    assert panel.notes == (
        "Rlvr ties lm_head.",
        "In the base only: a, b, c and 1 more.",
        "Equal in both, but no weights: ids (I64).",
        "3 matrices were not decomposed, to stay within the work budget.",
    )


def test_the_page_shows_all_of_it(minimal_run: RunRecord) -> None:
    found = update(
        matrices=(MATRIX,),
        matching=Matching(("<b>odd</b> name",), (), (), (), 0),
        overlaps={"sft": UpdateOverlap(None, None, None, 0.1, None, 0.1, 1.0)},
    )
    text = html.render(replace(minimal_run, weights={"rlvr": found}))
    for shown in ("Where it changed", "Density along the rows", "on small weights", "0.884"):
        assert shown in text
    assert "<b>odd</b>" not in text
