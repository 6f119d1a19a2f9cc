"""Differences of the question are found before anything is drawn, and say what to do."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parents[2] / "fixtures" / "checkpoints"


def draws(gate) -> int:
    database = gate.root / ".rlvr-gate" / "samples.sqlite"
    if not database.exists():
        return 0
    with sqlite3.connect(database) as db:
        return db.execute("SELECT count(*) FROM draws").fetchone()[0]


def edit(path: Path, **entries: object) -> None:
    held = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(held | entries))


def refused(gate, result, *lines: str) -> None:
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, text
    for line in lines:
        assert line in text
    assert "Traceback" not in text
    assert draws(gate) == 0


def verdicts(gate) -> dict[str, str]:
    return {c["id"]: c["verdict"] for c in gate.document()["claims"] if c["k"] in (None, 1)}


# Prompts, by the shipped pair and its own tokenizers


@pytest.fixture
def shipped(gate):
    """Copies of the shipped pair, asked a handful of sums."""
    for name, role in (("old", "base"), ("new", "rlvr")):
        shutil.copytree(SHIPPED / role, gate.root / name)
    rows = [{"problem": f"S{i}+{i}:", "answer": 2 * i, "verifier": "integer"} for i in range(3)]
    (gate.root / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    gate.samples = 2
    gate.options += ["--backend=transformers", "--max-new-tokens=8"]
    return gate


def asked(gate, *args: str, suites: str = "comparability"):
    options = [o for o in gate.options if not o.startswith("--backend=scripted")]
    return gate.pytester.runpytest_subprocess(
        "--model-pair=./old,./new", "--benchmarks=sums.jsonl", f"--samples={gate.samples}",
        "-p", "no:cacheprovider", *options, *args,
        str(Path(__file__).parents[2] / "suites" / suites),
    )  # fmt: skip


TEMPLATE = "{% for message in messages %}Q: {{ message['content'] }}\n{% endfor %}"


@pytest.mark.parametrize("how", ["plan", "run", "xdist"])
def test_another_chat_template_is_found_before_drawing_and_both_prompts_shown(
    shipped, how: str
) -> None:
    (shipped.root / "new" / "chat_template.jinja").write_text(TEMPLATE)
    args = {"plan": ["--plan"], "run": [], "xdist": ["-n", "2"]}[how]
    if how == "xdist":
        pytest.importorskip("xdist")
    refused(
        shipped,
        asked(shipped, *args),
        "base and rlvr would read different prompts on sums, in 3 of 3 problems: nothing was",
        "the chat template differs: base chat_template.jinja, rlvr chat_template.jinja",
        "problem line-1, alike up to >>>",
        "base (5 tokens): >>>S0+0:",
        "what to do: give both folders the same chat_template.jinja",
    )


def test_files_that_differ_and_make_the_same_prompts_are_no_hindrance_but_noted(shipped) -> None:
    edit(shipped.root / "new" / "tokenizer_config.json", add_prefix_space=False)
    edit(shipped.root / "new" / "generation_config.json", temperature=0.6, eos_token_id=[1, 5])
    result = asked(shipped, "--plan")
    assert result.ret == 0
    for note in (
        "stop ids differ: base 1, rlvr 1, 5; completions of both end at any of 1, 5",
        "generation_config.json differs in temperature (base 1.0, rlvr 0.6): not applied, both",
        "base and rlvr differ in add_prefix_space in tokenizer_config.json; their prompts have",
    ):
        assert f"note: {note}" in result.stdout.str()


# Whole checkpoints, whatever would draw from them

LOST = "model.layers.1.mlp.down_proj.weight"


@pytest.fixture
def torn(shipped):
    """Its rlvr lacks a tensor."""
    path = shipped.root / "new" / "model.safetensors"
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    held, kept = json.loads(whole[8:start]), b""
    del held[LOST]
    for name in held.keys() - {"__metadata__"}:
        begin, end = held[name]["data_offsets"]
        held[name]["data_offsets"] = [len(kept), len(kept) + end - begin]
        kept += whole[start + begin : start + end]
    header = json.dumps(held).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + kept)
    return shipped


@pytest.mark.parametrize("backend", ["transformers", "vllm", "ray", "server", "scripted"])
def test_a_lost_tensor_is_refused_for_every_backend_before_it_starts(torn, backend: str) -> None:
    torn.options[-2:] = [f"--backend={backend}"]
    refused(torn, asked(torn), f"1 missing ({LOST})")


def test_weights_alone_are_not_comparable_without_a_tensor(torn) -> None:
    torn.options[-2:] = ["--gate-json=gate.json"]
    asked(torn, "-k", "there_is_an_update", suites="weights")
    (w0,) = [c for c in torn.document()["claims"] if c["id"] == "W0"]
    assert w0["verdict"] == "not comparable"
    assert f"have no partner in rlvr (bound 5%), e.g. {LOST}" in json.dumps(w0)


# The rest, by the scripted backend


@pytest.fixture
def pair(gate):
    gate.write(base=0.2, rlvr=0.7)
    gate.options.append("--gate-json=gate.json")
    return gate


@pytest.mark.parametrize("how", ["--plan", "-q"])
def test_too_little_room_for_the_answer_is_refused_with_numbers(pair, how: str) -> None:
    edit(pair.root / "new" / "config.json", max_position_embeddings=30)
    edit(pair.root / "old" / "config.json", max_position_embeddings=64)
    refused(
        pair,
        pair.run(how),
        "rlvr has room for 30 tokens, but sums needs 38: 6 of its longest prompt (p010) and 32 "
        "new ones; 20 of 20 problems do not fit, nothing was drawn: use --max-new-tokens=24 or "
        "less",
    )
    assert pair.run("--plan", "--max-new-tokens=24").ret == 0


def test_stretched_positions_make_room(pair) -> None:
    yarn = {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 30}
    edit(pair.root / "new" / "config.json", max_position_embeddings=30, rope_scaling=yarn)
    edit(pair.root / "old" / "config.json", max_position_embeddings=64)
    result = pair.run("--plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "note: context lengths differ: max_position_embeddings (base 64, rlvr 30); "
            "factor (base none, rlvr 2.0); *rope_type (base none, rlvr yarn)"
        ]
    )


def test_unreadable_answers_are_refused_before_drawing(pair) -> None:
    row = {"problem": "1/3=", "answer": "a third", "verifier": "number"}
    path = pair.root / "sums.jsonl"
    path.write_text(path.read_text() + json.dumps(row) + "\n")
    for how in ("--plan", "-q"):
        refused(pair, pair.run(how), "sums.jsonl, line 21: problem 'line-21': number: ")


def one_great_leap(i: int, great: float) -> float:
    return great if i == 20 else 0.4


def leaping(gate) -> Path:
    """Twenty problems on which nothing has changed, and one that RLVR has learned."""
    gate.problems = 21
    gate.write(base=lambda i: one_great_leap(i, 0.0), rlvr=lambda i: one_great_leap(i, 1.0))
    gate.options.append("--gate-json=gate.json")
    script = json.loads((gate.root / "script.json").read_text())
    for name, success in (("old", 0.0), ("new", 1.0)):
        script[name]["*"] = {"right": "40", "wrong": "no", "success": success}
    (gate.root / "script.json").write_text(json.dumps(script))
    return gate.root / "sums.jsonl"


@pytest.mark.parametrize(
    "suffix",
    [
        pytest.param("", id="word for word", marks=pytest.mark.slow),
        pytest.param(" ", id="with blanks", marks=pytest.mark.slow),
        pytest.param("\u200b", id="with what nobody sees"),
    ],
)
def test_a_problem_repeated_thirty_times_does_not_open_a_gate_that_one_does_not(
    gate, suffix: str
) -> None:
    path = leaping(gate)
    assert gate.run().ret == 10
    rows = path.read_text().splitlines()
    last = json.loads(rows[-1])
    for i in range(29):
        again = last | {"id": f"again-{i}", "problem": last["problem"] + suffix * (i + 1)}
        rows.append(json.dumps(again))
    path.write_text("\n".join(rows) + "\n")
    result = gate.run()
    assert result.ret == 10
    result.stdout.fnmatch_lines(["note: sums: *"])
    assert gate.run("-n2").stdout.str().count("note: sums: ") == 1
    if not suffix:
        k1 = next(c for c in gate.document()["claims"] if c["id"] == "K1")
        assert k1["judgements"][0]["evidence"]["problems"] == 21


def test_a_benchmark_listed_eight_times_says_what_it_says_once(pair) -> None:
    pair.run()
    once = pair.document()
    path = pair.root / "sums.jsonl"
    rows = [json.loads(row) for row in path.read_text().splitlines()]
    more = [row | {"id": f"{row['id']}-{i}"} for i in range(1, 8) for row in rows]
    path.write_text("\n".join(map(json.dumps, [*rows, *more])))
    pair.run()
    again = pair.document()
    assert again["counts"] == once["counts"]
    assert [c["verdict"] for c in again["claims"]] == [c["verdict"] for c in once["claims"]]


def test_one_sample_says_nothing_about_more(gate) -> None:
    gate.problems, gate.samples = 60, 1
    gate.write(base=0.1, rlvr=0.9)
    gate.options += ["--gate-json=gate.json", "--gate-summary=gate.md", "--gate-report=gate.html"]
    result = gate.run("-rs")
    found = verdicts(gate)
    assert found["K1"] == "holds"
    for claim in ("K2", "K4", "K5", "K5-net", "K6", "K7", "K8", "K11", "K16", "K17", "K20", "K21",
                  "C1", "G1"):  # fmt: skip
        assert found[claim] == "undecided", claim
    words = result.stdout.str() + "".join(
        (gate.root / name).read_text() for name in ("gate.json", "gate.md", "gate.html")
    )
    assert "rules a crossover out" not in words
    assert "k = 1 alone says nothing about where the curves cross" in words
    assert gate.run("--gate-policy=coverage").ret == 12  # C1 needs more than one sample


def test_two_runs_that_are_nearly_all_cut_off_are_no_comparison(gate) -> None:
    gate.write(base=0.2, rlvr=0.7)
    gate.options.append("--gate-json=gate.json")
    assert gate.run("--max-new-tokens=1").ret == 11
    for claim in gate.document()["claims"]:
        if claim["id"] in ("S2", "K1", "K4"):
            assert claim["judgements"][0]["evidence"]["not comparable"] == [
                "truncated: base 100.0%, rlvr 100.0%, most of both (bound 50%): raise the limit "
                "of new tokens for both"
            ]


# --show-prompt


def test_the_first_prompt_is_shown_as_each_checkpoint_reads_it_and_nothing_is_drawn(
    shipped,
) -> None:
    shipped.options.append("--gate-json=gate.json")
    result = asked(shipped, "--show-prompt")
    assert result.ret == 0
    text = result.stdout.str()
    result.stdout.fnmatch_lines(
        ["sums, the first of 3 problems: line-1", "  base, rlvr: * tokens", "    | *S0+0:*"]
    )
    count = int(text.partition("base, rlvr: ")[2].split()[0])
    (ids,) = [line.split()[1:] for line in text.splitlines() if line.startswith("    ids ")]
    assert len(ids) == count
    assert all(token.isdigit() for token in ids)
    gate = shipped.document()["gate"]
    assert gate["deciding"] == ["--show-prompt judges nothing"]
    assert gate["state"] == "no decision"
    assert draws(shipped) == 0


def test_prompts_that_differ_are_shown_both(shipped) -> None:
    (shipped.root / "new" / "chat_template.jinja").write_text(TEMPLATE)
    result = asked(shipped, "--show-prompt")
    assert result.ret == 0
    text = result.stdout.str()
    base, _, rlvr = text.partition("  rlvr: 9 tokens\n")
    assert "  base: 5 tokens\n    | S0+0:\n    ids 143 3 144 3 151\n" in base
    assert rlvr.startswith("    | <unk>: S0+0:<unk>\n    ids 2 151 156 143 3 144 3 151 2\n")


@pytest.mark.parametrize("lines", [1, 1000])
def test_a_long_prompt_is_shown_whole(pair, lines: int) -> None:
    long = "\n".join(f"{n} " + "x" * (3000 // lines) for n in range(lines)) + "end"
    row = {"problem": long, "answer": "1", "verifier": "exact"}
    (pair.root / "sums.jsonl").write_text(json.dumps(row))
    text = pair.run("--show-prompt").stdout.str()
    shown = [line[6:] for line in text.splitlines() if line.startswith("    | ")]
    assert "".join(shown) == long.replace("\n", "")


def test_a_prompt_gives_a_log_no_orders(pair) -> None:
    row = {"problem": "::error::\x1b[2J##[error]x", "answer": "1", "verifier": "exact"}
    (pair.root / "sums.jsonl").write_text(json.dumps(row))
    text = pair.run("--show-prompt").stdout.str()
    assert "    | ::error::␛[2J##\\[error]x" in text


def test_it_is_an_errand_of_its_own(pair) -> None:
    for other in ("--plan", "--shard=1/2"):
        result = pair.run("--show-prompt", other)
        assert result.ret == 4
        assert "--show-prompt draws and plans nothing: give it alone" in result.stderr.str()
    result = pair.run("--show-prompt", "-n2")
    assert result.ret == 4
    assert "--show-prompt judges nothing: use it without -n" in result.stderr.str()


def test_where_nothing_is_asked_it_says_so(pair) -> None:
    result = pair.run("--show-prompt", suites=str(SHIPPED.parents[1] / "suites" / "weights"))
    assert result.ret == 0
    assert "weights alone are compared: nothing is asked" in result.stdout.str()


def test_no_claim_is_no_errand(pair) -> None:
    (pair.root / "test_other.py").write_text("def test_other(): pass")
    assert pair.run("--show-prompt", suites="test_other.py").ret == 12
