"""Runs on questions that show images: refused, or asked, as the engine can."""

from __future__ import annotations

import json

from tests.files.test_pictures import png

from .conftest import SUITES, Gate

SEEN = "seen.jsonl:problem=problem,answer=answer,verifier=exact,image=image"


def with_images(gate: Gate) -> None:
    """The scripted sums, each with an image of its own."""
    gate.write(base=0.2, rlvr=0.9)
    rows = [json.loads(line) for line in (gate.root / "sums.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["image"] = f"{number}.png"
        (gate.root / row["image"]).write_bytes(png(8, 1 + number))
    (gate.root / "seen.jsonl").write_text("\n".join(map(json.dumps, rows)))


def test_an_engine_that_shows_no_images_is_refused_before_anything_is_drawn(gate: Gate) -> None:
    with_images(gate)
    done = gate.pytester.runpytest_subprocess(
        "--model-pair=./old,./new", f"--benchmarks={SEEN}", "--samples=2",
        "--backend=transformers", "-p", "no:cacheprovider", str(SUITES),
    )  # fmt: skip
    assert done.ret == 4
    done.stderr.fnmatch_lines(["*seen shows images, and --backend vllm alone can show them*"])


def test_a_prompt_names_its_image_and_another_image_is_another_prompt(gate: Gate) -> None:
    with_images(gate)
    script = {
        name: {"*": {"right": "0", "wrong": "no", "success": 0.5}} for name in ("old", "new")
    }
    (gate.root / "script.json").write_text(json.dumps(script))

    def drawn() -> str:
        done = gate.pytester.runpytest_subprocess(
            "--model-pair=./old,./new", f"--benchmarks={SEEN}", "--samples=2",
            "--backend=scripted", "--backend-option=script=script.json", "-p", "no:cacheprovider",
            str(SUITES / "capability" / "test_pass_at_k.py"), "-k", "test_pass_at_1_rises",
        )  # fmt: skip
        return next(line for line in done.outlines if "completions drawn" in line)

    assert drawn().startswith("80 completions drawn")
    assert drawn().startswith("0 completions drawn")
    (gate.root / "3.png").write_bytes(png(9, 9))
    assert drawn().startswith("4 completions drawn")
    shown = gate.run("--show-prompt", f"--benchmarks={SEEN}")
    shown.stdout.fnmatch_lines(["*<image sha256=*"])
