"""API keys reach the hosts they are for, and nothing that a run writes, whatever a server says."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from rlvr_gate_fixtures.store.packing import unpack_text

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs a tokenizer")

SUITES = Path(__file__).parents[2] / "suites" / "comparability"
KEYS = {"base": "sk-planted-for-base", "rlvr": "sk-planted-for-rlvr"}
OUTPUTS = ("--gate-json=gate.json", "--gate-summary=gate.md", "--gate-report=gate.html",
           "--junitxml=junit.xml")  # fmt: skip


class Echo(BaseHTTPRequestHandler):
    """Answers with the key it was given, in one place after the other, and honestly in between."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "tiny", "owner": self.server.key}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.headers.get("Authorization", ""))
        key, number = self.server.key, len(self.server.asked)
        good = {"index": 0, "text": "12", "finish_reason": "stop"}
        lies = [
            (200, {"choices": [good | {"text": f"the key is {key}"}]}),
            (200, {"choices": [good | {"finish_reason": "x" * 70 + key}]}),
            (200, {"error": {"message": f"bad key {key}"}}),
            (429, {"error": f"{key} is too fast"}),
            (503, {"detail": f"Bearer {key}"}),
        ]
        last = self.server.ends_after and number > self.server.ends_after
        if last:
            self._answer({"error": {"message": f"{key} was revoked"}}, 401)
        elif number % 2 and number < 2 * len(lies):
            self._answer(*reversed(lies[number // 2]))
        else:
            self._answer({"id": key, "model": key, "choices": [good]})

    def _answer(self, said: object, status: int = 200) -> None:
        body = json.dumps(said).encode()
        self.send_response(status, self.server.key)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Key", self.server.key)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    def __init__(self, key: str) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.key, self.asked, self.ends_after = key, list[str](), 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@pytest.fixture
def servers() -> Iterator[dict[str, Server]]:
    made = {role: Server(key) for role, key in KEYS.items()}
    yield made
    for server in made.values():
        server.shutdown()
        server.server_close()


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Everything that was written, compressed texts in clear."""
    for file in (f for f in root.rglob("*") if f.is_file()):
        yield file.name, file.read_bytes().decode("latin-1")
        if file.suffix == ".sqlite":
            with closing(sqlite3.connect(file)) as db:
                for (text,) in db.execute("SELECT text FROM bodies"):
                    yield f"{file.name} in clear", unpack_text(text)


@pytest.mark.parametrize("ends_after", [0, 14], ids=["whole", "refused in the middle"])
def test_what_servers_echo_is_in_no_output(gate, servers, ends_after: int) -> None:
    rows = [{"problem": f"S{i}+{i}:", "answer": 2 * i, "verifier": "integer"} for i in range(6)]
    (gate.root / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    servers["rlvr"].ends_after = ends_after
    keys = {f"RLVR_GATE_API_KEY_{role.upper()}": key for role, key in KEYS.items()}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--model-pair=base,rlvr", "--benchmarks=sums.jsonl",
         "--samples=4", "--max-new-tokens=8", "--backend=server", "-p", "no:cacheprovider",
         "--backend-option=dialect=openai", "--backend-option=concurrency=2", "-vv", *OUTPUTS,
         *(f"--backend-option={role}={server.url}" for role, server in servers.items()),
         str(SUITES)],
        cwd=gate.root, env=os.environ | keys, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (gate.root / "said.log").write_text(run.stdout + run.stderr)
    assert "Traceback" not in run.stdout + run.stderr
    for role, server in servers.items():
        assert {*server.asked} == {f"Bearer {KEYS[role]}"}
    if ends_after:
        assert "refused with status 401: *** was revoked" in run.stdout + run.stderr
    else:
        assert len(servers["base"].asked) == 24 + 5
        assert "48 completions drawn" in run.stdout
    for name, text in texts(gate.root):
        assert "planted" not in text, name
