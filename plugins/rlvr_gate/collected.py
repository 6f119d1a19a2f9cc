"""What was collected, checked before anything is drawn: every claim can be judged, once, as meant.

A claim that pytest would pass over in silence, an id that means two things and a policy that
speaks of what is not there are wrong usage.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.doctest import DoctestModule

from rlvr_gate.controller import USAGE, asked, is_worker
from rlvr_gate.gate.meaning import Known, unknown_claims
from rlvr_gate.gate.policy import shipped
from rlvr_gate.markers import Marked, marked, unused
from rlvr_gate.plugin import policy_key
from rlvr_gate.written import Written, claims_in, shipped_claims, shipped_folder

modules_key = pytest.StashKey[list[pytest.Module]]()

_SHOWN = 20
_MOST_FILES = 10_000


def pytest_collectstart(collector: pytest.Collector) -> None:
    if isinstance(collector, pytest.Module) and not isinstance(collector, DoctestModule):
        collector.config.stash.setdefault(modules_key, []).append(collector)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    refuse(session, items, _problems(session, items))


def refuse(session: pytest.Session, items: list[pytest.Item], problems: Iterable[str]) -> None:
    """End the run with the problems, one a line; go on where there is none.

    An xdist worker that raised would be gone while it is sent its tests: it has none instead, and
    tells why when it ends.
    """
    found = list(dict.fromkeys(problems))
    if not found:
        return
    rest = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    text = "\n".join([*found[:_SHOWN], *rest])
    if not is_worker(session.config):
        raise pytest.UsageError(text)
    items.clear()
    session.config.workeroutput.setdefault(USAGE, text)  # type: ignore[attr-defined]  # xdist's own door


def _problems(session: pytest.Session, items: Sequence[pytest.Item]) -> Iterator[str]:
    config, claims = session.config, [i for i in items if i.get_closest_marker("claim")]
    misused = list(_misused(claims))
    yield from misused
    if misused or session.testsfailed or not (claims or asked(config)):
        return  # what could not be collected is told first; and others' runs are left alone
    modules = [m for m in config.stash.get(modules_key, ()) if getattr(m, "_obj", None)]
    yield from _same_ids(claims)
    yield from _not_the_shipped(claims)
    yield from _passed_over(claims, modules, config)
    yield from _files_passed_over(claims, modules, config)
    if config.getoption("--gate-policy") not in shipped():
        wrong = unknown_claims(config.stash[policy_key], known_claims(claims))
        yield from (f"--gate-policy: {why}" for why in wrong)


def known_claims(claims: Sequence[pytest.Item]) -> dict[str, Known]:
    """The claims of this run, those deselected too, and the shipped ones, by id."""
    found = {
        id: Known(claim.takes, ((None, claim.kind),), claim.margin, claim.bound)
        for id, claim in shipped_claims().items()
    }
    by_id: dict[str, list[pytest.Item]] = {}
    for item in claims:
        by_id.setdefault(_said(item)["id"], []).append(item)
    return found | {id: _known(items) for id, items in by_id.items()}


def _known(items: Sequence[pytest.Item]) -> Known:
    said = _said(items[0])
    benchmarks = dict.fromkeys(_parameters(item).get("benchmark") for item in items)
    return Known(
        frozenset(name for item in items for name in _fixtures(item)),
        tuple((benchmark, said["kind"]) for benchmark in benchmarks),
        said["margin"],
        said["bound"],
        any(item.get_closest_marker("scores") for item in items),
    )


def _parameters(item: pytest.Item) -> dict[str, Any]:
    return getattr(getattr(item, "callspec", None), "params", {})


# Every mark is one of ours, and one is enough


def _misused(claims: Sequence[pytest.Item]) -> Iterator[str]:
    ours = {id(known.mark) for known in marked}
    for item in claims:
        marks = list(item.iter_markers("claim"))
        if any(id(mark) not in ours for mark in marks):
            yield (
                f"{item.nodeid}: @pytest.mark.claim is not for direct use: write "
                '@claim("RLVR …", id="MY1") after `from rlvr_gate import claim`'
            )
        elif len(marks) > 1:
            yield f"{item.nodeid}: is {len(marks)} claims at once: write one test for each"
        names = _fixtures(item)
        if not {"pair", "request"} & set(names) or _of_unittest(item):
            yield f"{item.nodeid}: a claim is about the `pair`: take it as an argument"
        yield from (
            f"{item.nodeid}: there is no fixture {name!r}"
            for name in names
            if _unknown(name, item)
        )
        if item.get_closest_marker("xfail"):
            yield f"{item.nodeid}: a claim cannot be expected to fail: leave out xfail"


def _fixtures(item: pytest.Item) -> Sequence[str]:
    """Names of what a test is given, and of what that is given in turn."""
    return getattr(item, "fixturenames", ())


def _of_unittest(item: pytest.Item) -> bool:
    """Whether it is a method of a TestCase, which takes no arguments."""
    owner = getattr(item, "cls", None) or object
    return any(known.__module__ == "unittest.case" for known in owner.__mro__)


def _unknown(name: str, item: pytest.Item) -> bool:
    """Whether nobody makes this fixture: pytest says so only when the test's turn has come."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", None)
    return known is not None and name != "request" and name not in {*known, *_parameters(item)}


def _said(item: pytest.Item) -> dict[str, Any]:
    mark = item.get_closest_marker("claim")
    assert mark is not None  # these are claims
    return dict(mark.kwargs)


# An id means one claim


def _same_ids(claims: Sequence[pytest.Item]) -> Iterator[str]:
    tests: dict[str, str] = {}
    for item in claims:
        id, test = str(_said(item)["id"]), _test(item)
        if tests.setdefault(id, test) != test:
            yield f"two claims have the id {id!r}: {tests[id]} and {test}; give each its own"


def _test(item: pytest.Item) -> str:
    """Node id of the test function, without what it was parametrized with."""
    spec = getattr(item, "callspec", None)
    return item.nodeid if spec is None else item.nodeid.removesuffix(f"[{spec.id}]")


def _not_the_shipped(claims: Sequence[pytest.Item]) -> Iterator[str]:
    folder = shipped_folder().resolve()
    for item in claims:
        if folder in _file(item).parents:
            continue
        theirs = shipped_claims().get(str(_said(item)["id"]))
        if theirs and not any(w.tree == theirs.tree for w in claims_in(_file(item))):
            yield (
                f"{_test(item)}: the id {theirs.id!r} belongs to {theirs.function} in "
                f"{theirs.path}, and this test is another: choose another id"
            )


def _file(item: pytest.Item) -> Path:
    test: Callable[..., object] = item.function  # type: ignore[attr-defined]  # claims are functions
    return Path(inspect.unwrap(test).__code__.co_filename).resolve()


# Nothing that is a claim is passed over in silence


def _passed_over(
    claims: Sequence[pytest.Item], modules: Sequence[pytest.Module], config: pytest.Config
) -> Iterator[str]:
    carried = {id(mark) for item in claims for mark in item.iter_markers("claim")}
    collected = {id(vars(module.obj)): module for module in modules}
    files = {str(module.path) for module in modules}
    for left in unused.values():
        if left.path in files:
            yield f"{left.path}:{left.line}: the claim {left.id} decorates nothing: write @claim"
    plugins = [p for p in config.pluginmanager.get_plugins() if isinstance(p, ModuleType)]
    others = {id(vars(plugin)) for plugin in plugins} - collected.keys()
    for known in marked:
        where = id(inspect.unwrap(known.test).__globals__)
        if id(known.mark) in carried:
            continue
        if where in others:
            yield f"{_place(known)}: pytest collects no tests of a conftest.py or plugin: move it"
        elif where in collected and (why := _why_not(known, collected[where])):
            yield f"{_place(known)}: pytest does not collect this claim: {why}"


def _place(known: Marked) -> str:
    code, id = inspect.unwrap(known.test).__code__, known.mark.kwargs["id"]
    return f"{code.co_filename}:{code.co_firstlineno}: {known.test.__qualname__} ({id})"


def _why_not(known: Marked, module: pytest.Module) -> str:
    """Why pytest can never reach a function; empty where it was left out by choice."""
    name = known.test.__name__
    if getattr(module.obj, "__test__", True) is False:
        return "its file says __test__ = False"
    if "." in (qualified := known.test.__qualname__).replace(".<locals>.", "<>"):
        return _why_not_in_class(known, module)
    places = [n for n, value in vars(module.obj).items() if _carries(value, known)]
    if any(module.istestfunction(vars(module.obj)[n], n) for n in places):
        return ""
    if "<locals>" in qualified and not places:
        return "it is defined inside another function"
    if not places:
        return f"a later definition of {name} in the same file took its place"
    return f"no test is called {places[0]}: name it test_…"


def _why_not_in_class(known: Marked, module: pytest.Module) -> str:
    owner, _, name = known.test.__qualname__.rpartition(".")
    classes = [(n, value) for n, value in vars(module.obj).items() if inspect.isclass(value)]
    holders = [(n, c) for n, c in classes if _carries(getattr(c, name, None), known)]
    why = [_why_not_class(n, value, module) for n, value in holders]
    if not holders and "." not in owner:
        return f"a later definition of {owner} or {name} in the same file took its place"
    if holders and all(why):
        return why[0]
    return "" if module.funcnamefilter(name) else f"no test is called {name}: name it test_…"


def _why_not_class(name: str, found: type, module: pytest.Module) -> str:
    if not module.istestclass(found, name) or getattr(found, "__test__", True) is False:
        return f"the class {name} is no test class: call it Test…"
    own = [n for n in ("__init__", "__new__") if getattr(found, n) is not getattr(object, n)]
    return f"the class {name} has an {own[0]} of its own" if own else ""


def _carries(value: object, known: Marked) -> bool:
    marks = getattr(value, "pytestmark", None) if callable(value) else None
    return isinstance(marks, list) and any(mark is known.mark for mark in marks)


def _files_passed_over(
    claims: Sequence[pytest.Item], modules: Sequence[pytest.Module], config: pytest.Config
) -> Iterator[str]:
    known = {module.path.resolve() for module in modules} | {_file(item) for item in claims}
    for file in _asked_files(config):
        if file.resolve() in known or file.name == "conftest.py":
            continue
        written = claims_in(file)
        if written and not _ignored(file, config):
            yield _not_collected(written)


def _not_collected(written: Sequence[Written]) -> str:
    ids = ", ".join(claim.id for claim in written)
    path = written[0].path
    return (
        f"{path}: holds claims ({ids}), but pytest does not collect a file of this name: call it "
        f"test_{path.name}, name it alone on the command line, or --ignore it"
    )


def _asked_files(config: pytest.Config) -> Iterator[Path]:
    """The Python files of the folders on the command line, so far as pytest looks into them."""
    left = _MOST_FILES
    asked = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    for top in dict.fromkeys(path for path in asked if path.is_dir()):
        for folder, folders, files in os.walk(top):
            folders[:] = [f for f in sorted(folders) if not _ignored(Path(folder, f), config)]
            for name in sorted(f for f in files if f.endswith(".py")):
                left -= 1
                if left < 0:
                    return
                yield Path(folder, name)


def _ignored(path: Path, config: pytest.Config) -> bool:
    hook = config.hook.pytest_ignore_collect  # every conftest's word counts, wherever it lies
    return bool(hook(collection_path=path, config=config))
