"""References become checked checkpoints, or one clear error."""

from __future__ import annotations

import json
import os
import shutil
import struct
from pathlib import Path

import pytest
from tests.conftest import edit

from rlvr_gate_fixtures.inputs import digests, wholeness
from rlvr_gate_fixtures.inputs.checkpoints import (
    CheckpointError,
    known,
    resolve,
    shared_stop_ids,
)


def header(length: int, data: bytes) -> bytes:
    return struct.pack("<Q", length) + data


def weights_header(path: Path) -> bytes:
    data = path.read_bytes()
    return data[8 : 8 + int.from_bytes(data[:8], "little")]


def one(entry: object, extra: bytes = b"") -> bytes:
    text = json.dumps({"w": entry}).encode()
    return header(len(text), text + extra)


def test_a_folder_resolves_to_a_checked_record(make_checkpoint):
    folder = make_checkpoint()
    found = resolve("base", str(folder))
    assert (found.role, found.ref, found.path) == ("base", str(folder), folder)
    assert found.architecture == "LlamaForCausalLM"
    assert found.stop_ids == (2, 3)
    assert len({found.digest, found.tokenizer_digest, found.template_digest}) == 3


def test_registry_names_are_folders_beside_each_other(make_checkpoint, tmp_path):
    make_checkpoint("base"), make_checkpoint("rlvr")
    assert known(tmp_path) == ("base", "rlvr")
    assert resolve("base", "rlvr", registry=tmp_path).path == tmp_path / "rlvr"


def test_an_unknown_name_lists_the_known_and_the_nearest(make_checkpoint, tmp_path):
    make_checkpoint("base"), make_checkpoint("rlvr")
    with pytest.raises(
        CheckpointError, match=r"unknown name; did you mean 'rlvr'\? known: base, rlvr;"
    ):
        resolve("rlvr", "rlvrr", registry=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "no config.json"),
        ("config.json", b"{", "config.json is not JSON"),
        ("config.json", b"[]", "must hold a JSON object, got list"),
        ("config.json", b"[" * 100_000, "config.json is not JSON"),
        ("config.json", b"{}", "needs `architectures`, got None"),
        ("tokenizer.json", None, "no tokenizer in"),
        ("model.safetensors", None, "no weights in"),
        ("model.safetensors", b"", "truncated: 0 bytes, no whole header"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("model.safetensors", b"\n<!DOCTYPE html><html>", "holds a web page"),
        ("model.safetensors", header(10**6, b"{}"), "truncated"),
        ("model.safetensors", header(2**63, b"{}"), "truncated"),
        ("model.safetensors", header(2, b"{}"), "holds no tensors"),
        ("model.safetensors", header(2, b"[]"), "must hold a JSON object"),
        ("model.safetensors", header(3, b"\xff\xfe{"), "not JSON"),
        ("model.safetensors", one({"dtype": "BF16"}), "malformed header entry for tensor 'w'"),
        ("model.safetensors", one(7), "malformed header entry"),
        (
            "model.safetensors",
            one({"dtype": "BF16", "shape": [-1], "data_offsets": [0, 2]}, b"xx"),
            "malformed header entry",
        ),
        (
            "model.safetensors",
            one({"dtype": "BF16", "shape": [2**40, 2**40], "data_offsets": [0, 2]}, b"xx"),
            "does not fit its offsets",
        ),
        (
            "model.safetensors",
            one({"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}, b"xx"),
            "is truncated: its header promises",
        ),
        (
            "model.safetensors",
            one({"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}, b"xxxx"),
            "has bytes after its last tensor",
        ),
        ("generation_config.json", b'{"eos_token_id": ["</s>"]}', "must be token ids"),
    ],
)
def test_a_broken_file_is_named(make_checkpoint, name, content, message):
    folder = make_checkpoint()
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"rlvr checkpoint .*{message}"):
        resolve("rlvr", str(folder))


def test_a_folder_of_checkpoints_names_the_last_of_them(make_checkpoint, tmp_path):
    for name in ("checkpoint-100", "checkpoint-1000", "checkpoint-200"):
        make_checkpoint(name)
    with pytest.raises(
        CheckpointError,
        match=r"no config.json in .*give .*/checkpoint-1000 \(or one of 2 others\)",
    ):
        resolve("rlvr", str(tmp_path))
    shutil.rmtree(tmp_path / "checkpoint-100")
    shutil.rmtree(tmp_path / "checkpoint-200")
    with pytest.raises(CheckpointError, match=r"it holds checkpoints, give .*/checkpoint-1000$"):
        resolve("rlvr", str(tmp_path))
    deep = tmp_path / "run" / "global_step_40" / "actor"
    deep.mkdir(parents=True)
    (tmp_path / "checkpoint-1000").rename(deep / "huggingface")
    with pytest.raises(CheckpointError, match=r"give .*/run/global_step_40/actor/huggingface$"):
        resolve("rlvr", str(tmp_path / "run"))


def test_every_truncation_of_the_weights_is_refused(make_checkpoint):
    folder = make_checkpoint()
    whole = (folder / "model.safetensors").read_bytes()
    for size in range(len(whole)):
        (folder / "model.safetensors").write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match="truncated"):
            resolve("base", str(folder))


def test_pickled_weights_are_refused(make_checkpoint):
    folder = make_checkpoint()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        CheckpointError, match=r"found only pytorch_model\.bin, and pickles run code"
    ):
        resolve("base", str(folder))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model_world_size_2_rank_0.pt", "a shard as verl leaves them.*verl.model_merger"),
        ("__0_0.distcp", "a shard of torch.distributed.checkpoint"),
        ("model-Q8_0.gguf", "quantized or not: give the checkpoint that it was converted from"),
    ],
)
def test_what_others_save_in_their_place_is_named(make_checkpoint, name, said):
    folder = make_checkpoint()
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(CheckpointError, match=f"found {name}, {said}"):
        resolve("base", str(folder))


def test_an_adapter_alone_is_no_checkpoint(make_checkpoint):
    folder = make_checkpoint()
    (folder / "config.json").rename(folder / "adapter_config.json")
    with pytest.raises(CheckpointError, match="merge the adapter into its base first"):
        resolve("base", str(folder))


NAME = "model.norm.weight"


def sharded(folder: Path, weight_map: dict[str, str]) -> None:
    """The only file as a shard, listed but for what `weight_map` says otherwise."""
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    names = dict.fromkeys(json.loads(weights_header(folder / "a.safetensors")), "a.safetensors")
    weight_map = names | weight_map if weight_map else {}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def test_shards_are_read_through_their_index(make_checkpoint):
    folder = make_checkpoint()
    sharded(folder, {NAME: "a.safetensors"})
    assert resolve("base", str(folder)).digest


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"w": "b.safetensors"}, "shard b.safetensors .* is missing"),
        ({"w": "a.safetensors"}, "says a.safetensors holds w"),
        ({NAME: "../base/a.safetensors"}, "outside its folder"),
        ({NAME: "a.bin"}, "only safetensors are read"),
        ({}, "needs a `weight_map`"),
    ],
)
def test_a_bad_index_is_refused(make_checkpoint, weight_map, message):
    folder = make_checkpoint()
    sharded(folder, weight_map)
    with pytest.raises(CheckpointError, match=message):
        resolve("base", str(folder))


def test_the_digest_changes_with_every_file_that_matters(make_checkpoint):
    folder = make_checkpoint()
    seen = {resolve("base", str(folder)).digest}
    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        edit(folder / name, extra=1)
        seen.add(resolve("base", str(folder)).digest)
    (folder / "chat_template.jinja").write_text("{{ y }}")
    seen.add(resolve("base", str(folder)).digest)
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    seen.add(resolve("base", str(folder)).digest)
    assert len(seen) == 6


def test_unchanged_weights_are_hashed_once(make_checkpoint, tmp_path, monkeypatch):
    folder, cache = make_checkpoint(), tmp_path / "cache"
    hashed: list[str] = []
    compute = digests.sha256
    monkeypatch.setattr(digests, "sha256", lambda p: hashed.append(p.name) or compute(p))
    for file in folder.iterdir():
        os.utime(file, ns=(10**18, 10**18))  # settled long ago
    first = resolve("base", str(folder), cache=cache)
    assert "model.safetensors" in hashed
    hashed.clear()
    assert resolve("base", str(folder), cache=cache) == first
    assert hashed == []
    os.utime(folder / "model.safetensors", ns=(10**18, 10**18 + 1))
    resolve("base", str(folder), cache=cache)
    assert hashed == ["model.safetensors"]


def test_a_damaged_digest_cache_is_ignored(make_checkpoint, tmp_path):
    folder = make_checkpoint()
    first = resolve("base", str(folder), cache=tmp_path)
    for text in ("", "[1]", '{"rules": 3}'):
        (tmp_path / "digests.json").write_text(text)
        assert resolve("base", str(folder), cache=tmp_path) == first


def test_both_checkpoints_stop_at_the_ids_of_either(make_checkpoint):
    base, other = make_checkpoint("base"), make_checkpoint("other", eos_token_id=1)
    assert shared_stop_ids([resolve("base", str(base)), resolve("rlvr", str(other))]) == (1, 2, 3)


@pytest.mark.parametrize("ref", ["", "./nowhere", "/nowhere/at/all", "~no-such-user/x"])
def test_a_path_that_leads_nowhere_is_not_taken_for_a_hub_id(ref):
    with pytest.raises(CheckpointError, match=r"no such folder|got nothing"):
        resolve("base", ref)


def test_a_file_is_not_a_checkpoint(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="expected a folder"):
        resolve("base", str(tmp_path / "file"))


def test_a_hub_id_is_fetched_with_its_revision_and_only_what_is_needed(
    make_checkpoint, monkeypatch
):
    hub = pytest.importorskip("huggingface_hub")
    folder, asked = make_checkpoint(), []

    def snapshot_download(repo, *, revision, allow_patterns):
        asked.append((repo, revision, set(allow_patterns)))
        return str(folder)

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    assert resolve("base", "org/name@v1").path == folder
    assert {a[:2] for a in asked} == {("org/name", "v1")}
    assert "model.safetensors" not in asked[0][2]
    assert "model.safetensors" in asked[1][2]


def test_an_unreachable_hub_is_a_clear_error(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"the hub did not give it .* pass the folder"):
        resolve("base", "org/name")


@pytest.fixture
def hub(make_checkpoint, tmp_path):
    """A hub cache that holds one repository with one revision."""
    repository = tmp_path / "hub" / "models--org--name"
    (repository / "snapshots").mkdir(parents=True)
    make_checkpoint("base").rename(repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    return repository


def test_a_cache_root_points_to_its_snapshots(hub):
    with pytest.raises(CheckpointError, match=rf"one of its revisions; give {hub}/snapshots/abc1"):
        resolve("base", str(hub))
    with pytest.raises(
        CheckpointError, match=r"a hub cache of 1 .*give a hub id, e\.g\. org/name"
    ):
        resolve("base", str(hub.parent))
    assert resolve("base", str(hub / "snapshots" / "abc123")).digest


def test_a_hub_id_is_found_in_the_cache_offline(hub, monkeypatch):
    huggingface_hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub.parent))
    assert resolve("base", "org/name").path == hub / "snapshots" / "abc123"


def test_values_are_read_once(make_checkpoint, tmp_path, monkeypatch):
    folder, cache = make_checkpoint(), tmp_path / "cache"
    for file in folder.iterdir():
        os.utime(file, ns=(10**18, 10**18))
    resolve("base", str(folder), cache=cache)
    monkeypatch.setattr(wholeness, "check_values", lambda path: pytest.fail("read again"))
    monkeypatch.setattr(wholeness, "check_head", lambda *_: pytest.fail("compared again"))
    resolve("base", str(folder), cache=cache)
