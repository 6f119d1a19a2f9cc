"""A plan is what is needed minus what is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlvr_gate.records import Benchmark
from rlvr_gate_fixtures.measurements.samples.fill import fill
from rlvr_gate_fixtures.measurements.samples.plan import make_plan, prompt_digest, prompted


def test_nothing_stored_means_everything_is_drawn(need, store, backend):
    plan = make_plan([need(8)], store, backend)
    assert (plan.missing, plan.stored, plan.complete) == (80, 0, False)
    assert {(r.start, r.stop) for r in plan.jobs[0].requests} == {(0, 8)}


def test_more_samples_later_draw_only_the_rest(need, store, backend):
    fill(make_plan([need(64)], store, backend), store, backend)
    plan = make_plan([need(256)], store, backend)
    assert (plan.missing, plan.stored) == (10 * 192, 10 * 64)
    assert {(r.start, r.stop) for r in plan.jobs[0].requests} == {(64, 256)}


def test_fewer_samples_later_draw_nothing(need, store, backend):
    fill(make_plan([need(8)], store, backend), store, backend)
    assert make_plan([need(4)], store, backend).complete


def test_the_same_need_twice_is_drawn_once(need, store, backend):
    plan = make_plan([need(8), need(4), need(8)], store, backend)
    assert plan.missing == 80
    assert [row.missing for row in plan.rows] == [80, 0]
    assert len(plan.jobs) == 1


def test_prompts_that_benchmarks_share_are_drawn_once(need, store, backend, benchmark):
    half = Benchmark("half", "tests", "digest of half", benchmark.problems[:5])
    plan = make_plan([need(4, of=half), need(8)], store, backend)
    assert plan.missing == 80
    assert {(r.start, r.stop) for r in plan.jobs[0].requests} == {(0, 8)}
    assert [row.need.benchmark.name for row in plan.rows] == ["half", "sums"]
    fill(plan, store, backend)
    assert make_plan([need(4, of=half), need(8)], store, backend).complete


def test_another_seed_is_another_stream(need, store, backend):
    plan = make_plan([need(4), need(4, seed=1)], store, backend)
    assert plan.missing == 80
    assert len(plan.jobs) == 2


def test_prompts_are_tokenized_once_for_all_checkpoints_with_their_template(
    need, store, counting, checkpoint, benchmark
):
    base = need(4)
    rlvr = replace(base, checkpoint=replace(checkpoint, role="rlvr", digest="D2"))
    make_plan([base, rlvr], store, counting)
    make_plan([base, rlvr], store, counting)
    assert counting.encoded == [p.prompt for p in benchmark.problems]
    other = replace(checkpoint, template_digest="another")
    make_plan([replace(base, checkpoint=other)], store, counting)
    assert len(counting.encoded) == 20


def test_the_prompt_digest_is_over_ids_and_order(checkpoint, benchmark, store, backend):
    problems = prompted(checkpoint, benchmark, store, backend)
    assert prompt_digest(problems) == prompt_digest(list(problems))
    assert prompt_digest(problems) != prompt_digest(problems[::-1])
    joined = [replace(problems[0], prompt_ids=(1, 2)), replace(problems[1], prompt_ids=(3,))]
    split = [replace(problems[0], prompt_ids=(1,)), replace(problems[1], prompt_ids=(2, 3))]
    assert prompt_digest(joined) != prompt_digest(split)


def test_lines_say_how_much_work_it_is(need, store, backend):
    first = make_plan([need(4)], store, backend)
    assert first.lines() == [
        "base on sums: 10 problems x 4 samples, 0 stored, 40 to draw: at most 2560 tokens",
        "total: 40 to draw, 0 stored; at most 2560 tokens, time unknown until measured",
    ]
    fill(first, store, backend)
    done = make_plan([need(4)], store, backend)
    assert done.lines() == [
        "base on sums: 10 problems x 4 samples, 40 stored, nothing to draw",
        "total: 0 to draw, 40 stored; nothing to draw",
    ]
    more = make_plan([need(8)], store, backend).lines()
    assert more[0].startswith(
        "base on sums: 10 problems x 8 samples, 40 stored, 40 to draw: about "
    )
    assert " tokens, about " in more[1]


@pytest.mark.parametrize("samples", [1, 8])
def test_an_empty_plan_is_complete(store, backend, samples):
    assert make_plan([], store, backend).complete
