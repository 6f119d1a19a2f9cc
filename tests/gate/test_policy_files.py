"""A policy file is read as it was meant, or refused with the place and the remedy."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rlvr_gate.gate.policy import PolicyError, load_policy, parse_policy
from rlvr_gate.records import Kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "says nothing: expected [policy], [claims.ID]"),
        ("# nothing but a comment\n", "says nothing: expected [policy], [claims.ID]"),
        ("[claims]\n", "says nothing: expected [policy], [claims.ID]"),
        ("[claims.K1]\n", "[claims.K1]: says nothing: give kind, margin"),
        ("[claims.K1]\nmargin = nan", "margin must be a finite number, got nan"),
        ("[claims.K1]\nbound = -inf", "bound must be a finite number, got -inf"),
        ("[claims.K1]\nmargin = 1e999", "margin must be a finite number, got inf"),
        (f"[claims.K1]\nmargin = 1{'0' * 400}", "margin must be a finite number, got inf"),
        (f"[claims.K1]\nmargin = {'9' * 4096}", "a line is longer than 4,096 characters"),
        ("[claims.K1]\nmargin = -0.02", "margin is a slack of at least 0, got -0.02"),
        ("[claims.K1]\nmargin = [0.1]", "margin must be a number, got [0.1]"),
        ("[claims.K1]\nbenchmarks = []", "benchmarks is empty, so this would apply nowhere"),
        ("[claims.K1]\nbenchmarks = ['a', 'a']", "benchmarks holds 'a' twice"),
        ("[claims.K1]\nbenchmarks = ['']", "benchmarks holds '': empty"),
        ("[claims.K1]\nkind = ''", "kind must be 'gate' or 'finding', got ''"),
        ("[claims.K1]\nkind = ['gate']", "kind must be 'gate' or 'finding', got ['gate']"),
        ("[[claims.K1]]\nkind = 'gate'", "K1 must be a table"),
        ("[policy]\nname = ' '", "name is empty"),
        ("[policy]\nname = 3", "name must be a string, got 3"),
        ("[policy]\nself_test = 1", "self_test must be true or false, got 1"),
        ("[policy]\nself_test = true\n[claims.S5]\nkind = 'finding'", "leave one of them out"),
        ("[policy]\nagain = 0", "again is the share of 1 - level kept for judging"),
        ("[policy]\nagain = 1.0", "a number between 0 and 1, got 1.0"),
        ("[policy]\nagain = true", "a number between 0 and 1, got True"),
        ("[policy]\nlevel = nan", "level must be a number between 0.5 and 1, got nan"),
        ("[policy]\nlevel = 1.0", "level must be a number between 0.5 and 1, got 1.0"),
        ("[policy]\nlevel = '0.95'", "level must be a number between 0.5 and 1, got '0.95'"),
        ("[claims.K1]\nlevel = 0.05", "level must be a number between 0.5 and 1, got 0.05"),
        ("[policy]\nrequired_claims = ['K1', 'S2', 'K1']", "required_claims holds 'K1' twice"),
        ("[policy]\nrequired_claims = ['K1 ']", "required_claims holds 'K1 ': empty, or with"),
        ("[policy]\nrequired_claims = [1]", "required_claims must be a list of strings, got [1]"),
        ("[policy]\nrequired_benchmarks = ['']", "required_benchmarks holds ''"),
        ("a = " + "[" * 4000, "not TOML"),
        ("[policy]\n[policy]", "not TOML"),
        ("policy:\n  level: 0.9\n", "a policy is TOML, no YAML or JSON"),
        ('{"policy": {}}', "a policy is TOML, no YAML or JSON"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("[policy]\nlevel = 0.9\n".encode("utf-16"), "this is UTF-16: save it as UTF-8"),
        ("[policy]\nlevel = 0.9\n".encode("utf-16-le"), "UTF-16 without a mark"),
        (
            "[policy]\nname = 'é'".encode("latin-1"),
            "a policy is UTF-8 text (",
        ),
        (b"[policy]\rlevel = 0.9\r", "a lone carriage return"),
        (b"#" * 70_000, "larger than 65,536 bytes"),
    ],
)
def test_a_file_that_is_no_policy_text_is_refused(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(data)
    with pytest.raises(PolicyError) as caught:
        load_policy(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf[policy]\r\nlevel = 0.9\r\n", b"[policy]\nlevel=0.9"]
)
def test_files_from_windows_are_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(data)
    assert load_policy(str(path)).level == 0.9


def test_a_folder_a_device_and_a_missing_file_are_named(tmp_path: Path) -> None:
    for ref, message in (
        (str(tmp_path), "it is a folder, expected a shipped name (benchmarks, coverage"),
        ("/dev/zero", ": expected a shipped name"),
        (str(tmp_path / "none.toml"), ": expected a shipped name"),
        ("x" * 5000, "cannot be read"),
    ):
        with pytest.raises(PolicyError) as caught:
            load_policy(ref)
        assert message in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text("[policy]")
    path.chmod(0)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(str(path))


def test_a_policy_lies_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my policy.toml").write_text("[policy]\nname = 'ours'")
    assert load_policy("~/my policy.toml").name == "ours"


def test_a_key_of_many_parts_costs_no_time() -> None:
    started = time.process_time()
    with pytest.raises(PolicyError):
        parse_policy("\n".join(".".join(["a"] * 2000) + f".b{i} = 1" for i in range(15)))
    assert time.process_time() - started < 10


def test_a_self_test_that_is_asked_for_is_a_gate_claim_and_required() -> None:
    asked = parse_policy(
        "[policy]\nself_test = true\nrequired_claims = ['S5']\n[claims.S5]\nmargin = 0.01"
    )
    assert asked.required_claims == ("S5",)
    assert asked.kind("S5", "b", Kind.FINDING) is Kind.GATE
    assert asked.margin("S5", "b", 0.02) == 0.01
    assert parse_policy("[policy]\nself_test = false").claims == {}
