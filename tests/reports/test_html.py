"""The HTML page: complete, offline, inert against what models write, readable without scripts."""

from __future__ import annotations

import base64
import json
import random
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest
from jinja2 import UndefinedError

from rlvr_gate.records import (
    Answered,
    AskFacts,
    Example,
    FinishReason,
    Grade,
    RunRecord,
    Sampling,
    Verdict,
)
from rlvr_gate_reports import html
from rlvr_gate_reports.html import page as page_module

Run = Callable[..., RunRecord]
VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """What a browser would find: tags, attributes, visible text; checks that tags are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style", "title") and data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    @property
    def programs(self) -> list[dict[str, str | None]]:
        """Scripts that run; the others are data."""
        return [a for tag, a in self.tags if tag == "script" and "type" not in a]

    def values(self, attribute: str) -> list[str]:
        return [value or "" for _, attrs in self.tags if (value := attrs.get(attribute, None))]


@pytest.mark.parametrize("state", ["open", "closed", "undecided", "not comparable"])
def test_gate_reason_and_verdicts_are_there_without_scripts(run: Run, state: str) -> None:
    page = Page(html.render(run(state)))
    assert state.upper() in page.words
    assert "RLVR raises pass@1" in page.text
    assert f"· policy default · exit status {run(state).gate.exit_status}" in page.text
    hidden = [attrs for tag, attrs in page.tags if "hidden" in attrs]
    assert [attrs["class"] for attrs in hidden] == ["copy", "toggles"], (
        "only what needs a script hides"
    )


def test_every_claim_shows_verdict_estimate_interval_and_threshold(run: Run) -> None:
    record = run("closed")
    rows = html.render(record).split('<details class="claim ')[1:]
    assert len(rows) == len(record.claims)
    for row in rows:
        words = Page(f'<details class="{row.split("</details>")[0]}</details>').text
        assert re.search(r"holds|refuted|undecided", words)
        assert re.search(r"\[[^\]]+\]|exact", words)
        assert re.search(r"[><≥≤]\s[−\d]", words)


def test_gate_claims_come_first_and_trouble_before_peace(run: Run) -> None:
    page = html.render(run("closed"))
    assert page.index(">Gate claims") < page.index("Findings <small>")
    order = re.findall(r'<details class="claim ([a-z-]+)" id', page)
    assert order == ["refuted", "holds", "refuted", "undecided", "holds", "holds"]


def test_the_largest_loss_is_the_first_problem_and_the_banner_leads_there(run: Run) -> None:
    record = run("open")
    text = html.render(record)
    tallies = record.counts["countdown"]
    both = zip(tallies["base"], tallies["rlvr"], strict=True)
    most = max((b for b, r in both if not r.correct), key=lambda tally: tally.correct)
    first = re.search(r'<details class="problem" id="(b0p\d+)" data-kind="lost">(.*?)</summary>',
                      text, re.S)  # fmt: skip
    assert first
    assert f"{most.correct}/{most.n}" in first[2]
    assert f'<a href="#{first[1]}" data-problem="{first[1]}">Show a lost problem</a>' in text
    assert re.search(r'<a href="#claim-c1-on-countdown-at-k-256">Why C1 is refuted</a>', text)


def test_findings_stand_under_the_question_their_folder_asks(run: Run) -> None:
    text = html.render(run("open", problems=12, samples=16))
    findings = text.split(">Findings <small>")[1]
    assert re.findall(r"<h4>(Suites|Weights)</h4>", findings) == ["Suites", "Weights"]
    assert findings.index("<h4>Weights</h4>") < findings.index("<b>W1</b>")


def test_a_skipped_claim_does_not_read_undecided(run: Run) -> None:
    record = run("open", problems=4, samples=16)
    skipped = replace(record.claims[-1], verdict=Verdict.UNDECIDED, judgements=(), skipped=True)
    row = html.render(replace(record, claims=[skipped])).split('<details class="claim ')[1]
    assert row.startswith('skipped"')
    assert "undecided" not in row.split("</summary>")[0]


def test_several_benchmarks_have_a_matrix_whose_first_row_went_worst(run: Run) -> None:
    record = run("open", problems=12, samples=16)
    claims = [replace(c, benchmark=b) for b in ("a", "b") for c in record.claims if c.benchmark]
    text = html.render(replace(record, claims=claims))
    matrix = text.split('id="across"')[1].split("</section>")[0]
    assert len(re.findall(r"<tr>", matrix)) == 1 + len(claims) // 2
    assert len(re.findall(r'<td><a href="#claim-', matrix)) == len(claims)
    assert 'id="across"' not in html.render(record)


def test_every_way_of_asking_is_in_a_table(run: Run) -> None:
    asks = [
        AskFacts(name, "rlvr", "countdown", Sampling(temperature=0.6), "Think: {}", 6, 96, 960)
        for name in ("base", "rlvr", "rlvr (temperature 0.6)")
    ]
    words = Page(html.render(replace(run(problems=6, samples=16), asks=asks))).text
    assert "rlvr (temperature 0.6)\ntemperature 0.6, top-p 1, at most" in words
    assert "Think: {}" in words


def test_a_claim_at_several_k_says_its_sentence_once(run: Run) -> None:
    record = run(problems=12, samples=16)
    one = next(c for c in record.claims if c.id == "K2")
    ladder = [replace(one, id="K1k", text="RLVR leads at this k", k=k) for k in (4, 1, 2)]
    words = Page(html.render(replace(record, claims=ladder))).text
    assert words.count("RLVR leads at this k") == 1
    assert re.search(r"k = 1 .*at k = 2.*at k = 4", words, re.S)


def test_a_claim_that_was_not_judged_shows_its_reason_unopened(run: Run) -> None:
    record = run(problems=4)
    bare = replace(record.claims[1], judgements=(), reason="needs --checkpoint sft=REF")
    text = html.render(replace(record, claims=[bare]))
    assert "needs --checkpoint sft=REF" in text.split("</summary>")[0]


def test_the_page_is_one_file_that_loads_nothing(run: Run) -> None:
    text = html.render(run())
    page = Page(text)
    assert "default-src 'none'" in text
    assert {h[0] for h in page.values("href") if h != "data:,"} == {"#"}
    assert page.values("src") == page.values("action") == page.values("style") == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert len(page.programs) == 1


def test_ids_are_unique_and_every_link_leads_somewhere(run: Run, hostile_run: RunRecord) -> None:
    for record in (run(), hostile_run):
        page = Page(html.render(record))
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        assert {h[1:] for h in page.values("href") if h.startswith("#")} <= set(ids)


def test_no_text_of_a_model_or_a_file_becomes_markup(hostile_run: RunRecord) -> None:
    text = html.render(hostile_run)
    page = Page(text)
    assert len(page.programs) == 1
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert not [n for _, attrs in page.tags for n in attrs if n.startswith("on")]
    assert not set("\x00\x07\x1b\u202e\u2066\ud800") & set(text)
    assert text.count("<script>document.title='pwned'</script>") == 0
    assert "<script>document.title='pwned'</script>" in page.text, "shown as the text it is"
    assert "{{ 7*7 }}" in page.text
    assert "⟨U+202E⟩gnirts" in page.text


def test_templates_trust_nothing() -> None:
    folder = resources.files("rlvr_gate_reports") / "templates"
    for file in folder.iterdir():
        if file.name.endswith(".j2"):
            assert not re.search(r"\|\s*safe|autoescape|Markup", file.read_text("utf-8")), (
                file.name
            )


def test_an_undefined_name_in_a_template_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        html._environment().from_string("{{ missing }}").render()


def island(page: str, anchor: str) -> Any:
    """A block of data of the page."""
    found = re.search(f'<script type="application/json" id="{anchor}">([^<]*)</script>', page)
    assert found, anchor
    return json.loads(found[1])


def unpacked(page: str, anchor: str) -> Any:
    """A compressed one, as the page's script reads it."""
    found = re.search(f'<script type="application/json" id="{anchor}">([^<]*)</script>', page)
    assert found, anchor
    return json.loads(zlib.decompress(base64.b64decode(found[1])))


def test_every_problem_is_in_the_data_with_its_texts_and_answers(run: Run) -> None:
    record = run("closed", problems=100)
    given = (Answered("7", 200, Grade.WRONG), Answered(None, 3, Grade.WRONG))
    ids = [p.id for p in record.problems["countdown"]]
    page = html.render(replace(record, answers={"countdown": {i: {"base": given} for i in ids}}))
    data = island(page, "b0-rows")
    rows, each = data["rows"], data["each"]
    assert sorted(row[0] for row in rows) == ids
    assert data["roles"] == ["base", "rlvr"]
    prompts = unpacked(page, "b0-prompts")
    for place, row in enumerate(rows):
        answer, sides = unpacked(page, f"b0-texts-{place // each}")[place % each]
        asked = next(p for p in record.problems["countdown"] if p.id == row[0])
        assert prompts[place] == asked.prompt
        assert answer == asked.answer
        assert sides[0][0] == [["7", 200, "wrong"], ["no answer", 3, "wrong"]]
        examples = record.examples["countdown"][row[0]]
        assert [t[5] for t in sides[1][1]] == [e.text for e in examples["rlvr"]]
        tally = next(t for t in record.counts["countdown"]["rlvr"] if t.problem == row[0])
        assert row[6][1][:2] == [tally.correct, tally.n]


def test_the_data_hold_nothing_that_ends_them_or_hides(hostile_run: RunRecord) -> None:
    page = html.render(hostile_run)
    assert "pwned" in json.dumps(unpacked(page, "b0-prompts"))
    for name in re.findall(r'<script type="application/json" id="([^"]+)">', page):
        raw = page.split(f'id="{name}">')[1].split("</script>")[0]
        assert not set("<>&") & set(raw), name
        packed = "texts" in name or "prompts" in name
        said = json.dumps(unpacked(page, name) if packed else island(page, name))
        assert not set("\x00\x07\x1b\u202e\u2066\ud800") & set(json.loads(json.dumps(said)))


def test_texts_that_cannot_be_compressed_are_cut_to_the_room_there_is(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rlvr_gate_reports.html import problems

    monkeypatch.setattr(problems, "TEXT_BYTES", 400_000)
    monkeypatch.setattr(page_module, "TEXT_BYTES", 400_000)
    record, rng = run(problems=300, samples=4, shown=1), random.Random(1)
    noise = {
        p.id: {"rlvr": [Example(0, "".join(map(chr, rng.choices(range(33, 127), k=5_000))),
                                Grade.WRONG, None, None, 0.0)]}
        for p in record.problems["countdown"]
    }  # fmt: skip
    page = html.render(replace(record, examples={"countdown": noise}))
    assert len(page) < 1_500_000
    kept = [t[5] for _, sides in unpacked(page, "b0-texts-0") for _, of in sides for t in of]
    assert all(400 <= len(text) < 1_500 and "are left out of this page" in text for text in kept)


def test_a_large_run_has_few_elements_and_few_bytes(run: Run) -> None:
    """Four benchmarks of 1,000 problems; `studies/pages.py` has the texts too, and a browser."""
    record = run(problems=1_000, samples=4, shown=1)
    names = [f"b{n}" for n in range(4)]
    claims = [
        replace(c, benchmark=name, id=f"{c.id}{n}")
        for name in names for n in range(4) for c in record.claims if c.benchmark
    ]  # fmt: skip
    large = replace(
        record, claims=claims,
        **{field: dict.fromkeys(names, getattr(record, field)["countdown"])
           for field in ("counts", "problems", "examples", "curves", "strata", "crossovers")},
    )  # fmt: skip
    page = html.render(large)
    assert len(Page(page).tags) < 14_000, "and some thousand that the script adds"
    assert len(page) < 4_000_000


def test_long_completions_keep_both_ends(hostile_run: RunRecord) -> None:
    page = Page(html.render(hostile_run))
    assert "characters are left out of this page" in page.text
    assert page.text.count("the end") == 3


def test_every_problem_opens_to_prompt_answer_counts_and_completions(run: Run) -> None:
    record = run(problems=6, samples=16)
    text = html.render(record)
    problem = record.problems["countdown"][2]
    entry = next(e for e in text.split('<details class="problem"')[1:] if problem.id in e)
    words = Page(f'<details class="problem"{entry.split("</details>")[0]}</details>').text
    assert " ".join(problem.prompt.split()) in words
    assert problem.answer in words
    for role in ("base", "rlvr"):
        tally = record.counts["countdown"][role][2]
        assert f"{tally.correct}/{tally.n}" in words
        for example in record.examples["countdown"][problem.id][role]:
            assert " ".join(example.text.split()) in words
            assert str(example.grade) in words


def test_evidence_links_to_the_problem_it_names(run: Run) -> None:
    text = html.render(run("closed"))
    evidence = re.search(
        r'<a href="#(b0p\d+)" data-problem="(?:b0p\d+)">(countdown-\d+)</a>', text
    )
    assert evidence
    target = re.search(rf'id="{evidence[1]}".*?</summary>', text, re.S)
    assert target
    assert evidence[2] in target[0]


def test_five_hundred_problems_stay_a_file_a_browser_likes(run: Run) -> None:
    record = run(problems=500, samples=16, shown=1)
    long = Example(0, "step " * 4_000, Grade.WRONG, None, FinishReason.LENGTH, -1.0)
    examples = {
        p.id: dict.fromkeys(("base", "rlvr"), (long,) * 8) for p in record.problems["countdown"]
    }
    text = html.render(replace(record, examples={"countdown": examples}))
    assert len(text) < 2_000_000
    assert not re.search(r'<details class="problem"[^>]* open', text)


def test_texts_of_any_length_stay_a_file_a_browser_likes(run: Run) -> None:
    """1,000 problems: 16,000 tokens a completion, long prompts, answers, extracts and ids."""
    record = run(problems=1_000, samples=16, shown=1)
    text = "head " + "step " * 13_000 + "tail"
    example = Example(0, text, Grade.WRONG, text, FinishReason.LENGTH, -1.0)
    problems = [
        replace(p, id=p.id + text, prompt=text, answer=text, stratum=text)
        for p in record.problems["countdown"]
    ]
    long = replace(
        record,
        problems={"countdown": problems},
        examples={"countdown": {p.id: dict.fromkeys(("base", "rlvr"), (example,) * 2)
                                for p in problems}},
        counts={"countdown": {
            role: [replace(t, problem=t.problem + text) for t in tallies]
            for role, tallies in record.counts["countdown"].items()
        }},
    )  # fmt: skip
    page = html.render(long)
    assert len(page.encode()) < 10_000_000
    rows = island(page, "b0-rows")["rows"]
    assert len(rows) == 1_000
    each = island(page, "b0-rows")["each"]
    texts = [entry for n in range(-(-1_000 // each)) for entry in unpacked(page, f"b0-texts-{n}")]
    assert all(t[5].endswith("tail") for _, sides in texts for _, of in sides for t in of)
    assert sum(len(of) for _, sides in texts for _, of in sides) == 4 * 1_000
    assert all(prompt.endswith("tail") for prompt in unpacked(page, "b0-prompts"))


def test_thousands_of_rows_are_cut_with_a_note(run: Run) -> None:
    record = run(problems=5_200, samples=4, shown=0)
    row, claim = record.strata["countdown"][0], record.claims[1]
    many = replace(
        record,
        strata={"countdown": [replace(row, stratum=f"s{i}") for i in range(20_000)]},
        claims=[replace(claim, id=f"C{i}") for i in range(1_100)],
    )
    text = html.render(many)
    assert len(text.encode()) < 5_000_000
    for left in ("19,000", "100"):
        assert f"and {left} more, in the JSON report" in text
    page = Page(text)
    assert {h[1:] for h in page.values("href") if h.startswith("#")} <= set(page.values("id"))
    assert "5,200 problems are spelled out here, the worst first" in text
    assert len(island(text, "b0-rows")["rows"]) == 5_200


def test_a_run_that_measured_nothing_is_a_page(minimal_run: RunRecord) -> None:
    text = html.render(minimal_run)
    assert "No claim was judged." in Page(text).text
    assert 'id="weights"' not in text


def test_weights_appear_only_where_measured(run: Run) -> None:
    record = run(contrast=True)
    with_weights = Page(html.render(record)).text
    assert "update sparsity" in with_weights.lower()
    assert "q_proj" in with_weights
    assert "q_proj" not in html.render(replace(record, weights={}))


def test_the_same_record_gives_the_same_page(run: Run) -> None:
    assert html.render(run(problems=8)) == html.render(run(problems=8))


def test_the_page_reads_as_it_did(run: Run, golden: Callable[[str, str], None]) -> None:
    record = run(problems=6, samples=16, shown=1)
    golden("gate.html.txt", Page(html.render(record)).text + "\n")


def test_a_completion_says_why_it_was_graded_so_and_how_likely_it_is(run: Run) -> None:
    record = run(problems=6, samples=16)
    [(name, problems)] = record.examples.items()
    told = {
        problem: {
            role: [
                replace(
                    e, reason="</pre>no \x1b[2Jnumber", surprise={"base": 0.4125, "rlvr": 0.03}
                )
                for e in examples
            ]
            for role, examples in roles.items()
        }
        for problem, roles in problems.items()
    }
    page = html.render(replace(record, examples={name: told}))
    assert "surprise 0.412 under base, 0.030 under rlvr (nats per token)" in page
    assert "reason: &lt;/pre&gt;no ␛[2Jnumber" in page
    assert "\x1b" not in page
