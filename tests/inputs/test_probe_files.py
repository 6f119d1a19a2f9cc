"""Files of passages that gradients are taken of: what a line is, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gate_fixtures.files.source import FileError
from rlvr_gate_fixtures.inputs import probes
from rlvr_gate_fixtures.inputs.probes import Excerpt

SIX = [{"prompt": f"p{i // 2}", "completion": f"c{i}"} for i in range(6)]


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


def test_passages_come_once_with_the_file_s_digest(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", *SIX, SIX[0], {"prompt": "a text", "more": 1})
    found = probes.read(path)
    assert found.written[0] == Excerpt("p0", "c0")
    assert found.written[-1] == Excerpt("a text", None)
    assert len(found.written) == 7
    assert found.prompts == ("p0", "p1", "p2", "a text")
    assert found.name == f"p.jsonl ({found.sha256[:12]})"
    path.write_text(path.read_text() + "\n")
    assert probes.read(path).sha256 != found.sha256


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"problem": "p", "answer": "a"}, "line 1: expected .*prompt.*; got"),
        ({"prompt": 3}, "line 1: expected"),
        ({"prompt": "p", "completion": ["c"]}, "line 1: expected"),
        ({"prompt": " \n"}, "a prompt has 1 to 20,000 characters .* this has 2"),
        ({"prompt": "p", "completion": ""}, "a completion has 1 to 20,000 .* this has 0"),
        ({"prompt": "p", "completion": "x" * 20_001}, "this has 20,001"),
        ([1], "line 1"),
    ],
)
def test_what_is_no_passage_is_refused(tmp_path: Path, line: object, said: str) -> None:
    with pytest.raises(FileError, match=said):
        probes.read(written(tmp_path / "p.jsonl", line, *SIX))


def test_too_few_and_too_many_are_refused(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(FileError, match="is empty"):
        probes.read(written(tmp_path / "p.jsonl"))
    with pytest.raises(FileError, match="6 passages of 3 prompts are needed at least, it has 5"):
        probes.read(written(tmp_path / "p.jsonl", *SIX[:5]))
    alike = [{"prompt": "p", "completion": str(i)} for i in range(9)]
    with pytest.raises(FileError, match="it has 9 of 1"):
        probes.read(written(tmp_path / "p.jsonl", *alike))
    monkeypatch.setattr(probes, "MOST", 5)
    with pytest.raises(FileError, match="more than 5 passages"):
        probes.read(written(tmp_path / "p.jsonl", *SIX))
    with pytest.raises(FileError, match=r"cannot be read|No such file"):
        probes.read(tmp_path / "absent.jsonl")


def test_traits_have_names_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", *SIX[::2])
    assert list(probes.read_traits([("polite", path), ("terse", path)])) == ["polite", "terse"]
    with pytest.raises(FileError, match="two files are called polite"):
        probes.read_traits([("polite", path), ("polite", path)])
    with pytest.raises(FileError, match="3 passages of 3 prompts"):
        probes.read_traits([("polite", written(tmp_path / "q.jsonl", *SIX[:3]))])
