"""What claims read of an update, and properties that any comparison of weights must have."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rlvr_gate.claims.updates import UpdateView
from rlvr_gate.judging.ledger import Ledger
from rlvr_gate.records import Verdict
from rlvr_gate.weights.compare import compare, pairing
from rlvr_gate.weights.joint import count_together
from rlvr_gate.weights.shapes import ShapeSettings, choose, kind_of, layer_of, measure_shapes

HEADS, DIM, HIDDEN = 4, 8, 32


class Folders:
    """A source of comparisons straight from folders, `base` among them."""

    def __init__(self, **folders):
        self.folders = folders

    def _pairing(self, role, against):
        return pairing(self.folders[against], self.folders[role], role=role, against=against)

    def update(self, role, against):
        return compare(self.folders[against], self.folders[role], role=role, against=against)

    def shapes(self, role, against):
        return measure_shapes(self._pairing(role, against).pairs, ShapeSettings())

    def together(self):
        return count_together(
            {role: self._pairing(role, "base") for role in self.folders if role != "base"}
        )

    def view(self, role="rlvr"):
        return UpdateView(role, "base", self, Ledger())


def draw(seed, scale=0.05):
    """A model of two layers with heads, as float32."""
    rng = np.random.default_rng(seed)
    shapes = {
        "self_attn.q_proj": (HEADS * DIM, HIDDEN), "self_attn.k_proj": (HEADS * DIM, HIDDEN),
        "self_attn.v_proj": (HEADS * DIM, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * DIM),
        "mlp.up_proj": (3 * HIDDEN, HIDDEN),
    }  # fmt: skip
    model = {
        f"model.layers.{layer}.{name}.weight": rng.standard_normal(shape) * scale
        for layer in range(2)
        for name, shape in shapes.items()
    }
    return model | {"model.layers.0.input_layernorm.weight": 1 + 0.1 * rng.standard_normal(HIDDEN)}


def step(model, seed, scale):
    rng = np.random.default_rng(seed)
    return {name: w + scale * rng.standard_normal(w.shape) for name, w in model.items()}


@pytest.fixture
def pair(save, bf16):
    def _pair(base, **others):
        stored = {role: {n: bf16(w) for n, w in m.items()} for role, m in others.items()}
        folders = {role: save(role, tensors) for role, tensors in stored.items()}
        return Folders(base=save("base", {n: bf16(w) for n, w in base.items()}), **folders)

    return _pair


QUESTIONS = (
    "unchanged", "tolerance_gap", "norms_unchanged", "spread_over_layers", "spread_over_types",
    "uneven_rows", "uneven_columns", "rank_share", "spectral_shift", "rotation",
    "typical_rotation", "low_beyond_rounding", "principal_beyond_rounding",
    "large_principal_beyond_rounding", "violations",
)  # fmt: skip


def test_identical_checkpoints_have_no_update_and_nothing_holds(pair):
    base = draw(0)
    source = pair(base, rlvr=base, **{"rlvr-2": step(base, 1, 1e-3)})
    view = source.view()
    assert not view.changed() > 0
    assert view.changed().value == 0
    total = view.update.totals()
    assert total.unchanged_fraction == total.bf16 == 1
    assert total.relative_update == 0
    assert all(m.unchanged and m.nss == 0 and m.angle == 0 for m in view.shapes.matrices)
    for question in QUESTIONS:
        number = getattr(view, question)()
        for judgement in (number > 0, number <= 0, number >= 0.36):
            assert judgement.verdict is Verdict.NOT_COMPARABLE, question
            assert "hold the same weights" in judgement.evidence.incomparable[0]
    shared = view.shared_with(source.view("rlvr-2"))
    assert (shared > 0).verdict is Verdict.NOT_COMPARABLE
    assert (source.view("rlvr-2").shared_with(view) > 0).verdict is Verdict.NOT_COMPARABLE


def test_every_question_has_an_answer_where_there_is_an_update(pair):
    base = draw(0)
    view = pair(base, rlvr=step(base, 1, 2e-4)).view()
    for question in QUESTIONS:
        judgement = getattr(view, question)() > -1e9
        assert judgement.verdict is Verdict.HOLDS, (question, judgement.evidence)
    assert view.violations() <= 0
    assert view.unchanged().value == view.update.unchanged_fraction


def test_stripes_are_asked_of_the_matrices_that_are_named(pair):
    """Whole rows of the queries and whole columns of the output move; nothing else does."""
    base = draw(0)
    moved = {name: np.array(w) for name, w in base.items()}
    for name in moved:
        if "q_proj" in name:
            moved[name][::2] *= 1.5
        if "o_proj" in name:
            moved[name][:, ::2] *= 1.5
    view = pair(base, rlvr=moved).view()
    assert view.uneven_rows("q_proj") > 10
    assert view.uneven_columns("o_proj") > 10
    assert not view.uneven_columns("q_proj") > 1
    assert not view.uneven_rows("o_proj") > 1
    assert "of q_proj" in view.uneven_rows("q_proj").label
    none = view.uneven_rows("nowhere") > 2
    assert none.verdict is Verdict.NOT_COMPARABLE


def test_permuting_heads_of_both_changes_no_number(pair):
    """Heads may be reordered without changing the function: rows of q, k, v, columns of o."""
    base = draw(0)
    rlvr = step(base, 1, 2e-4)
    order = np.random.default_rng(2).permutation(HEADS)

    def permuted(model):
        rows = np.arange(HEADS * DIM).reshape(HEADS, DIM)[order].ravel()
        return {
            n: w[:, rows] if "o_proj" in n else w[rows] if "self_attn" in n else w
            for n, w in model.items()
        }

    plain, turned = pair(base, rlvr=rlvr).view(), None
    before = {q: getattr(plain, q)().value for q in QUESTIONS}
    turned = pair(permuted(base), rlvr=permuted(rlvr)).view()
    for question, value in before.items():
        if "beyond" in question:
            continue  # their nulls are drawn
        assert getattr(turned, question)().value == pytest.approx(value, rel=1e-4), question
    # permuting one of them only leaves its spectra alone and everything else far away
    mixed = pair(base, rlvr=permuted(base)).view()
    assert mixed.spectral_shift().value == pytest.approx(0, abs=1e-7)
    assert mixed.unchanged().value < 0.7


@pytest.mark.parametrize("power", [-3, 5])
def test_scaling_both_by_a_power_of_two_changes_only_the_absolute_tolerance(pair, power):
    base = draw(0)
    rlvr, factor = step(base, 1, 2e-4), 2.0**power
    plain = pair(base, rlvr=rlvr).view()
    before = {q: getattr(plain, q)().value for q in QUESTIONS} | {
        "size": plain.update.relative_norm()
    }
    loose = plain.update.share("within_tolerance")
    scaled = pair(
        {n: w * factor for n, w in base.items()}, rlvr={n: w * factor for n, w in rlvr.items()}
    ).view()
    for question in (q for q in QUESTIONS if q != "tolerance_gap" and "beyond" not in q):
        assert getattr(scaled, question)().value == pytest.approx(before[question], rel=1e-4)
    assert scaled.update.relative_norm() == pytest.approx(before["size"], rel=1e-5)
    after = scaled.update.share("within_tolerance")
    assert after > loose if power < 0 else after < loose


def test_figures_follow_their_definitions(pair, bf16, number):
    base = draw(0)
    rlvr = step(base, 1, 2e-4)
    view = pair(base, rlvr=rlvr).view()
    x, y = ({n: number(bf16(w)) for n, w in m.items()} for m in (base, rlvr))
    same = {n: (x[n] == y[n]) for n in x}
    inside = {n: s for n, s in same.items() if s.ndim == 2}
    whole = sum(s.sum() for s in inside.values()) / sum(s.size for s in inside.values())

    def share(of):
        return sum(s.sum() for s in of) / sum(s.size for s in of)

    layers = [share([s for n, s in inside.items() if f".{i}." in n]) for i in range(2)]
    far = max(abs(value - whole) for value in layers)
    assert view.spread_over_layers().value == pytest.approx(far)
    kinds = {kind_of(n) for n in inside}
    assert kinds == {"q_proj", "k_proj", "v_proj", "o_proj", "up_proj"}
    far = max(
        abs(share([s for n, s in inside.items() if kind_of(n) == kind]) - whole) for kind in kinds
    )
    assert view.spread_over_types().value == pytest.approx(far)
    norm = same["model.layers.0.input_layernorm.weight"]
    assert view.norms_unchanged().value == norm.mean()
    shifts = []
    for name in inside:
        s0, s1 = (np.linalg.svd(m[name], compute_uv=False) for m in (x, y))
        shifts.append(np.linalg.norm(s1 - s0) / np.linalg.norm(s0))
    assert view.spectral_shift().value == pytest.approx(np.median(shifts), rel=1e-6)
    ranks = [np.linalg.matrix_rank((y[n] - x[n]).astype("f4")) / min(x[n].shape) for n in inside]
    assert view.rank_share().value == pytest.approx(np.mean(ranks))


def test_an_update_that_hits_small_weights_only_is_seen_beyond_rounding(pair, bf16):
    base = draw(0)
    median = {n: np.median(np.abs(w)) for n, w in base.items()}

    def only(small):
        return {
            n: np.where((np.abs(w) < median[n]) == small, w * 1.02, w) for n, w in base.items()
        }

    low, high = pair(base, rlvr=only(True)).view(), None
    assert low.low_beyond_rounding() > 0
    high = pair(base, rlvr=only(False)).view()
    assert not high.low_beyond_rounding() > 0
    assert not high.principal_beyond_rounding() > 0


def test_fp32_masters_are_needed_for_the_claim_about_them(save, pair, bf16):
    base = draw(0)
    rlvr = step(base, 1, 1e-6)
    source = pair(base, rlvr=rlvr)
    assert (source.view().identical() < 0.05).verdict is Verdict.NOT_COMPARABLE
    start = {n: (bf16(w).astype(np.uint32) << 16).view(np.float32) for n, w in base.items()}
    masters = {n: (w + step(base, 1, 1e-6)[n] - base[n]).astype("f4") for n, w in start.items()}
    source.folders["rlvr-fp32"] = save("masters", masters)
    found = source.view("rlvr-fp32")
    assert found.identical() < 0.05
    assert found.unchanged() > 0.9  # the same update, read in bfloat16


def test_too_little_in_common_is_not_comparable(save, bf16):
    base = {n: bf16(w) for n, w in draw(0).items()}
    other = {n: w for n, w in base.items() if ".1." not in n}
    source = Folders(
        base=save("base", base), rlvr=save("rlvr", {n: w ^ 1 for n, w in other.items()})
    )
    judgement = source.view().unchanged() >= 0.36
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert "have no partner in rlvr" in judgement.evidence.incomparable[0]


def test_a_budget_leaves_out_layers_evenly(save):
    tensors = {
        f"model.layers.{i}.mlp.up_proj.weight": np.ones((4, 4), np.uint16) for i in range(9)
    }
    found = pairing(save("a", tensors), save("b", tensors), role="rlvr", against="base")
    chosen, left = choose(found.pairs, most=3 * 64)
    assert sorted(layer_of(p.name) for p in chosen) == [0, 4, 8]
    assert len(left) == 6
    chosen, left = choose(found.pairs, most=0)
    assert len(chosen) == 1  # never nothing


def test_an_update_that_bfloat16_swallows_is_none(save, bf16):
    model = {n: w.astype("f4") for n, w in draw(0).items()}
    served = {n: (bf16(w).astype(np.uint32) << 16).view(np.float32) for n, w in model.items()}
    nudged = {n: w * np.float32(1 + 1e-4) for n, w in served.items()}
    view = Folders(base=save("base", served), rlvr=save("rlvr", nudged)).view()
    judged = view.changed() > 0
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert "served in bfloat16 rlvr is base: 100.0% of the weights differ" in str(judged.evidence)


def test_a_lost_tensor_leaves_nothing_to_say(pair):
    base = draw(0)
    lost = {n: w for n, w in step(base, 1, 0.01).items() if "layernorm" not in n}
    judged = pair(base, rlvr=lost).view().changed() > 0
    assert judged.verdict is Verdict.NOT_COMPARABLE
    assert "1 tensors of base and 0 of rlvr have no partner" in str(judged.evidence)


def test_a_value_head_says_nothing_against_the_rest(pair):
    base = draw(0)
    trained = {f"pretrained_model.{n}": w for n, w in step(base, 1, 0.01).items()}
    view = pair(base, rlvr=trained | {"v_head.summary.weight": np.ones((1, HIDDEN))}).view()
    assert (view.changed() > 0).verdict is Verdict.HOLDS


def test_factors_that_were_never_merged_are_the_reason(pair):
    base = draw(0)
    name = "model.layers.0.mlp.up_proj"
    other = {n.replace(name, f"{name}.base_layer"): w for n, w in base.items()}
    factors = {f"{name}.lora_{w}.weight": np.ones((2, HIDDEN)) for w in "AB"}
    view = pair(base, rlvr=other | factors).view()
    for asked in ("changed", *QUESTIONS):
        judged = getattr(view, asked)() >= 0
        assert judged.verdict is Verdict.NOT_COMPARABLE
        assert "LoRA that was never merged: it holds 2 factors" in str(judged.evidence)


# Adapters


@pytest.fixture
def adapters(pair, save):
    """A base with the updates of an adapter of `q_proj` and of both layers' `up_proj`, rank 2."""

    def _adapters(*modules: str):
        base = draw(0)
        found = pair(base, full=step(base, 1, 1e-3))
        rng = np.random.default_rng(2)
        factors = {}
        for name in base:
            if any(module in name for module in modules):
                rows, columns = base[name].shape
                module = f"base_model.model.{name.removesuffix('.weight')}"
                shapes = {"A": (2, columns), "B": (rows, 2)}
                for which, shape in shapes.items():
                    values = rng.normal(0, 0.05, shape).astype("f4")
                    factors[f"{module}.lora_{which}.weight"] = values
        folder = save("adapter", factors, "adapter_model.safetensors")
        settings = {"peft_type": "LORA", "r": 2, "lora_alpha": 2}
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        found.folders["adapter"] = folder
        return found

    return _adapters


def test_the_rank_of_an_adapter_is_its_makers_choice_and_no_refutation(adapters) -> None:
    found = adapters("q_proj", "up_proj")
    view = found.view("adapter")
    judged = view.rank_share() >= 0.99
    assert not judged
    (judgement,) = view.ledger.judgements
    assert judgement.verdict is Verdict.NOT_COMPARABLE
    assert (
        "adapter of rank 2: its update cannot have a higher one"
        in judgement.evidence.incomparable[0]
    )
    whole = found.view("full")
    assert whole.rank_share() >= 0.99
    assert [j.verdict for j in whole.ledger.judgements] == [Verdict.HOLDS]


def test_matrices_that_an_adapter_does_not_train_say_nothing_of_its_spread(adapters) -> None:
    both = adapters("q_proj", "up_proj").view("adapter")
    trained = {"q_proj", "up_proj"}
    assert {*both.spread_over_types().evidence.shares["by matrix type"]} == trained
    assert {*both.spread_over_layers().evidence.shares["by layer"]} == {"0", "1"}
    assert both.spread_over_types().value < 0.2


def test_only_an_adapter_has_its_rank(adapters) -> None:
    found = adapters("q_proj")
    assert found.update("adapter", "base").adapter_rank == 2
    assert found.update("full", "base").adapter_rank is None
