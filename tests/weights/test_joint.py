"""Several updates of one base at once, against sets of positions."""

from __future__ import annotations

import numpy as np
import pytest

from rlvr_gate.weights import scan
from rlvr_gate.weights.compare import pairing
from rlvr_gate.weights.joint import count_together


@pytest.fixture
def family(save, bf16):
    """Three checkpoints that change random weights of two tensors, some of them back again."""
    rng = np.random.default_rng(0)
    base = {"a.weight": bf16(rng.standard_normal((37, 11))), "b.weight": bf16(rng.random(50) + 1)}
    found = {"base": save("base", base)}
    masks = {}
    for role, share in (("step-1", 0.2), ("step-2", 0.3), ("rlvr", 0.5)):
        masks[role] = {name: rng.random(t.shape) < share for name, t in base.items()}
        found[role] = save(role, {n: np.where(masks[role][n], t ^ 2, t) for n, t in base.items()})
    return found, {
        role: np.concatenate([m.ravel() for m in of.values()]) for role, of in masks.items()
    }


def test_counts_are_those_of_the_masks(family, monkeypatch):
    folders, masks = family
    monkeypatch.setattr(scan, "_WINDOW", 256)
    roles = list(masks)
    base = folders["base"]
    found = count_together(
        {role: pairing(base, folders[role], role=role, against="base") for role in roles}
    )
    assert found.parameters == 37 * 11 + 50
    assert found.changed == tuple(masks[role].sum() for role in roles)
    for i, one in enumerate(roles):
        for j, two in enumerate(roles):
            assert found.both[i][j] == (masks[one] & masks[two]).sum()
    before = [np.zeros(found.parameters, bool), *(masks[role] for role in roles[:-1])]
    assert found.moved == tuple(
        (masks[role] != last).sum() for role, last in zip(roles, before, strict=True)
    )
    assert found.ever == tuple(
        np.logical_or.reduce([masks[r] for r in roles[: i + 1]]).sum() for i in range(3)
    )


def test_overlap_and_chance_follow_the_definitions(family):
    folders, masks = family
    base = folders["base"]
    found = count_together(
        {role: pairing(base, folders[role], role=role, against="base") for role in masks}
    ).overlap("step-2", "rlvr")
    one, two = masks["step-2"], masks["rlvr"]
    p, q = one.mean(), two.mean()
    assert found.jaccard == pytest.approx((one & two).sum() / (one | two).sum())
    assert found.jaccard_random == pytest.approx(p * q / (p + q - p * q))
    assert found.o1 == pytest.approx((one & two).sum() / one.sum())
    assert found.o1_random == pytest.approx(q)
    assert found.o2_random == pytest.approx(p)


def test_tensors_that_one_checkpoint_lacks_are_left_out(family, save, bf16):
    folders, _ = family
    partial = save("partial", {"b.weight": bf16(np.ones(50))})
    base = folders["base"]
    found = count_together(
        {
            "rlvr": pairing(base, folders["rlvr"], role="rlvr", against="base"),
            "other": pairing(base, partial, role="other", against="base"),
        }
    )
    assert found.parameters == 50
