"""Prompts that differ are shown side by side, with the file that makes them differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rlvr_gate.records import CHATS, Ask, Benchmark, Checkpoint, Problem, Sampling, Stream
from rlvr_gate_fixtures.backends import Terms
from rlvr_gate_fixtures.backends.scripted import ScriptedBackend
from rlvr_gate_fixtures.inputs.prompt_files import differences
from rlvr_gate_fixtures.measurements.samples import remarks as remarks_module
from rlvr_gate_fixtures.measurements.samples.plan import prompted
from rlvr_gate_fixtures.measurements.samples.question import QuestionError, check, context
from rlvr_gate_fixtures.measurements.samples.remarks import remarks
from rlvr_gate_fixtures.run import Run, Settings
from rlvr_gate_fixtures.store.samples import Store


class Templated(ScriptedBackend):
    """The scripted backend with a prompt template for each checkpoint."""

    def __init__(self, wraps: Mapping[str, Callable[[str], str]]) -> None:
        super().__init__({"*": {"*": ["x"]}})
        self.wraps = wraps

    def encode(self, checkpoint: Checkpoint, prompts: Sequence[str]) -> list[tuple[int, ...]]:
        wrap = str if checkpoint.bare else self.wraps.get(checkpoint.role, str)
        return [tuple(wrap(prompt).encode()) for prompt in prompts]


@pytest.fixture
def run_of(make_checkpoint, tmp_path: Path) -> Callable[..., Run]:
    """A run of base and rlvr on these prompts, each with a template of its own."""

    def make(prompts: Sequence[str] = ("1+1=", "2+2="), new: int = 8,
             stop_ids: tuple[int, ...] = (2,), **wraps: Callable[[str], str]) -> Run:  # fmt: skip
        checkpoints, streams = {}, {}
        backend = Templated(wraps)
        for role in ("base", "rlvr"):
            folder = tmp_path / role
            folder = folder if folder.exists() else make_checkpoint(role)
            ids = (2,) if role == "base" else stop_ids
            checkpoints[role] = Checkpoint(role, role, folder, role, "Llama", "T", ids, role)
            sampling = Sampling(max_new_tokens=new)
            streams[role] = Stream(role, sampling, (2, 3), backend.identity(), 0)
        problems = tuple(Problem(f"p{i}", text, "1", "exact") for i, text in enumerate(prompts))
        benchmark = Benchmark("sums", "", "", problems)
        settings = Settings(
            "base", "rlvr", (), ("sums",), 1, tmp_path / "store", "scripted", {}, 0, 1, 1, new
        )
        return Run(settings, checkpoints, {"sums": benchmark}, streams, backend)

    return make


def refusal(run: Run, store: Store) -> str:
    with pytest.raises(QuestionError) as refused:
        check(run, [(Ask("base"), "sums"), (Ask("rlvr"), "sums")], store)
    return str(refused.value)


def edit(folder: Path, name: str, **entries: object) -> None:
    path = folder / name
    held = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(held | entries))


def test_the_same_prompts_pass(run_of, store) -> None:
    check(run_of(), [(Ask("base"), "sums"), (Ask("rlvr"), "sums")], store)


def test_a_leading_token_is_named_and_the_first_difference_marked(run_of, store) -> None:
    text = refusal(run_of(rlvr=lambda p: f"@{p}"), store)
    assert "in 2 of 2 problems: nothing was drawn\n  rlvr's prompts begin with one" in text
    assert "one more token: 64 @" in text
    assert "base (4 tokens): >>>1+1=" in text
    assert "rlvr (5 tokens): >>>@1+1=" in text
    assert "first other token, number 1: base 49, rlvr 64" in text


def test_a_difference_deep_in_a_long_prompt_is_shown_around_it(run_of, store) -> None:
    long = "a" * 500 + "\n" + "b" * 500
    text = refusal(run_of([long], rlvr=lambda p: p.replace("\n", "\r\x1b[2J\n")), store)
    assert f"base (1001 tokens): …{'a' * 60}>>>\\n{'b' * 119}…" in text
    assert ">>>␍␛[2J\\nbbb" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 400


def test_one_prompt_that_begins_the_other_parts_at_its_end(run_of, store) -> None:
    text = refusal(run_of(rlvr=lambda p: f"{p}?"), store)
    assert "base (4 tokens): 1+1=>>>\n" in text
    assert "first other token, number 5: base none, rlvr 63" in text


def test_files_that_say_the_same_are_not_blamed(run_of, store) -> None:
    assert "does the chat template depend on the date" in refusal(run_of(rlvr=str.upper,
        prompts=["a"]), store)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "entries", "cause"),
    [
        ("tokenizer_config.json", {"chat_template": "{{ y }}"},
         "the chat template differs: base tokenizer_config.json, rlvr tokenizer_config.json"),
        ("tokenizer_config.json", {"chat_template": None},
         "the chat template differs: base tokenizer_config.json, rlvr none"),
        ("tokenizer_config.json",
         {"chat_template": [{"name": "tool", "template": "{{ x }}"},
                            {"name": "default", "template": "{{ z }}"}]},
         "the chat template differs"),
        ("chat_template.json", {"chat_template": "{{ y }}"},
         "the chat template differs: base tokenizer_config.json, rlvr chat_template.json"),
        ("tokenizer_config.json", {"add_bos_token": True},
         "add_bos_token in tokenizer_config.json differs: base none, rlvr true"),
        ("tokenizer_config.json", {"bos_token": {"content": "<s>"}},
         'bos_token in tokenizer_config.json differs: base none, rlvr "<s>"'),
        ("special_tokens_map.json", {"bos_token": "<s>"},
         'bos_token in special_tokens_map.json differs: base none, rlvr "<s>"'),
        ("tokenizer.json", {"post_processor": {"type": "TemplateProcessing"}},
         "post_processor in tokenizer.json differs: base none"),
        ("tokenizer.json", {"added_tokens": [{"id": 4, "content": "<x>"}]},
         "added_tokens in tokenizer.json differs: base none"),
    ],
)  # fmt: skip
def test_every_cause_is_named_with_its_file(run_of, store, tmp_path, name, entries, cause) -> None:
    run = run_of(rlvr=lambda p: f"Q: {p}")
    edit(tmp_path / "rlvr", name, **entries)
    text = refusal(run, store)
    assert cause in text
    assert "what to do: give both folders the same " in text


def test_a_template_file_counts_before_the_one_in_the_settings(run_of, tmp_path) -> None:
    run_of()
    (tmp_path / "rlvr" / "chat_template.jinja").write_text("{{ y }}")
    (found,) = differences(tmp_path / "base", tmp_path / "rlvr")
    assert found.files == ("tokenizer_config.json", "chat_template.jinja")
    (tmp_path / "rlvr" / "chat_template.jinja").write_text("{{ x }}")
    assert differences(tmp_path / "base", tmp_path / "rlvr") == []


@pytest.mark.parametrize(
    ("config", "room"),
    [
        ({}, None),
        ({"max_position_embeddings": 100}, 100),
        ({"n_positions": 100}, 100),
        ({"text_config": {"max_position_embeddings": 100}}, 100),
        ({"max_position_embeddings": 100, "rope_scaling": None}, 100),
        ({"max_position_embeddings": 100, "rope_scaling": {"type": "linear", "factor": 4}}, 400),
        ({"max_position_embeddings": 400, "rope_scaling": {"rope_type": "llama3", "factor": 8}},
         400),
        ({"max_position_embeddings": 400, "rope_parameters": {
            "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 100}}, 400),
        ({"max_position_embeddings": 100, "rope_scaling": {"type": "yarn", "factor": 1e30}}, 100),
        ({"max_position_embeddings": "100"}, None),
    ],
)  # fmt: skip
def test_the_room_for_a_prompt_and_its_answer(make_checkpoint, config, room) -> None:
    assert context(make_checkpoint(**config)) == room


def test_a_prompt_that_fills_all_room_has_no_remedy_in_new_tokens(
    run_of, store, make_checkpoint, tmp_path
) -> None:
    make_checkpoint("base", max_position_embeddings=12)
    check(run_of(), [(Ask("base"), "sums"), (Ask("rlvr"), "sums")], store)
    text = refusal(run_of(prompts=["1", "x" * 12]), store)
    assert "base has room for 12 tokens, but sums needs 20: 12 of its longest prompt (p1)" in text
    assert "1 of 2 problems do not fit, nothing was drawn: leave such problems out" in text


def test_a_context_that_an_option_gives_bounds_the_room_before_anything_is_loaded(
    run_of, store, make_checkpoint
) -> None:
    make_checkpoint("base", max_position_embeddings=32)
    run = run_of(prompts=["1", "x" * 12])
    run.backend.terms = lambda checkpoint: Terms(context=19, longer="do this")
    text = refusal(run, store)
    assert "base has room for 19 tokens, but sums needs 20: 12 of its longest prompt (p1)" in text
    assert text.endswith("use --max-new-tokens=7 or less, or do this")
    run.backend.terms = lambda checkpoint: Terms(context=20)
    check(run, [(Ask("base"), "sums"), (Ask("rlvr"), "sums")], store)


def test_what_differs_and_does_no_harm_is_remarked(run_of, make_checkpoint) -> None:
    make_checkpoint("rlvr", max_position_embeddings=64)
    make_checkpoint("base", max_position_embeddings=32)
    run = run_of(stop_ids=(2, 3))
    edit(run.checkpoints["base"].path, "generation_config.json", top_k=20, pad_token_id=0)
    edit(run.checkpoints["rlvr"].path, "generation_config.json", top_k=50, pad_token_id=0)
    assert remarks(run) == [
        "stop ids differ: base 2, rlvr 2, 3; completions of both end at any of 2, 3",
        "generation_config.json differs in top_k (base 20, rlvr 50): not applied, both are drawn "
        "with temperature 1, top-p 1, at most 8 new tokens and nothing else",
        "context lengths differ: max_position_embeddings (base 32, rlvr 64)",
    ]


@pytest.mark.parametrize(
    ("base", "rlvr", "said"),
    [
        ({}, {"temperature": 0.6, "top_k": 20}, "temperature (base none, rlvr 0.6); top_k (base"),
        ({"suppress_tokens": [5]}, {}, "suppress_tokens (base [5], rlvr none)"),
        ({"stop_strings": ["a"]}, {"stop_strings": ["b"]}, "stop_strings (base ['a'], rlvr"),
        ({}, {"temperature": 0.0}, "temperature (base none, rlvr 0.0)"),
        ({}, {f"own_{i}": 2 for i in range(50)}, "and 42 more"),
        ({}, {"\x1b[2J" + "x" * 10**5: 2}, "xxx (base none, rlvr 2)"),
        ({}, {"top_p": 1.0, "do_sample": False, "temperature": 1.0}, ""),
        ({"_from_model_config": True}, {"transformers_version": "5.0.0", "use_cache": True}, ""),
    ],
)  # fmt: skip
def test_sampling_defaults_of_one_alone_are_remarked(run_of, base, rlvr, said: str) -> None:
    run = run_of()
    for role, entries in (("base", base), ("rlvr", rlvr)):
        edit(run.checkpoints[role].path, "generation_config.json", **entries)
    found = remarks(run)
    assert len(found) == bool(said)
    assert said in " ".join(found)
    assert "\x1b" not in " ".join(found)
    assert len(" ".join(found)) < 1000


YARN = {"rope_type": "yarn", "factor": 4.0}


@pytest.mark.parametrize(
    ("base", "rlvr", "said"),
    [
        ({}, {"rope_scaling": YARN}, "factor (base none, rlvr 4.0); rope_type (base none, rlvr y"),
        ({"rope_scaling": None}, {"rope_parameters": {"rope_type": "default"}}, ""),
        (
            {"rope_theta": 1e6},
            {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}},
            "",
        ),
        ({"rope_theta": 1e4}, {"rope_theta": 1e6}, "rope_theta (base 10000.0, rlvr 1000000.0)"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, {"rope_scaling": YARN}, ""),
    ],
)
def test_positions_that_one_alone_stretches_are_remarked(
    run_of, make_checkpoint, base, rlvr, said: str
) -> None:
    make_checkpoint("base", **base)
    make_checkpoint("rlvr", **rlvr)
    found = remarks(run_of())
    assert len(found) == bool(said)
    assert said in " ".join(found)


@pytest.mark.parametrize("told", ["<end>", {"content": "<end>", "lstrip": False}])
def test_an_end_of_text_at_which_nothing_ends_is_remarked(run_of, told) -> None:
    run = run_of()
    for checkpoint in run.checkpoints.values():
        edit(checkpoint.path, "tokenizer_config.json", eos_token=told)
    remarks_module._end_token.cache_clear()
    assert remarks(run) == []  # nobody says which id that is
    for checkpoint in run.checkpoints.values():
        edit(checkpoint.path, "tokenizer.json", added_tokens=[{"id": 7, "content": "<end>"}])
    remarks_module._end_token.cache_clear()
    (said,) = remarks(run)
    assert said.startswith(
        "eos_token of the tokenizer of base and rlvr is '<end>', id 7, and completions end at 2, "
    )


def test_checkpoints_that_are_alike_get_no_remark(run_of) -> None:
    assert remarks(run_of()) == []


def read(run: Run, store: Store, ask: Ask) -> list[str]:
    """The prompts of one ask as they are read."""
    asked = replace(run, needed=((ask, "sums"),))
    check(asked, [(ask, "sums")], store)
    put = run.put(ask, run.benchmarks["sums"])
    found = prompted(run.prompter(ask), put, store, run.backend)
    return [bytes(p.prompt_ids).decode() for p in found]


def test_whose_chat_template_is_asked_for(run_of, tmp_path: Path) -> None:
    """Own ones that differ refuse a run; asked for by name each is read as it is."""
    run = run_of(base="U: {}".format, rlvr="<u>{}".format)
    with Store.open(tmp_path / "store") as store:
        chats = {chat: read(run, store, Ask("rlvr", chat=chat))[0] for chat in CHATS}
        assert chats == {"own": "<u>1+1=", "base": "U: 1+1=", "none": "1+1="}
        both = [(Ask(role, chat="own"), "sums") for role in ("base", "rlvr")]
        check(run, both, store)
        assert "base and rlvr would read different prompts" in refusal(run, store)
        assert "--chat-template=base" in refusal(run, store)


@pytest.mark.parametrize(("chat", "prompt"), [("base", "U: 1+1="), ("none", "1+1=")])
def test_a_run_in_one_chat_template_is_comparable(
    run_of, tmp_path: Path, chat: str, prompt: str
) -> None:
    run = run_of(base="U: {}".format, rlvr="<u>{}".format)
    run = replace(run, settings=replace(run.settings, chat=chat))
    with Store.open(tmp_path / "store") as store:
        check(run, [(Ask(role), "sums") for role in ("base", "rlvr")], store)
        assert read(run, store, Ask("rlvr"))[0] == prompt
        assert read(run, store, Ask("rlvr", chat="own"))[0] == "<u>1+1="


def test_what_no_chat_template_stands_around_is_encoded_apart(run_of, tmp_path: Path) -> None:
    """The store keeps both under names of their own, and a default's as ever."""
    run = run_of(base="U: {}".format, rlvr="U: {}".format)
    with Store.open(tmp_path / "store") as store:
        read(run, store, Ask("base"))
        read(run, store, Ask("base", chat="none"))
        texts = [p.prompt for p in run.benchmarks["sums"].problems]
        kind = run.backend.identity().partition("/")[0]
        ids = {bytes(ids).decode() for ids in store.encoded(f"{kind} base", texts).values()}
        assert ids == {"U: 1+1=", "U: 2+2="}
        bare = {bytes(ids).decode() for ids in store.encoded(f"{kind} base bare", texts).values()}
        assert bare == {"1+1=", "2+2="}
