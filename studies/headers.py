"""What looking a checkpoint over costs before anything is drawn: headers, and all of it again.

A Llama in bfloat16 of about so many gigabytes, in shards with holes for weights, so it takes no
disk. Times are of the process's CPU and of the clock, the median of several.

    python studies/headers.py --gigabytes 5
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from rlvr_gate_fixtures.inputs.architectures import ARCHITECTURES, needed
from rlvr_gate_fixtures.inputs.checkpoints import resolve
from rlvr_gate_fixtures.inputs.wholeness import check_headers

TIMES, SHARDS = 9, 2
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2560,
    "intermediate_size": 8704, "num_attention_heads": 32, "num_key_value_heads": 8,
    "vocab_size": 128256, "tie_word_embeddings": True, "eos_token_id": 2,
}  # fmt: skip
LAYER_BYTES, REST_BYTES = 166e6, 657e6


def write(folder: Path, gigabytes: float) -> tuple[int, float]:
    """The checkpoint; how many tensors and gigabytes it has."""
    layers = max(1, round((gigabytes * 1e9 - REST_BYTES) / LAYER_BYTES))
    config = CONFIG | {"num_hidden_layers": layers}
    shapes = list(needed(ARCHITECTURES["llama"], config).items())
    index, held = {}, 0
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        header, end = {}, 0
        for tensor, shape in shapes[shard::SHARDS]:
            start, end = end, end + 2 * math.prod(shape)
            header[tensor] = {"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}
            index[tensor] = name
        text = json.dumps(header).encode()
        with (folder / name).open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(8 + len(text) + end)
        held += end
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps(config))
    vocabulary = {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "</s>": 2}, "unk_token": "a"}
    (folder / "tokenizer.json").write_text(json.dumps({"model": vocabulary}))
    return len(shapes), held / 1e9


def spent(work: Callable[[], object]) -> str:
    """Milliseconds of CPU and of the clock."""
    computed, passed = [], []
    for _ in range(TIMES):
        cpu, clock = time.process_time(), time.perf_counter()
        work()
        computed.append(1000 * (time.process_time() - cpu))
        passed.append(1000 * (time.perf_counter() - clock))
    return f"{median(computed):.1f} ms of CPU, {median(passed):.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0)
    asked = parser.parse_args().gigabytes
    with tempfile.TemporaryDirectory() as temporary:
        folder, cache = Path(temporary) / "model", Path(temporary) / "cache"
        folder.mkdir()
        tensors, gigabytes = write(folder, asked)
        config = json.loads((folder / "config.json").read_text())
        print(f"{tensors} tensors, {gigabytes:.2f} GB")
        print(f"headers against config.json: {spent(lambda: check_headers(folder, config))}")
        time.sleep(3)  # files that were only just written are hashed again
        resolve("base", str(folder), cache=cache)
        again = spent(lambda: resolve("base", str(folder), cache=cache))
        print(f"all that is checked, the second time: {again}")


if __name__ == "__main__":
    main()
