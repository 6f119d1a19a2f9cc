"""Kernels of real models against Jacobians taken whole, and points against what they should be."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rlvr_gate.kernels.change import kernel_change
from rlvr_gate.kernels.points import WeightPoint
from rlvr_gate.kernels.sketch import Sketch
from rlvr_gate.kernels.spectrum import KernelError
from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.backends import BackendError, KernelJob, Passage, devices
from rlvr_gate_fixtures.backends.arrays import packed, unpacked
from rlvr_gate_fixtures.backends.devices import points_shared_out, spread
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend, _kernel
from rlvr_gate_fixtures.inputs.checkpoints import resolve

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from rlvr_gate_fixtures.backends.transformers.gradients import (  # noqa: E402
    Gradients,
    Ground,
    code,
    gram,
)

from .jacobians import CODES, PASSAGES, by_hand, jacobian, outputs, tiny  # noqa: E402


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def ground(request):
    torch.set_num_threads(1)
    return Ground(tiny(0, request.param), [tiny(1, request.param)])


def test_kernels_are_those_of_whole_jacobians(ground) -> None:
    found = Gradients(ground, PASSAGES, CODES, None)
    for scale in (0.0, 1.0):
        told = found.at(scale, None, False).kernels.numpy()
        expected = by_hand(ground.model)
        assert np.abs(told - expected).max() < 1e-5 * np.abs(expected).max()


def test_jacobians_are_differences(ground) -> None:
    """The oracle itself, along a random direction; its norms work in float32 all the same."""
    exact, step = deepcopy(ground.model).double(), 1e-3
    ways = [torch.randn(p.shape, dtype=torch.float64) for p in exact.parameters()]
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for p, home, way in zip(exact.parameters(), ground.home, ways, strict=True):
                p.copy_(home.double() + sign * step * way)
            ends.append(outputs(exact, PASSAGES[0]).numpy())
    along = jacobian(ground.model, PASSAGES[0]) @ np.concatenate([w.flatten() for w in ways])
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(along, rel=3e-3, abs=3e-3)


def test_the_mean_over_codes_is_the_kernel_of_all_logits(ground) -> None:
    """Hutchinson: summed over the vocabulary, divided by its size."""
    jacobians = np.stack([jacobian(ground.model, passage) for passage in PASSAGES])
    signs = np.stack([code(seed, 11).numpy() for seed in range(4000)])
    rows = np.einsum("cv,ivp->cip", signs, jacobians[:, :, ::3], optimize=True)
    part = np.einsum("ivp,jvp->ij", *[jacobians[:, :, ::3]] * 2, optimize=True)
    mean = np.einsum("cip,cjp->ij", rows, rows, optimize=True) / 4000
    assert np.abs(mean - part).max() < 0.06 * np.abs(part).max()


def test_a_sketch_on_the_device_is_the_sketch(ground) -> None:
    sketch = Sketch(50, seed=3)
    told = Gradients(ground, PASSAGES, CODES[:1], sketch).at(0, None, False).kernels[0].numpy()
    shapes = [p.numel() for p in ground.parameters]
    rows = []
    for passage in PASSAGES:
        gradient = code(CODES[0], 11).numpy() @ jacobian(ground.model, passage) / math.sqrt(11)
        parts = np.split(gradient, np.cumsum(shapes)[:-1])
        rows.append(sum(sketch.fold(at, part) for at, part in enumerate(parts)))
    expected = np.stack(rows) @ np.stack(rows).T
    assert np.abs(told - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_trait_is_the_likelihood_of_its_completions(ground) -> None:
    told = Gradients(ground, PASSAGES, (None,), None).at(0, None, False)
    exact, rows = deepcopy(ground.model).double(), []
    for prompt, completion in PASSAGES:
        exact.zero_grad()
        law = exact(torch.tensor([[*prompt, *completion]])).logits[0].log_softmax(-1)
        chosen = [law[len(prompt) - 1 + at, word] for at, word in enumerate(completion)]
        torch.stack(chosen).mean().backward()
        rows.append(np.concatenate([p.grad.flatten().numpy() for p in exact.parameters()]))
    expected = np.stack(rows) @ np.stack(rows).T
    assert np.abs(told.kernels[0].numpy() - expected).max() < 1e-5 * np.abs(expected).max()
    assert told.kernels.shape == (1, 4, 4)


def test_products_are_derivatives_along_the_update(ground) -> None:
    found = Gradients(ground, PASSAGES, CODES, None)
    products = found.at(0, None, False).products.numpy()
    update = np.concatenate([u.flatten().numpy() for u in ground.updates[0]])
    for at, passage in enumerate(PASSAGES):
        along = jacobian(ground.model, passage) @ update
        expected = [code(seed, 11).numpy() @ along / math.sqrt(11) for seed in CODES]
        assert products[:, at] == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert found.at(1, None, False).products.shape == (2, 0)


def test_divergence_and_likelihood_are_by_their_definitions(ground) -> None:
    found = Gradients(ground, PASSAGES, CODES[:1], None)
    at_base = found.at(0, None, False)
    assert at_base.kl.abs().max() == 0
    assert at_base.size == 0
    told = found.at(1, None, False)
    models = []
    for scale in (0, 1):
        ground.go(scale, None, False)
        with torch.no_grad():
            models.append([
                ground.model(torch.tensor([[*p, *c]])).logits[0, len(p) - 1 : -1]
                .double().log_softmax(-1) for p, c in PASSAGES
            ])  # fmt: skip
    for at, (base, moved) in enumerate(zip(*models, strict=True)):
        kl = (base.exp() * (base - moved)).sum(-1).mean()
        assert float(told.kl[at]) == pytest.approx(float(kl), rel=1e-4)
        chosen = [float(moved[t, w]) for t, w in enumerate(PASSAGES[at][1])]
        assert float(told.logprob[at]) == pytest.approx(np.mean(chosen), rel=1e-4)


def test_passes_forward_are_kept_as_far_as_there_is_room(ground, monkeypatch) -> None:
    """To the last bit, and all of them go forward once where there is room for all."""
    from rlvr_gate_fixtures.backends.transformers import gradients

    found = Gradients(ground, PASSAGES, CODES, None)
    forward, calls = ground.model.forward, list[int]()
    monkeypatch.setattr(
        ground.model, "forward", lambda *args, **kw: (calls.append(1), forward(*args, **kw))[1]
    )
    told, counts = [], []
    for room in (1 << 30, 20_000, -1):
        monkeypatch.setattr(gradients, "GRAPHS", room)
        told.append(found.at(1, None, False))
        counts.append(len(calls))
        calls.clear()
    most, least = len(PASSAGES), len(PASSAGES) * (len(CODES) + 1)
    assert (counts[0], counts[2]) == (most, least)
    assert most < counts[1] < least
    for other in told[1:]:
        for name in ("kernels", "kl", "logprob"):
            assert torch.equal(getattr(told[0], name), getattr(other, name))


def test_base_is_passed_once_for_several_others(ground) -> None:
    ground.updates.append([3 * update for update in ground.updates[0]])
    ticks = list[int]()
    found = Gradients(ground, PASSAGES, CODES, None, lambda: ticks.append(1))
    one, other = found.at_home([0, 1])
    assert len(ticks) == len(PASSAGES) * len(CODES)
    assert torch.equal(one.kernels, other.kernels)
    assert torch.allclose(3 * one.products, other.products, rtol=1e-5)
    assert torch.equal(found.at(0, None, False, 1).products, other.products)
    assert found.at(1, None, False, 1).size == pytest.approx(3 * found.at(1, None, False).size)


class _Gated(torch.nn.Module):
    """One of two layers, as the sign of a weight has it."""

    device = torch.device("cpu")

    def __init__(self, sign: float) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.sign = torch.nn.Parameter(torch.tensor(sign))
        self.table = torch.nn.Embedding(11, 4)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(4, 11) for _ in range(2))
        self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(vocab_size=11))

    def forward(self, input_ids, use_cache):
        layer = self.layers[int(self.sign > 0)]
        return SimpleNamespace(logits=layer(self.table(input_ids)))


def test_what_a_probe_no_longer_reaches_is_no_part_of_its_gradient() -> None:
    """As of experts, whose choice moves with the weights: a row is written over, all of it."""
    there = Ground(_Gated(-1.0), [_Gated(1.0)])
    found = Gradients(there, PASSAGES, CODES, None)
    found.at(0, None, False)
    alone = Gradients(Ground(_Gated(1.0), [_Gated(1.0)]), PASSAGES, CODES, None)
    moved = found.at(1, None, False).kernels
    assert torch.equal(moved, alone.at(1, None, False).kernels)
    assert not torch.equal(moved, found.at(0, None, False).kernels)


@pytest.mark.parametrize("probes", [2, 5, 47, 48, 199])
def test_a_kernel_is_the_products_of_all_rows(probes: int) -> None:
    rows = torch.randn(probes, 70_000)
    told, exact = gram(rows), rows.double() @ rows.double().T
    assert torch.equal(told, told.T)
    assert float((told - exact).abs().max()) < 1e-5 * float(exact.abs().max())


def test_what_has_no_room_has_no_divergence(ground, monkeypatch) -> None:
    from rlvr_gate_fixtures.backends.transformers import gradients

    monkeypatch.setattr(gradients, "_LAWS", 4 * 11 * 6)
    told = Gradients(ground, PASSAGES, CODES[:1], None).at(1, None, False)
    assert torch.isnan(told.kl).tolist() == [False, False, True, True]


def test_neurons_in_another_order_are_the_same_kernel(ground) -> None:
    """A large update that changes no function: neither change nor turn, by any way of holding."""
    random = torch.Generator().manual_seed(0)
    weights = dict(ground.model.named_parameters())
    update = {name: torch.zeros_like(p) for name, p in weights.items()}
    for layer in range(2):
        order = torch.randperm(12, generator=random)
        for name in ("gate_proj", "up_proj"):
            at = f"model.layers.{layer}.mlp.{name}.weight"
            update[at] = weights[at][order] - weights[at]
        at = f"model.layers.{layer}.mlp.down_proj.weight"
        update[at] = weights[at][:, order] - weights[at]
    ground.updates = [[update[name].detach() for name in weights]]
    for factored in (False, True):
        found = Gradients(ground, PASSAGES, CODES, None, factored=factored)
        base, permuted = found.at(0, None, False), found.at(1, None, False)
        moved = kernel_change(base.kernels.mean(0).numpy(), permuted.kernels.mean(0).numpy())
        assert permuted.size > 1
        assert max(moved.distance, moved.turn) < 1e-5
        assert float(permuted.kl.max()) < 1e-6


def test_a_scale_that_moves_between_layers_is_seen(ground) -> None:
    """The same function by other weights: a kernel is of weights too, and this one turns."""
    update = {name: torch.zeros_like(p) for name, p in ground.model.named_parameters()}
    for name, p in ground.model.named_parameters():
        if name.endswith("up_proj.weight"):
            update[name] = p.detach()  # twice as large
        if name.endswith("down_proj.weight"):
            update[name] = -p.detach() / 2
    ground.updates = [list(update.values())]
    found = Gradients(ground, PASSAGES, CODES, None)
    base, scaled = found.at(0, None, False), found.at(1, None, False)
    assert float(scaled.kl.max()) < 1e-6
    moved = kernel_change(base.kernels.mean(0).numpy(), scaled.kernels.mean(0).numpy())
    assert moved.turn > 1e-3


def test_no_update_is_none_and_what_is_not_finite_is_no_kernel(ground) -> None:
    ground.updates = [[torch.zeros_like(u) for u in ground.updates[0]]]
    found = Gradients(ground, PASSAGES, CODES, None)
    base, still, noise = (found.at(s, n, False) for s, n in ((0, None), (1, None), (1, 0)))
    for each in (still, noise):
        assert each.size == 0
        assert bool((each.kernels == base.kernels).all())
    ground.updates[0][0][:] = torch.nan
    broken = found.at(1, None, False)
    with pytest.raises(KernelError, match="finite"):
        kernel_change(base.kernels.mean(0).numpy(), broken.kernels.mean(0).numpy())


def test_points_are_where_they_say(ground) -> None:
    home = [p.detach().clone() for p in ground.parameters]
    size = ground.go(1, None, False)
    there = [p.detach().clone() for p in ground.parameters]
    assert ground.go(0.5, None, False) == pytest.approx(size / 2, rel=1e-5)
    for p, a, b in zip(ground.parameters, home, there, strict=True):
        assert torch.allclose(p, (a + b) / 2, atol=1e-6)
    assert ground.go(0, None, False) == 0
    assert all(map(torch.equal, ground.parameters, home))


def test_noise_has_the_norm_of_the_update_in_every_tensor(ground) -> None:
    home = [p.detach().clone() for p in ground.parameters]
    ground.go(0.5, 3, False)
    moved = [(p - h).detach() for p, h in zip(ground.parameters, home, strict=True)]
    for noise, update in zip(moved, ground.updates[0], strict=True):
        assert float(noise.norm()) == pytest.approx(float(update.norm()) / 2, rel=1e-4, abs=1e-6)
    ground.go(0.5, 4, False)
    assert not torch.equal(ground.parameters[0] - home[0], moved[0])
    ground.go(0.5, 3, False)
    assert torch.equal(ground.parameters[0] - home[0], moved[0])


def test_rounded_points_are_in_bfloat16(ground) -> None:
    ground.go(1, None, True)
    assert all(torch.equal(p, p.bfloat16().float()) for p in ground.parameters)


def test_other_shapes_have_no_way_between() -> None:
    with pytest.raises(ValueError, match="same parameters and shapes"):
        Ground(tiny(0), [tiny(0, hidden=16)])


def test_arrays_travel_as_they_are() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert (unpacked([list(part) if isinstance(part, tuple) else part for part in packed(array)],
                     (2, 3)) == array).all()  # fmt: skip
    with pytest.raises(ValueError, match="expected an array of shape"):
        unpacked(packed(array), (3, 2))


BASE = resolve("base", "base")
JOB = KernelJob(
    BASE, (resolve("rlvr", "rlvr"),),
    tuple(Passage(tuple(range(5, 9 + n)), (40, 41 + n, 42)) for n in range(3)), (0, 1),
    (WeightPoint("rlvr", 0), WeightPoint("rlvr"), WeightPoint("rlvr", noise=1)), 0,
)  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        [9, [], 0.0],
        [0, [packed(np.zeros((2, 3, 3)))] * 4, 0.0],
        [0, "nothing", 0.0],
        [1, [[[2, 3, 3], "!"]] * 4, 0.0],
    ],
)
def test_an_answer_that_cannot_be_is_no_kernel(line: list[object]) -> None:
    with pytest.raises(BackendError, match="nothing that was asked for"):
        TransformersBackend(device="cpu")._read(lambda of: _kernel(JOB, of), line)


def test_a_child_takes_kernels_and_comes_home() -> None:
    """The same in another child, to the last bit; afterwards its model is the base again."""
    backend, ticks = TransformersBackend(device="cpu", threads="1"), list[int]()
    with backend.kept():
        first = dict(backend.gradients(JOB, ticks.append))
        (scored, *_) = backend.score([BASE], JOB.passages[:1])
    again = dict(TransformersBackend(device="cpu", threads="1").gradients(JOB, ticks.append))
    (alone, *_) = TransformersBackend(device="cpu", threads="1").score([BASE], JOB.passages[:1])
    assert list(first) == list(JOB.points)
    assert all((first[p].kernels == again[p].kernels).all() for p in JOB.points)
    assert ticks[:18] == list(range(1, 19))
    base, rlvr, noise = (first[p] for p in JOB.points)
    assert base.kernels.shape == (2, 3, 3)
    assert noise.size == pytest.approx(rlvr.size, rel=1e-4)
    assert rlvr.kl.min() > 0
    for key, values in scored.values.items():
        assert (values == alone.values[key]).all()


def test_points_are_taken_side_by_side_as_by_one_child() -> None:
    """To the last bit, with several others; a lane that fails says where."""
    sft = resolve("sft", "sft")
    points = (*JOB.points, WeightPoint("sft", 0), WeightPoint("sft", 0.5))
    job, ticks = replace(JOB, others=(*JOB.others, sft), points=points), list[int]()
    alone = dict(TransformersBackend(device="cpu", threads="1").gradients(job, print))
    lanes = spread("transformers", ["cpu", "cpu"], threads="1", dtype="float32")
    assert lanes.identity() == "transformers/float32/cpu"
    with lanes.kept():
        beside = dict(lanes.gradients(job, ticks.append))
        again = dict(lanes.gradients(replace(job, memory=1 << 60, points=points[:2]), print))
    assert beside.keys() == alone.keys()
    for point in (*points, *again):
        for name in ("kernels", "products", "kl", "logprob"):
            told = getattr(again.get(point, beside[point]), name)
            assert np.array_equal(told, getattr(alone[point], name), equal_nan=True)
    assert ticks == sorted(ticks)
    assert ticks[-1] == 4 * 2 * 3  # base is one place
    wrong = replace(sft, path=Path("/nowhere"))
    with pytest.raises(BackendError, match="on CPU core"):
        list(lanes.gradients(replace(job, others=(*JOB.others, wrong)), print))


@pytest.mark.parametrize(
    ("groups", "parts"), [(1, ["0012"]), (2, ["002", "1"]), (5, ["00", "1", "2"])]
)
def test_points_are_spread_and_base_stays_together(groups: int, parts: list[str]) -> None:
    homes = [WeightPoint(role, 0.0) for role in ("rlvr", "sft")]
    points = [homes[0], WeightPoint("rlvr", 1.0), homes[1], WeightPoint("sft", 2.0)]
    told = points_shared_out(points, groups)
    assert ["".join(f"{p.scale:g}" for p in part) for part in told] == parts


def test_no_more_children_than_there_is_memory_for(monkeypatch) -> None:
    lanes = spread("transformers", ["cpu", "cpu"], threads="1")
    monkeypatch.setattr(devices, "available", lambda: 10)
    assert [lanes._at_once(each) for each in (0, 3, 5, 6, 11)] == [2, 2, 2, 1, 1]


def test_a_checkpoint_of_another_shape_is_refused_by_its_child(tmp_path) -> None:
    tiny(0).save_pretrained(tmp_path)
    other: Checkpoint = replace(JOB.others[0], path=tmp_path)
    with pytest.raises(BackendError, match="same parameters and shapes"):
        list(TransformersBackend(device="cpu").gradients(replace(JOB, others=(other,)), print))
