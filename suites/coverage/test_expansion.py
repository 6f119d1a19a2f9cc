"""Did RLVR solve what the base cannot, or what the base had no luck with?"""

import pytest

from rlvr_gate import Paper, claim, numbers


@claim(
    "what only RLVR solves is within the base's reach: asked four times as often, base solves 0.9 "
    "of it",
    id="K6",
    source="arXiv:2504.13837v5 app. C.7",
    bound=0.9,
    paper=Paper(
        found="holds",
        said="of MATH500 about 5 problems (1 %) were RL's alone at k = 128, and base solved all "
        "of them at 1024",
        threshold="ours",
        differs="eight times the budget on those very problems, T .6; ours four times, on average "
        "over all ways to part the samples, and of all problems of the kind",
    ),
)
def test_base_reaches_what_rlvr_found(pair, benchmark, bound):
    assert numbers.within_reach(pair, benchmark) >= bound


@claim(
    "RLVR expands: of what base failed it solves more than base itself would, asked again",
    id="K16",
    source="arXiv:2510.11653 (version not noted)",
    paper=Paper(
        found="silent",
        said="expansion of 5.2 to 9.6 % (1.5B), 21.2 % (7B) and, distilled, 58.9 to 66.4 % on "
        "problems that base failed at k = 1024 (read second hand); no rebound is taken off",
        differs="a set chosen by base's own failures; ours less what fresh draws of base solve",
    ),
)
def test_it_expands_beyond_rebound(pair, benchmark):
    assert numbers.expansion_beyond_rebound(pair, benchmark) > 0


@claim(
    "a task that base never solves is solved by RLVR, in more than 0.05 of the draws",
    id="K15",
    source="arXiv:2505.24864 (version not noted) fig. 4-5",
    bound=0.05,
    paper=Paper(
        found="holds",
        said="boxnet and dice: base .000 at every k up to 256, RL 1.000 at 256; in "
        "arXiv:2507.14843v4 sec. 4.3, which extracts answers fairly, base is above 0 on both; it "
        "names the format",
        threshold="ours",
        differs="tasks are data sets, with rewards between 0 and 1; ours strata of a benchmark, "
        "and the benchmark's own verifier, so a task may be out of reach for its format",
    ),
)
def test_a_task_comes_into_reach(pair, benchmark, bound):
    assert numbers.out_of_reach(pair, benchmark, least=bound)


@claim(
    "support shrinks on the whole: the net change of support is below 0",
    id="K5-net",
    source="arXiv:2507.14843v4 tab. 1",
    paper=Paper(
        found="holds",
        said="NSCR of -.05 to -.00 in all eight pairs; single benchmarks go the other way: DAPO "
        "on AIME25 +.118",
        differs="pooled over 11 to 13 benchmarks at k of 256 to 16384, T .6; ours one benchmark",
    ),
)
def test_support_shrinks_on_the_whole(pair, benchmark):
    assert pair.solved(benchmark).net_change < 0


@claim(
    "distillation expands: the distilled checkpoint leads base at every k",
    id="C1.8",
    source="arXiv:2504.13837v5 sec. 4.2, fig. 7",
    paper=Paper(
        found="holds",
        said="consistently and significantly above the base on Minerva, k up to 128: .42 to .68 "
        "against .165 to .64 (read off the figure)",
        differs="T .6, top_p .95, Qwen2.5-Math-7B; ours T 1, top_p 1",
    ),
)
@pytest.mark.roles("distilled")
def test_distillation_expands(pair, benchmark, ks):
    base, distilled = pair.base, pair.role("distilled")
    leads = [distilled.pass_at(k, benchmark) > base.pass_at(k, benchmark) for k in ks]
    assert all(leads)
