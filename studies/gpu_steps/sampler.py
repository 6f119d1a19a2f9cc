"""`transformers` on this device against float32 on the CPU: greedy tokens, law, scores."""

from __future__ import annotations

import numpy as np

from gpu_steps.common import (
    BUDGET,
    GREEDY,
    check_law,
    checkpoint,
    draw,
    need_torch,
    prompts,
    stream,
)
from rlvr_gate.records import Measure
from rlvr_gate_fixtures.backends import Passage, Request
from rlvr_gate_fixtures.backends.transformers.backend import TransformersBackend

_NATS = {"float32": 1e-3, "bfloat16": 0.3}
"""What a token's log-probability may be off by."""


def run(quick: bool) -> None:
    """Both arithmetics, both checkpoints."""
    device, count = need_torch(), 12 if quick else 100
    plain = TransformersBackend(dtype="float32", device="cpu")
    for role in ("base",) if quick else ("base", "rlvr"):
        of = checkpoint(role)
        asked = [Request(ids, 0, 1) for ids in prompts(plain, of, count)]
        greedy = stream(of, top_p=GREEDY)
        expected = draw(plain, of, greedy, asked)
        passages = [
            Passage(asked[request].prompt_ids, each.token_ids)
            for (request, _), each in expected.items()
        ]
        scored = _scores(plain, of, passages)
        for dtype in ("float32", "bfloat16"):
            backend = TransformersBackend(dtype=dtype, device=device)
            with backend.kept():
                _compare(backend, of, asked, expected, (passages, scored), _NATS[dtype])
    many = [Request(each.prompt_ids, 0, 64 if quick else 256) for each in asked[:3]]
    found = draw(TransformersBackend(dtype="bfloat16", device=device), of, stream(of), many)
    check_law(of, many, found, f"bfloat16 on {device}, budget {BUDGET}")


def _compare(backend, of, asked, expected, scores, nats) -> None:  # type: ignore[no-untyped-def]
    found = draw(backend, of, stream(of, top_p=GREEDY), asked)
    same = sum(found[at].token_ids == expected[at].token_ids for at in expected)
    passages, plain = scores
    ours = _scores(backend, of, passages)
    off = max(float(np.abs(ours[n] - plain[n]).max(initial=0)) for n in plain)
    print(
        f"{of.role} {backend.identity()}: {same} of {len(asked)} greedy completions are those of "
        f"float32 on the CPU; scores of their tokens differ by at most {off:.2g} nats"
    )
    assert off < nats, f"a token's log-probability is off by {off:.3g} nats, {nats} are allowed"
    assert same >= (0.98 if nats < 0.01 else 0.6) * len(asked), "greedy completions differ"


def _scores(backend, of, passages):  # type: ignore[no-untyped-def]
    key = (Measure.LOGPROB, (0,))
    return {each.passage: each.values[key] for each in backend.score([of], passages)}
