"""The vllm backend: a real engine on a shipped checkpoint, its processes and real kills.

`make test-vllm` runs these; elsewhere what needs vLLM is skipped.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.files.test_pictures import png

from rlvr_gate.records import Checkpoint, FinishReason, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Begun, Drawn, Passage, Request, load
from rlvr_gate_fixtures.backends.answers import answers
from rlvr_gate_fixtures.backends.children.places import Place
from rlvr_gate_fixtures.backends.devices import spread
from rlvr_gate_fixtures.backends.philox import sample_seed
from rlvr_gate_fixtures.backends.vllm import backend as module
from rlvr_gate_fixtures.backends.vllm import gpus
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend
from rlvr_gate_fixtures.backends.vllm.context import asked_context
from rlvr_gate_fixtures.backends.vllm.shape import LONGER
from rlvr_gate_fixtures.files import pictures
from rlvr_gate_fixtures.inputs.checkpoints import resolve

needs_vllm = pytest.mark.skipif(not find_spec("vllm"), reason="needs vLLM: make test-vllm")

PROMPTS = ["C9,23,15=17:", "C2,3,4=14:", "S29+67:"]
CODE = """
import select, sys, time
from rlvr_gate.records import Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Request
from rlvr_gate_fixtures.backends.vllm.backend import VllmBackend
from rlvr_gate_fixtures.inputs.checkpoints import resolve
base = resolve("base", "base")
stream = Stream(base.digest, Sampling(max_new_tokens=80), base.stop_ids, "x", 0)
backend = VllmBackend(enforce_eager="true")
drawing = backend.complete(base, stream, [Request(tuple(range(5, 14)), 0, 100000)])
next(drawing); print("drawing", flush=True)
try:
    while not select.select([sys.stdin], [], [], 0)[0]:
        next(drawing)
    drawing.close()
except BackendError:
    pass
print("left", flush=True); time.sleep(600)
"""


@pytest.fixture(scope="module", autouse=True)
def small_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="module")
def base() -> Checkpoint:
    return resolve("base", "base")


@pytest.fixture(scope="module")
def engine() -> Iterator[VllmBackend]:
    """One that has its engine kept, for all tests that only draw."""
    backend = VllmBackend(enforce_eager="true")
    with backend.kept():
        yield backend
    assert groups(os.getpid()) == []


@pytest.fixture(scope="module")
def prompt_ids(base: Checkpoint) -> list[tuple[int, ...]]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.path)
    return [tuple(tokenizer(prompt)["input_ids"]) for prompt in PROMPTS]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", lambda name: "1.2.3+cpu")


def stream(base: Checkpoint, seed: int = 0, **sampling: float) -> Stream:
    settings = Sampling(**({"max_new_tokens": 80} | sampling))  # type: ignore[arg-type]
    return Stream(base.digest, settings, base.stop_ids, "vllm", seed)


def by_place(drawn: Sequence[Drawn]) -> dict[tuple[int, int], tuple[int, ...]]:
    return {(d.request, d.completion.sample): d.completion.token_ids for d in drawn}


def stats() -> Iterator[tuple[int, int, int, str]]:
    """(pid, parent, group, name) of every living process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        state, parent, group, *_ = rest.split()
        if state != "Z":
            yield int(path.parent.name), int(parent), int(group), name


def groups(parent: int) -> list[int]:
    """Process groups of the engines that `parent` started."""
    return [pid for pid, ppid, group, _ in stats() if ppid == parent and pid == group != parent]


def members(group: int) -> dict[str, int]:
    return {name: pid for pid, _, of, name in stats() if of == group}


def gone(group: int) -> bool:
    for _ in range(100):
        if not members(group):
            return True
        time.sleep(0.1)
    return False


# What is drawn


@needs_vllm
def test_encode_is_the_tokenizers_own_encoding(
    base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    assert VllmBackend().encode(base, PROMPTS) == prompt_ids


@needs_vllm
def test_every_sample_comes_once_with_text_and_finish(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.path)
    asked = [Request(prompt_ids[0], 0, 9), Request(prompt_ids[1], 4, 7)]
    drawn = list(engine.complete(base, stream(base), asked))
    places = sorted((d.request, d.completion.sample) for d in drawn)
    assert places == [*((0, i) for i in range(9)), *((1, i) for i in range(4, 7))]
    for completion in (d.completion for d in drawn):
        stopped = completion.token_ids[-1] in base.stop_ids
        assert stopped == (completion.finish is FinishReason.STOP)
        plain = [i for i in completion.token_ids if i not in base.stop_ids]
        assert completion.text == tokenizer.decode(plain)
        assert completion.logprob < 0


@needs_vllm
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.7, 0.8)])
def test_logprobs_are_those_of_the_sampling_distribution(
    engine: VllmBackend,
    base: Checkpoint,
    prompt_ids: list[tuple[int, ...]],
    temperature: float,
    top_p: float,
) -> None:
    """Against a plain forward in bfloat16; top-p may cut elsewhere where two tokens nearly tie."""
    import torch
    from transformers import AutoModelForCausalLM

    from rlvr_gate_fixtures.backends.transformers.law import log_law

    model = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.bfloat16).eval()
    told = stream(base, temperature=temperature, top_p=top_p)
    errors = []
    for drawn in engine.complete(base, told, [Request(prompt_ids[0], 0, 40)]):
        ids = torch.tensor([[*prompt_ids[0], *drawn.completion.token_ids]])
        count = len(drawn.completion.token_ids)
        with torch.no_grad():
            law = log_law(model(input_ids=ids).logits[0, -count - 1 : -1], temperature, top_p)
        plain = float(law[torch.arange(count), ids[0, -count:]].sum())
        errors.append(abs(plain - drawn.completion.logprob) / count)
    assert sorted(errors)[len(errors) // 2] < 0.02


@needs_vllm
def test_a_larger_budget_goes_on_from_the_tokens_that_were_drawn(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    """Whole answers, with numbers of their own, and the log-probability of all of it."""
    never = Stream(base.digest, Sampling(max_new_tokens=12), (), "vllm", 0)
    first = [d.completion for d in engine.complete(base, never, [Request(prompt_ids[2], 0, 20)])]
    rest = [
        Request(prompt_ids[2], c.sample, c.sample + 1, Begun(c.token_ids, c.logprob))
        for c in first
    ]
    longer = Stream(base.digest, Sampling(max_new_tokens=30), (), "vllm", 0)
    went_on = {d.request: d.completion for d in engine.complete(base, longer, rest)}
    assert sorted(went_on) == list(range(20))
    for position, before in enumerate(first):
        after = went_on[position]
        assert (len(after.token_ids), after.sample) == (30, before.sample)
        assert after.token_ids[:12] == before.token_ids
        assert after.logprob < before.logprob
    again = {d.completion.sample: d.completion.token_ids
             for d in engine.complete(base, never, [Request(prompt_ids[2], 0, 20)])}  # fmt: skip
    repeats = [went_on[i].token_ids[12:24] == again[c.sample] for i, c in enumerate(first)]
    assert sum(repeats) < 3  # the same random numbers again would tie the rest to its beginning


@needs_vllm
def test_stop_texts_end_a_completion_and_are_no_part_of_it(
    base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    """With an engine that reads texts, and one whose beginning ends in half of one."""
    stops = ("+", "*", "3=")
    told = Sampling(max_new_tokens=30, stop=stops)
    of = Stream(base.digest, told, base.stop_ids, "vllm", 0)
    asked = [Request(ids, 0, 20) for ids in prompt_ids]
    asked.append(Request(prompt_ids[0], 0, 1, Begun((*prompt_ids[0][-3:-1],), -1.0)))
    backend = VllmBackend(enforce_eager="true")
    kept = [drawn.completion for _, drawn in answers(backend, [(base, of, asked)])]
    assert len(kept) == 61
    assert not any(stop in c.text for stop in stops for c in kept)
    by_text = [c for c in kept if c.finish is FinishReason.STOP and c.token_ids[-1] not in
               base.stop_ids]  # fmt: skip
    assert len(by_text) >= 10
    assert all(len(c.token_ids) < 30 for c in by_text)


@needs_vllm
def test_only_the_runs_own_stop_ids_end_a_completion(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    never = Stream(base.digest, Sampling(max_new_tokens=30), (), "vllm", 0)
    drawn = list(engine.complete(base, never, [Request(prompt_ids[2], 0, 20)]))
    assert {d.completion.finish for d in drawn} == {FinishReason.LENGTH}
    assert {len(d.completion.token_ids) for d in drawn} == {30}


@needs_vllm
def test_completions_come_as_they_end(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    started = time.monotonic()
    seconds = [
        time.monotonic() - started
        for _ in engine.complete(base, stream(base), [Request(i, 0, 600) for i in prompt_ids])
    ]
    assert seconds[0] < seconds[-1] / 3


# What a sample depends on


@needs_vllm
def test_a_sample_seldom_depends_on_what_is_drawn_beside_it(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    """Its randomness never does; vLLM's last bits do, and may turn a token."""
    whole = by_place(
        list(engine.complete(base, stream(base), [Request(i, 0, 64) for i in prompt_ids]))
    )
    asked = [Request(prompt_ids[2], 10, 64), Request(prompt_ids[0], 3, 5)]
    parts = by_place(list(engine.complete(base, stream(base), asked)))
    same = [whole[(2 if r == 0 else 0, s)] == ids for (r, s), ids in parts.items()]
    assert sum(same) / len(same) >= 0.8


@needs_vllm
def test_samples_differ_by_index_seed_checkpoint_and_prompt(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    def draw(told: Stream, prompt: tuple[int, ...] = prompt_ids[0]) -> list[tuple[int, ...]]:
        drawn = by_place(list(engine.complete(base, told, [Request(prompt, 0, 16)])))
        return [drawn[0, sample] for sample in range(16)]

    first = draw(stream(base))
    assert len(set(first)) > 8
    other = Stream("another digest", *list(_fields(stream(base)))[1:])  # type: ignore[arg-type]
    assert first != draw(stream(base, seed=1))
    assert first != draw(other)
    assert first != draw(stream(base), prompt_ids[1])


def _fields(told: Stream) -> Iterator[object]:
    return (getattr(told, name) for name in told.__slots__)


def test_seeds_are_of_63_bits_and_never_neighbours() -> None:
    seeds = [sample_seed(key, sample) for key in range(50) for sample in range(50)]
    assert len(set(seeds)) == 2500
    assert all(0 <= seed < 2**63 for seed in seeds)
    gaps = {abs(a - b) for a, b in pairwise(seeds)}
    assert min(gaps) > 2**32


# Processes


@needs_vllm
def test_a_kept_engine_serves_further_jobs(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    asked = [Request(prompt_ids[0], 0, 2)]
    one = by_place(list(engine.complete(base, stream(base), asked)))
    (group,) = groups(os.getpid())
    two = by_place(list(engine.complete(base, stream(base), asked)))
    assert groups(os.getpid()) == [group]
    assert one == two


@needs_vllm
def test_more_prompt_tokens_than_a_step_takes_are_drawn(
    engine: VllmBackend, base: Checkpoint
) -> None:
    """vLLM cuts such prompts, and the CPU's random numbers cannot be rewound."""
    prompts = [tuple(5 + (i * 7 + j * (i + 3)) % 90 for j in range(100)) for i in range(40)]
    asked = [Request(prompt, 0, 8) for prompt in prompts]
    found = by_place(list(engine.complete(base, stream(base, max_new_tokens=8), asked)))
    assert len(found) == 320


@pytest.mark.slow
@needs_vllm
@pytest.mark.parametrize("victim", ["child", "EngineCore"])
def test_a_killed_process_is_an_error_and_leaves_none(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]], victim: str
) -> None:
    before = set(groups(os.getpid()))
    backend = VllmBackend(enforce_eager="true")
    drawing = backend.complete(base, stream(base), [Request(prompt_ids[0], 0, 100_000)])
    next(drawing)
    (group,) = set(groups(os.getpid())) - before
    found = [pid for name, pid in members(group).items() if victim in name]
    os.kill(found[0] if found else group, signal.SIGKILL)
    with pytest.raises(BackendError, match=r"(?s)the vllm backend .*draws the rest"):
        list(drawing)
    assert gone(group)


@pytest.mark.slow
@needs_vllm
@pytest.mark.parametrize("ending", ["left", "child", "parent"])
def test_an_engine_leaves_nothing_behind_however_it_ends(short_tmp: Path, ending: str) -> None:
    """No process, no temporary file, no shared memory."""
    parent = subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    try:
        assert parent.stdout.readline() == "drawing\n"
        (group,) = groups(parent.pid)
        held = shared_memory(group)
        assert len(members(group)) > 1
        assert held
        assert list(short_tmp.rglob("*-*-*-*"))  # the engine's sockets
        if ending == "left":
            parent.stdin.write("\n")
            parent.stdin.flush()
        else:
            os.kill(group if ending == "child" else parent.pid, signal.SIGKILL)
        if ending != "parent":
            assert parent.stdout.readline() == "left\n"  # and is still there
        assert gone(group)
        assert empty(short_tmp)
        assert not [path for path in held if path.exists()]
    finally:
        parent.kill()
        parent.communicate()


@pytest.fixture
def short_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder in which sockets have room for their names, unlike in pytest's."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def shared_memory(group: int) -> set[Path]:
    """Files of shared memory that processes of the group have open."""
    maps = "".join(Path(f"/proc/{pid}/maps").read_text() for pid in members(group).values())
    return {Path(path) for path in re.findall(r"/dev/shm/\S+", maps)}


def empty(folder: Path) -> bool:
    for _ in range(100):
        if not list(folder.iterdir()):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@needs_vllm
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_two_engines_side_by_side_are_bound_to_cores_of_their_own(
    prompt_ids: list[tuple[int, ...]], base: Checkpoint
) -> None:
    if VllmBackend().device != "cpu":
        pytest.skip("names parts of the CPU")
    before = set(groups(os.getpid()))
    other = resolve("rlvr", "rlvr")
    backend = spread("vllm", ["cpu", "cpu"], enforce_eager="true")
    asked = [Request(i, 0, 10) for i in prompt_ids]
    with backend.kept():
        drawn = list(
            backend.complete_all([(base, stream(base), asked), (other, stream(other), asked)])
        )
        engines = [group for group in groups(os.getpid()) if group not in before]
        cores = [os.sched_getaffinity(group) for group in engines]
        threads = [bound(group) for group in engines]
    assert len({(p, d.request, d.completion.sample) for p, d in drawn}) == len(drawn) == 60
    assert len(engines) == 2
    assert not cores[0] & cores[1]
    assert all(own and own <= may for own, may in zip(threads, cores, strict=True))
    assert not any(map(members, engines))


def bound(group: int) -> set[int]:
    """Cores of all threads of the engine's worker."""
    (worker,) = (pid for name, pid in members(group).items() if "Worker" in name)
    tasks = [int(task.name) for task in Path(f"/proc/{worker}/task").iterdir()]
    return set().union(*(os.sched_getaffinity(task) for task in tasks))


# Refusals


@needs_vllm
def test_a_budget_beyond_the_context_is_refused_not_cut(
    engine: VllmBackend, base: Checkpoint, prompt_ids: list[tuple[int, ...]]
) -> None:
    told = stream(base, max_new_tokens=400)
    with pytest.raises(BackendError, match=r"context of 409, but the engine has 160; lower"):
        list(engine.complete(base, told, [Request(prompt_ids[0][:9], 0, 1)]))


@pytest.mark.slow
@needs_vllm
def test_an_unknown_architecture_is_named(base: Checkpoint, tmp_path: Path) -> None:
    for file in base.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((base.path / "config.json").read_text())
    config["architectures"] = ["NonesuchForCausalLM"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    broken = Checkpoint("base", "x", tmp_path, "d", "NonesuchForCausalLM", "t", (1,))
    with pytest.raises(BackendError, match="NonesuchForCausalLM"):
        list(
            VllmBackend(enforce_eager="true").complete(broken, stream(base), [Request((5,), 0, 1)])
        )


@pytest.mark.slow
@needs_vllm
def test_too_little_memory_says_what_to_do(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    if VllmBackend().device != "cpu":
        pytest.skip("asks for more memory than a CPU has")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    with pytest.raises(BackendError, match=r"(?s)memory.*VLLM_CPU_KVCACHE_SPACE"):
        list(VllmBackend(enforce_eager="true").complete(base, stream(base), [Request((5,), 0, 1)]))


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("a\n(E pid=1) ERROR [x.py:1] RuntimeError: CUDA out of memory.\n"
         "RuntimeError: Engine core initialization failed. See root cause above.",
         "RuntimeError: CUDA out of memory.\nlower gpu_memory_utilization or max_model_len, "
         "or raise tensor_parallel_size"),
        ("ValidationError: 1 error\n  architectures ['X'] are not supported\nother",
         "ValidationError: 1 error\n  architectures ['X'] are not supported"),
        ("pydantic_core._pydantic_core.ValidationError: 1 validation error for CacheConfig\n"
         "cache_dtype\n  Input should be 'auto' or 'fp8' [type=literal_error]\n"
         "other",
         "pydantic_core._pydantic_core.ValidationError: 1 validation error for CacheConfig\n"
         "cache_dtype\n  Input should be 'auto' or 'fp8' [type=literal_error]"),
        ("OSError: [Errno 98] Address already in use",
         "Address already in use\ntwo engines that started at one moment took one port: run the "
         "same command again"),
        ("(E pid=1) ERROR [x.py:1] Worker died unexpectedly (exit code: -9), shutting down\n"
         "(E pid=1) ERROR [y.py:1] RuntimeError: cancelled",
         "Worker died unexpectedly (exit code: -9), shutting down\na process of the engine was "
         "killed; the machine may have run out of memory: fewer engines side by side (--devices) "
         "need less of it"),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate "
         "memory: you tried to allocate 9663676416 bytes.",
         "DefaultCPUAllocator: can't allocate "
         "memory: you tried to allocate 9663676416 bytes.\nthe machine has too little memory for "
         "this checkpoint and what runs beside it: fewer engines side by side (--devices) need "
         "less of it"),
        ("ncclSystemError: Error: failed to extend /dev/shm/nccl-9KxbVW to 33030532 bytes",
         "ncclSystemError: Error: failed to extend /dev/shm/nccl-9KxbVW to 33030532 bytes\nshared "
         "memory is too small: in a container give it more (docker run --ipc=host, or "
         "--shm-size=8g)"),
        ("RuntimeError: CUDA error: no kernel image is available for execution on the device",
         "RuntimeError: CUDA error: no kernel image is available for execution on the device\n"
         "this build has no code for a device as old as this one: use a build that has, or "
         "--backend transformers"),
        ("(E pid=1) ERROR [x.py:1] RuntimeError: Engine process died unexpectedly (exit code: -7)",
         "RuntimeError: Engine process died unexpectedly (exit code: -7)\na process of the engine "
         "ran out of shared memory: in a container give it more (docker run --ipc=host, or "
         "--shm-size=8g)"),
        ("ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. "
         "You can use float16 instead by explicitly setting the `dtype` flag: --dtype=half.",
         "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. "
         "You can use float16 instead by explicitly setting the `dtype` flag: --dtype=half.\n"
         "the device has no bfloat16: give dtype=float16"),
        ("all\nwent quiet", "all\nwent quiet"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("installed")
def test_the_first_error_in_the_log_is_the_cause(log: str, words: str) -> None:
    assert VllmBackend().cause(log) == words


def test_without_vllm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DISTRIBUTIONS", ("no-such-vllm",))
    with pytest.raises(ValueError, match=r"pip install 'rlvr-gate\[vllm\]'"):
        load("vllm")


def test_what_drew_a_store_can_be_said_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, base: Checkpoint
) -> None:
    monkeypatch.setattr(module, "_DISTRIBUTIONS", ("no-such-vllm",))
    backend = VllmBackend(build="0.32.0/cuda")
    assert backend.identity() == "vllm/0.32.0/bfloat16/cuda"
    if not find_spec("vllm"):
        with pytest.raises(BackendError, match="fill it where vLLM is installed"):
            list(backend.complete(base, stream(base), [Request((5, 6, 7, 8), 0, 1)]))
    for wrong in ("0.32.0", "/cuda", "0.32.0/tpu"):
        with pytest.raises(ValueError, match="VERSION/DEVICE"):
            load("vllm", build=wrong)


@pytest.mark.usefixtures("installed")
def test_another_build_than_the_installed_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"build=9.9/cuda, but vLLM 1.2.3/cpu is installed"):
        load("vllm", build="9.9/cuda")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("options", "identity"),
    [
        ({}, "vllm/1.2.3/bfloat16/cpu"),
        ({"dtype": "float16", "tensor_parallel_size": "2"}, "vllm/1.2.3/float16/cpu/tp2"),
        ({"enforce_eager": "true", "max_model_len": "9"}, "vllm/1.2.3/bfloat16/cpu/eager"),
        ({"max_num_seqs": "60", "max_num_batched_tokens": "999"}, "vllm/1.2.3/bfloat16/cpu"),
        (
            {"kv_cache_dtype": "fp8_e5m2", "quantization": "fp8"},
            "vllm/1.2.3/bfloat16/cpu/kv-fp8_e5m2/weights-fp8",
        ),
    ],
)
def test_identity_holds_what_changes_the_numbers(options: dict[str, str], identity: str) -> None:
    assert VllmBackend(**options).identity() == identity


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int4"}, "dtype must be one of bfloat16, float16, float32, got 'int4'"),
        ({"tensor_parallel_size": "0"}, "tensor_parallel_size must be a whole number of at lea"),
        ({"gpu_memory_utilization": "90"}, r"gpu_memory_utilization must lie in \(0, 1\], got"),
        ({"gpu_memory_utilization": "most"}, r"gpu_memory_utilization must lie in \(0, 1\]"),
        ({"enforce_eager": "yes"}, "enforce_eager must be true or false, got 'yes'"),
        ({"max_num_seqs": "-1"}, "max_num_seqs must be a whole number"),
        ({"quantization": "fp8/x"}, "quantization must be a name that vLLM knows, got 'fp8/x'"),
    ],
)
def test_options_explain_their_refusal(options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VllmBackend(**options)


@pytest.mark.usefixtures("installed")
def test_options_of_the_engine_reach_it() -> None:
    asked = VllmBackend(max_num_seqs="60", quantization="fp8").options()["engine"]
    assert isinstance(asked, dict)
    assert (asked["max_num_seqs"], asked["quantization"]) == (60, "fp8")
    assert "kv_cache_dtype" not in asked
    assert "max_num_batched_tokens" not in asked


@pytest.mark.parametrize("build", ["cpu", "cu130", ""])
def test_prompts_are_not_cut_on_the_cpu_whose_generators_cannot_be_rewound(
    monkeypatch: pytest.MonkeyPatch, build: str
) -> None:
    monkeypatch.setattr(module, "version", lambda name: f"1.2.3+{build}".rstrip("+"))
    asked = VllmBackend().options()["engine"]
    assert isinstance(asked, dict)
    assert asked.get("enable_chunked_prefill") is (False if build == "cpu" else None)


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ["0, GPU-1a2b-00", "1, GPU-1a3c-11"]
    monkeypatch.setattr(gpus, "nvidia_smi", lambda fact: listed if fact == "index,uuid" else None)


@pytest.mark.usefixtures("two_cards")
def test_gpus_are_named_by_index_whatever_the_user_calls_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = VllmBackend(build="" if find_spec("vllm") else "0.32.0/cuda")
    backend.device = "cuda"
    for seen, index in [
        ("GPU-1a3c-11", "1"), ("GPU-1a2", "0"), ("1,GPU-1a2b-00", "1,0"),
        ("GPU-1a3c,GPU-1a2b", "1,0"),
    ]:  # fmt: skip
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
        told = backend.environment()
        assert (told["CUDA_VISIBLE_DEVICES"], told["CUDA_DEVICE_ORDER"]) == (index, "PCI_BUS_ID")
    for plain in ("", "0,1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", plain)
        assert "CUDA_VISIBLE_DEVICES" not in backend.environment()
    backend.move(Place(gpus=("GPU-1a3c", "0")))
    assert backend.environment()["CUDA_VISIBLE_DEVICES"] == "1,0"


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("MIG-77", "is a slice of a GPU, which vLLM mistakes for a whole one"),
        ("GPU-1a", "knows 2 GPUs called GPU-1a; name them by index"),
        ("GPU-9", "knows 0 GPUs called GPU-9"),
    ],
)
def test_gpus_that_cannot_be_told_are_refused(name: str, words: str) -> None:
    with pytest.raises(BackendError, match=words):
        gpus.by_index([name])


LONG = {"max_position_embeddings": 131_072}


@pytest.mark.parametrize(
    ("config", "tokenizer", "tokens", "context"),
    [
        (LONG, {}, 900, 2048),  # most runs of a benchmark ask for the same
        (LONG, {}, 2048, 2048),
        (LONG, {}, 2049, 4096),
        (LONG, {}, 100_000, 131_072),
        ({"max_position_embeddings": 160}, {}, 89, 160),  # never more than it would have
        (LONG, {"model_max_length": 3000}, 2900, 3000),
        (LONG, {"model_max_length": 1e30}, 2900, 4096),
        ({"text_config": LONG}, {}, 900, 2048),
        ({"max_position_embeddings": 4096, "seq_length": 1000}, {}, 900, 1000),
        ({}, {}, 900, 0),  # nobody can tell: vLLM's business
        ({"max_position_embeddings": True}, {}, 900, 0),
        ({**LONG, "rope_scaling": {"rope_type": "longrope"}}, {}, 900, 0),
    ],
)
def test_an_engine_is_asked_for_the_context_that_a_run_needs(
    tmp_path: Path, config: dict[str, object], tokenizer: dict[str, object], tokens: int,
    context: int,
) -> None:  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    assert asked_context(tmp_path, tokens, (0, 32)) == context


def test_a_context_is_asked_of_no_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert asked_context(tmp_path, 900, (0, 32)) == 0


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("tokens", "options", "room", "beyond"),
    [
        (3000, {}, 4096, False),
        (4095, {}, 4096, False),
        (4096, {}, 4097, True),  # all of the context, and one that is drawn and thrown away
        (4097, {}, 4096, False),  # refused by the child: it was never drawn
        (4096, {"max_model_len": "4096"}, 4096, False),
    ],
)
def test_a_passage_may_fill_the_checkpoint_s_context(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokens: int,
    options: dict[str, str], room: int, beyond: bool,
) -> None:  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 4096}))
    backend, rooms = VllmBackend(**options), list[int]()
    monkeypatch.setattr(
        module.ChildBackend, "_run", lambda self, job: iter(rooms.append(job["context"]) or ())
    )
    monkeypatch.setattr(module.ChildBackend, "_leave", lambda self: None)
    wide = replace(base, path=tmp_path)
    monkeypatch.setattr(
        VllmBackend, "_score", lambda self, *_: iter([*self._run({"path": str(tmp_path)})])
    )
    list(backend.score([wide], [Passage((5,) * 9, (6,) * (tokens - 9))]))
    assert rooms == [room]
    assert backend.environment().get(LONGER) == ("1" if beyond else None)


@pytest.mark.usefixtures("installed")
def test_an_engine_without_room_for_the_next_job_is_left(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And one that has it is kept, whatever smaller jobs ask for."""
    (tmp_path / "config.json").write_text(json.dumps(LONG))
    wide = replace(base, path=tmp_path)
    backend, contexts, left = VllmBackend(), list[int](), list[int]()

    def run(self: VllmBackend, job: dict[str, int]) -> Iterator[list[object]]:
        self._child = SimpleNamespace(path=str(tmp_path))  # type: ignore[assignment]
        contexts.append(job["context"])
        yield from ()

    def leave(self: VllmBackend) -> None:
        left.append(1)
        self._child = None

    monkeypatch.setattr(module.ChildBackend, "_run", run)
    monkeypatch.setattr(module.ChildBackend, "_leave", leave)
    for budget in (80, 4000, 80, 5000):
        asked = [Request((5,) * 9, 0, 1)]
        list(backend.complete(wide, stream(wide, max_new_tokens=budget), asked))
    assert contexts == [2048, 4096, 4096, 8192]
    assert len(left) == 2
    assert VllmBackend(max_model_len="512").terms(wide).context == 512
    assert (
        "raise the backend option max_model_len"
        in VllmBackend(max_model_len="9").terms(wide).longer
    )
    assert VllmBackend().terms(wide).context == 131_072
    monkeypatch.setenv(LONGER, "1")
    assert VllmBackend().terms(wide).context is None


@pytest.mark.usefixtures("installed")
def test_compiled_kernels_are_kept_for_each_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHINDUCTOR_CACHE_DIR", "XDG_CACHE_HOME", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VLLM_CACHE_ROOT", "/c")
    assert module.caches(None) == {"TORCHINDUCTOR_CACHE_DIR": "/c/torchinductor"}
    lanes = [module.caches(Place(gpus=(gpu,))) for gpu in "01"]
    assert lanes[1] == {
        "VLLM_CACHE_ROOT": "/c/lane-1", "TORCHINDUCTOR_CACHE_DIR": "/c/torchinductor/lane-1",
    }  # fmt: skip
    assert not {*lanes[0].values()} & {*lanes[1].values()}
    assert module.caches(Place(parts=((0,), (1,)))) == module.caches(Place(parts=((0, 1),)))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")  # as Ray says it
    assert module.caches(None) == lanes[1]


def test_a_release_that_is_too_old_draws_nothing_and_judges_what_is_stored(
    base: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "version", lambda name: "0.16.3+cpu")
    backend = VllmBackend()
    assert backend.identity() == "vllm/0.16.3/bfloat16/cpu"
    with pytest.raises(BackendError, match=r"needs vLLM 0\.17 or newer to draw, and 0\.16\.3 is"):
        list(backend.complete(base, stream(base), [Request((5,), 0, 1)]))
    numbers = ("0.17.0", "0.32.1rc1", "1.0", "2026.1.dev3", "main")
    assert all(module._release(number) >= module._OLDEST for number in numbers)
    assert module._release("0.9.2") < module._OLDEST


@pytest.mark.usefixtures("installed")
def test_the_origin_names_variables_that_an_engine_heeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    assert "environment" not in VllmBackend().origin()
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "1")
    assert VllmBackend().origin()["environment"] == "VLLM_BATCH_INVARIANT=1"
    backend = VllmBackend(runner="v1", attention_backend="FLASHINFER")
    assert backend.identity() == "vllm/1.2.3/bfloat16/cpu/attention-FLASHINFER/v1"
    assert backend.environment()["VLLM_USE_V2_MODEL_RUNNER"] == "0"
    assert "attention_backend=FLASHINFER" in backend.origin()["options"]


def test_the_parent_side_imports_no_model_library() -> None:
    code = (
        "import sys, rlvr_gate_fixtures.backends.vllm.backend as b; "
        "print([m for m in ('torch', 'transformers', 'vllm', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def seeing(folder: Path) -> Path:
    """A tiny LLaVA with random weights, its vision tower named as vLLM reads it."""
    import torch
    import transformers
    from safetensors.torch import load_file, save_file

    tokenizer = transformers.AutoTokenizer.from_pretrained(resolve("base", "base").path)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    eyes = transformers.CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        image_size=28, patch_size=14,
    )  # fmt: skip
    mouth = transformers.LlamaConfig(
        vocab_size=192, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=256, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    place = tokenizer.convert_tokens_to_ids("<image>")
    config = transformers.LlavaConfig(
        vision_config=eyes, text_config=mouth, image_token_index=place, image_seq_length=4
    )
    torch.manual_seed(0)
    transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
    square = {"height": 28, "width": 28}
    preparation = transformers.CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size=square)
    transformers.LlavaProcessor(
        preparation, tokenizer, patch_size=14, num_additional_image_tokens=1,
        vision_feature_select_strategy="default",
    ).save_pretrained(folder)  # fmt: skip
    tokenizer.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(
        "{% for part in messages[0]['content'] %}"
        "{{ '<image>' if part['type'] == 'image' else part['text'] }}{% endfor %}"
    )
    weights = load_file(folder / "model.safetensors")
    named = {
        name.replace("vision_tower.", "vision_tower.vision_model.")
        if "vision_model" not in name else name: tensor for name, tensor in weights.items()
    }  # fmt: skip
    save_file(named, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@needs_vllm
@pytest.mark.skipif(not find_spec("torchvision"), reason="vLLM's vision models need torchvision")
def test_a_checkpoint_is_shown_the_images_of_its_prompts(tmp_path: Path) -> None:
    seer = resolve("base", str(seeing(tmp_path / "seer")), cache=tmp_path)
    images = tmp_path / "images"
    digests = [pictures.kept(images, png(40, 30, rgb)) for rgb in ((255, 0, 0), (0, 0, 255))]
    backend = VllmBackend(enforce_eager="true", dtype="float32")
    backend.see(images)
    prompts = backend.encode(seer, [f"2+{pictures.mark(digest)}=" for digest in digests])
    assert prompts[0] != prompts[1]
    told = backend.decode(seer, prompts)
    assert all(digest in text for digest, text in zip(digests, told, strict=True))
    stream = Stream(seer.digest, Sampling(max_new_tokens=6), seer.stop_ids, backend.identity(), 0)
    with backend.kept():
        drawn = list(backend.complete(seer, stream, [Request(ids, 0, 2) for ids in prompts]))
        assert sorted((d.request, d.completion.sample) for d in drawn) == [
            (0, 0), (0, 1), (1, 0), (1, 1)
        ]  # fmt: skip
        passages = [Passage(ids, (5, 6, 7)) for ids in (*prompts, prompts[0])]
        scored = sorted(backend.score([seer], passages), key=lambda each: each.passage)
        red, blue, again = (next(iter(each.values.values())) for each in scored)
        assert red == pytest.approx(again, abs=1e-5)
        assert red != pytest.approx(blue, abs=1e-4)  # what is in the image reaches the text
        (images / digests[0]).write_bytes(png(1, 1))
        with pytest.raises(BackendError, match="is another image than it was"):
            list(backend.complete(seer, stream, [Request(prompts[0], 5, 6)]))
