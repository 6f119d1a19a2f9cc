"""What a suite puts beside a verdict, through the command line to every report."""

from __future__ import annotations

import json
import re

import pytest

CLAIMS = """
    from rlvr_gate import Curves, Facts, Heat, Table, claim

    def exhibits(evil):
        return (
            Table("By topic", ["problem", "gain"], [["p001", 0.25], ["p002", None]],
                  problems="problem", signed=["gain"]),
            Curves("Along training", {"reward": [(1, 0.1), (64, 0.4), (512, 0.6)],
                                      "pass@1": [(1, 0.1, 0.05, 0.2), (512, 0.5, 0.4, 0.6)]},
                   x="step", y="share"),
            Heat("Where", ["easy", "hard"], ["short", "long"], [[0.9, 0.5], [-0.1, None]], "gain"),
            Facts({"trained with": evil, "steps": 512}),
        )

    @claim("with everything beside it", id="ALL", kind="gate")
    def test_all(pair, benchmark):
        more = pair.rlvr.pass_at(1, benchmark).beside(*exhibits("GRPO\\x1b[2J<script>|"))
        assert more > pair.base.pass_at(1, benchmark)

    @claim("a mean of all", id="TOO", kind="finding")
    def test_too(pair, benchmark):
        lost = pair.solved(benchmark).retention.beside(*exhibits("SFT"))
        assert lost > 0.9
"""
POLICY = '[policy]\nrequired_claims = ["ALL"]\n'


def written(gate, base: float, rlvr: float, *more: str):
    """Every report of a run of these claims."""
    gate.write(base=base, rlvr=rlvr)
    gate.pytester.makepyfile(test_beside=CLAIMS)
    (gate.root / "mine.toml").write_text(POLICY)
    return gate.run(
        "--gate-policy=mine.toml", "--gate-json=gate.json", "--gate-report=gate.html",
        "--gate-summary=gate.md", "--junit-xml=junit.xml", *more, suites="test_beside.py",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rates", "status"), [((0.2, 0.8), 0), ((0.8, 0.2), 1)], ids=["holds", "refuted"]
)
def test_every_report_shows_every_exhibit(gate, rates: tuple[float, float], status: int) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from rlvr_gate_reports.document import schema

    result = written(gate, *rates)
    assert result.ret == status
    terminal = result.stdout.str()
    if status:
        for line in ("By topic:", "problem p001   gain +0.250", "reward: 1 +0.100   64 +0.400",
                     "2 by 2, from -0.100 to +0.900", "steps 512"):  # fmt: skip
            assert line in terminal
    assert "\x1b[2J" not in terminal

    document = gate.document()
    jsonschema.validate(document, schema())
    (judged,) = next(c for c in document["claims"] if c["id"] == "ALL")["judgements"]
    kinds = [e["kind"] for e in judged["evidence"]["exhibits"]]
    assert kinds == ["table", "curves", "heat", "facts"]

    page = (gate.root / "gate.html").read_text("utf-8")
    assert "<script>|" not in page
    for title in ("By topic", "Along training", "Where"):
        assert f"<h4>{title}</h4>" in page
    assert re.search(r'<a href="#b0p\d+" data-problem="b0p\d+">p001</a>', page)
    assert '<path class="line' in page
    assert "hard, short: −0.100" in page

    text = (gate.root / "gate.md").read_text("utf-8")
    assert "| p001 | \\+0.250 |" in text
    assert "| 64 | 0.400 | – |" in text
    assert "\n| hard | −0.100 | – |" in text
    assert "GRPO␛\\[2J&lt;script&gt;\\|" in text


def test_workers_bring_the_same(gate) -> None:
    pytest.importorskip("xdist")
    written(gate, 0.2, 0.8)
    alone = gate.document()
    written(gate, 0.2, 0.8, "-n", "2")
    together = gate.document()
    alone.pop("run"), together.pop("run")
    assert json.dumps(alone) == json.dumps(together)


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ('{"crossover": {"a": 1}}', "got dict: a dict of names and numbers is Facts"),
        ('{"look": 3}', "got dict"),
        ('{"parameters": 3}', "got dict"),
        ('Table("t", ["a"], [[1, 2]])', "has 2 cells under a head of 1"),
        ('type("Mine", (Facts,), {})({})', "got Mine"),
        ('*[Facts({"n": n}) for n in range(21)]', "at most 20 exhibits"),
        ("Crossover(object(), 1, 1, 1, 0.95, (1,), 'x')", "expected a record or a JSON value"),
        ("Crossover('8', 1, 1, 1, 0.95, (1,), 'x')", "Crossover.k: expected int or nothing"),
    ],
)
@pytest.mark.parametrize("rates", [(0.8, 0.2)], ids=["refuted"])
def test_what_is_no_exhibit_breaks_its_claim_and_nothing_else(
    gate, rates: tuple[float, float], beside: str, said: str
) -> None:
    gate.problems, gate.samples = 4, 4
    gate.write(*rates)
    gate.pytester.makepyfile(
        test_beside=f"""
        from rlvr_gate import Facts, Table, claim
        from rlvr_gate.records import Crossover

        @claim("with something beside it", id="ONE", kind="gate")
        def test_one(pair, benchmark):
            assert pair.rlvr.pass_at(1, benchmark).beside({beside}) > 0.5
        """
    )
    (gate.root / "mine.toml").write_text('[policy]\nrequired_claims = ["ONE"]\n')
    result = gate.run(
        "--gate-policy=mine.toml", "--gate-json=gate.json", "--gate-report=gate.html",
        suites="test_beside.py",
    )  # fmt: skip
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert said in result.stdout.str()
    document = gate.document()
    assert document["gate"]["state"] not in ("open", "not finished")
    assert document["weights"] == {}
    assert "</html>" in (gate.root / "gate.html").read_text("utf-8")
