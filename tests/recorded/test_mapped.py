"""Any table of graded completions under a field map: right counts, or a sentence why not."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.recorded import read

BASE = [("a", 0, 1), ("a", 1, 0), ("b", 0, 0), ("b", 1, 0)]
RLVR = [("a", 0, 1), ("a", 1, 1), ("b", 0, 1), ("b", 1, 0)]
MAP = ":id=problem,correct=ok"


def items(rows, **more):
    return [{"problem": p, "run": r, "ok": ok, **more} for p, r, ok in rows]


def write_csv(path: Path, rows) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_list(path: Path, rows) -> Path:
    path.write_text(json.dumps(rows))
    return path


def write_gzip(path: Path, rows) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()))
    return path


def write_parquet(path: Path, rows) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


KINDS = {
    ".csv": write_csv, ".jsonl": write_jsonl, ".json": write_list, ".jsonl.gz": write_gzip,
    ".parquet": write_parquet,
}  # fmt: skip


@pytest.fixture
def pair(tmp_path: Path):
    """Two tables of a kind, with a map behind each path."""

    def made(base=None, rlvr=None, fields: str = MAP, kind: str = ".jsonl"):
        tables = {"base": base or items(BASE), "rlvr": rlvr or items(RLVR)}
        return tuple(
            Path(f"{KINDS[kind](tmp_path / f'{role}{kind}', rows)}{fields}")
            for role, rows in tables.items()
        )

    return made


def counts(recorded, role):
    return {t.problem: (t.n, t.correct, t.unscored) for t in recorded.tallies[role]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_counts(kit, pair, kind: str) -> None:
    recorded = kit.both(*pair(kind=kind))
    assert counts(recorded, "base") == {"a": (2, 1, 0), "b": (2, 0, 0)}
    assert counts(recorded, "rlvr") == {"a": (2, 2, 0), "b": (2, 1, 0)}
    assert recorded.benchmark.source.startswith("recorded mapped rows (ok=1): base ")
    assert not recorded.differences


@pytest.mark.parametrize(
    ("right", "values", "expected"),
    [
        ("", (True, "False", 1.0, None, "", 0), "RWRUUW"),
        (",right=C", ("C", "I", "c", " C ", "", None), "RWWRUU"),
        (",right=1", (1, "1.0", 0.5, -1, True, None), "RRWWRU"),
        (",right=>=0.5", (0.5, "0.49", 1, -2, None, True), "RWRWUR"),
    ],
)
def test_what_counts_as_right_is_the_users_to_say(kit, pair, right, values, expected) -> None:
    base = [{"problem": f"{i}", "ok": value} for i, value in enumerate(values)]
    recorded = kit.both(*pair(base, [*base], MAP + right))
    told = {(1, 0): "R", (0, 0): "W", (0, 1): "U"}
    found = [told[c, u] for _, (_, c, u) in sorted(counts(recorded, "base").items())]
    assert "".join(found) == expected


@pytest.mark.parametrize("value", [0.5, -1, "C", "maybe", [1]])
def test_without_a_word_on_it_a_grade_must_be_one(bench, pair, value) -> None:
    base = [{"problem": "a", "ok": value}]
    assert "line 1: a score must be 0 or 1" in bench.refusal(*pair(base))


def test_optional_columns_reach_the_record(kit, pair) -> None:
    more = {"said": "so it is 4", "gold": 4, "kind": "sums", "took": "4"}
    fields = MAP + ",sample=run,text=said,answer=gold,stratum=kind,extracted=took"
    base = [row | {"said": f"{row['run']} it is 4"} for row in items(BASE, **more)]
    rlvr = [row | {"said": f"{row['run']} is 4"} for row in items(RLVR, **more)]
    recorded = kit.both(*pair(base, rlvr, fields))
    assert recorded.benchmark.problems[0].answer == "4"
    assert recorded.benchmark.problems[0].stratum == "sums"
    assert recorded.examples is not None
    assert recorded.answers is not None
    assert recorded.answers["base"][0].given == {"4": 2}


def test_completions_can_be_graded_again_without_a_grade_column(kit, pair) -> None:
    base = [{"problem": "a", "said": "5", "gold": "4"}, {"problem": "b", "said": "4", "gold": "4"}]
    fields = ":id=problem,text=said,answer=gold"
    recorded = kit.both(*pair(base, base[::-1], fields), verifier="number")
    assert counts(recorded, "base") == {"a": (1, 0, 0), "b": (1, 1, 0)}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (":id=problem", "needs id=COLUMN and correct=COLUMN"),
        (":correct=ok", "needs id=COLUMN and correct=COLUMN"),
        (":id=problem,correct=ok,colour=red", "unknown key 'colour'"),
        (":id=problem,correct=right_", "line 1: no column 'right_' (for correct), got problem"),
        (":id=problem,correct=ok,right=>=high", "expected a number after right=>="),
        (":id=problem,text=run", "names no correct=COLUMN to read grades of"),
    ],
)
def test_a_map_that_cannot_be_followed_is_refused(bench, pair, fields: str, words: str) -> None:
    assert words in bench.refusal(*pair(fields=fields))


@pytest.mark.parametrize(
    ("change", "fields", "words"),
    [
        (lambda rows: rows[2].pop("problem"), MAP, "line 3: no column 'problem' (for id)"),
        (lambda rows: rows[2].update(problem=None), MAP, "line 3: nothing in the id column"),
        (lambda rows: rows[1].update(run=0), MAP + ",sample=run", "is already on line 1"),
        (lambda rows: rows[1].update(run=""), MAP + ",sample=run", "nothing in the sample column"),
        (lambda rows: rows.pop(), MAP, "problem 'b' has n=1 in base.jsonl, line 3"),
        (lambda rows: rows[0].update(gold=1) or [r.update(gold=2) for r in rows[1:]],
         MAP + ",answer=gold", "the answer on file is '2'"),
    ],
)  # fmt: skip
def test_tables_with_slips_are_refused_with_their_place(
    bench, pair, change, fields, words
) -> None:
    base = items(BASE, gold=3)
    change(base)
    refusal = bench.refusal(*pair(base, items(RLVR, gold=3), fields))
    assert words in refusal


def test_a_table_pasted_twice_is_refused_where_its_texts_tell(bench, pair) -> None:
    base = [row | {"said": f"{i}"} for i, row in enumerate(items(BASE))]
    refusal = bench.refusal(*pair(base * 2, base, MAP + ",text=said"))
    assert "the same 4 completions 2 times" in refusal


def test_a_comma_in_a_column_is_escaped(kit, pair) -> None:
    base = [{"problem, old": p, "ok": ok} for p, _, ok in BASE]
    assert kit.both(*pair(base, base, r":id=problem\, old,correct=ok")).samples == 2


def test_a_file_that_is_called_like_a_map_is_itself(kit, tmp_path: Path) -> None:
    rows = [{"id": "a", "n": 2, "c": 1}]
    paths = [write_jsonl(tmp_path / f"{role}.jsonl:id=x", rows) for role in ("base", "rlvr")]
    assert kit.both(*paths).samples == 2


# A series of steps


def dumps(folder: Path, steps, name="{}.jsonl") -> Path:
    folder.mkdir()
    for step in steps:
        rows = [
            {"input": f"What is {p}?", "output": f"{step} {p} {r}", "gts": p, "step": step,
             "score": float((r + i + step) % 3 == 0)}
            for i, (p, r, _) in enumerate(BASE)
        ]  # fmt: skip
        write_jsonl(folder / name.format(step), rows)
    return folder


def test_a_folder_of_steps_is_base_rlvr_and_what_lies_between(tmp_path: Path) -> None:
    recorded = read("b", {"steps": [dumps(tmp_path / "dumps", (0, 50, 100, 9))]})
    assert list(recorded.tallies) == ["base", "rlvr", "step-9", "step-50"]
    assert "base " + str(tmp_path / "dumps" / "0.jsonl") in recorded.benchmark.source
    assert "rlvr " + str(tmp_path / "dumps" / "100.jsonl") in recorded.benchmark.source


@pytest.mark.parametrize("name", ["val_data_step{}.jsonl", "completions_{:05}.jsonl", "{}.jsonl"])
def test_the_step_is_the_last_number_of_the_name(tmp_path: Path, name: str) -> None:
    recorded = read("b", {"steps": [dumps(tmp_path / "run7", (2, 10, 3), name)]})
    assert list(recorded.tallies) == ["base", "rlvr", "step-3"]


def test_files_for_base_and_rlvr_leave_every_step_between_them(tmp_path: Path) -> None:
    ends = dumps(tmp_path / "ends", (0, 100))
    files = {"base": [ends / "0.jsonl"], "rlvr": [ends / "100.jsonl"],
             "steps": [dumps(tmp_path / "dumps", (20, 40))]}  # fmt: skip
    assert list(read("b", files).tallies) == ["base", "rlvr", "step-20", "step-40"]


def test_a_series_without_steps_is_refused(bench, tmp_path: Path) -> None:
    one = dumps(tmp_path / "one", (4,))
    with pytest.raises(ValueError, match="holds 1 steps, expected one for base and one for rlvr"):
        read("b", {"steps": [one]})
    other = dumps(tmp_path / "other", (1,), "last.jsonl")
    with pytest.raises(ValueError, match="no number in its name says"):
        read("b", {"steps": [other]})


def parquet_of(path: Path, ids, rows) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = {"problem": ids(pyarrow, [p for p, *_ in rows]), "ok": [ok for *_, ok in rows]}
    parquet.write_table(pyarrow.table(table), path)
    return Path(f"{path}{MAP}")


def test_ids_in_bytes_are_text(tmp_path, kit) -> None:
    """A table's strings are bytes where whoever wrote it had no types of texts."""

    def ids(pyarrow, names):
        return pyarrow.array([name.encode() for name in names])

    pair = [
        parquet_of(tmp_path / f"{i}.parquet", ids, rows) for i, rows in enumerate((BASE, RLVR))
    ]
    recorded = kit.both(*pair)
    assert [(t.problem, t.n, t.correct) for t in recorded.tallies["base"]] == [
        ("a", 2, 1), ("b", 2, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["noise", "times"])
def test_ids_that_are_no_text_are_refused_and_not_one_problem(tmp_path, bench, kind) -> None:
    def ids(pyarrow, names):
        if kind == "noise":
            return pyarrow.array([name.encode() + b"\xff" for name in names])
        return pyarrow.array([ord(name) for name in names]).cast(pyarrow.timestamp("s"))

    pair = [
        parquet_of(tmp_path / f"{i}.parquet", ids, rows) for i, rows in enumerate((BASE, RLVR))
    ]
    of = {"noise": "bytes", "times": "datetime"}[kind]
    assert f"row 1: expected text or a number, got a {of}: write it as text" in bench.refusal(
        *pair
    )
