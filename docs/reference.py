"""Writes docs/reference.md from the code: `python docs/reference.py [FILE]`.

Options, claims, quantities and the rest are read where they are defined, so a page that differs
from this output is out of date; a test says so.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference.md"

HEAD = """# Reference

Written by `python docs/reference.py` from the code; do not edit. How to use these things is told
in the pages by task: [where to read on](../README.md#where-to-read-on)."""

Row = Sequence[str]


def page() -> str:
    """The whole page."""
    sections = (
        options, exit_statuses, claims, policies, fixtures, markers, quantities, exhibits,
        benchmarks, verifiers, recorded, backends, hooks,
    )  # fmt: skip
    return "\n\n".join([HEAD, *("\n".join(section()) for section in sections)]) + "\n"


def options() -> Iterator[str]:
    """Every option of the group `rlvr-gate`, with what `pytest --help` says."""
    yield from ("## Options", "")
    yield from table(("option", "meaning"), (option(*each) for each in _Options.of_all()))
    yield from ("", "Give paths with `=`: pytest takes a separate path argument for a place to "
                "look for its configuration.")  # fmt: skip


def option(name: str, settings: dict[str, Any]) -> Row:
    """One row; a default is told by the help text."""
    metavar = f" {settings['metavar']}" if "metavar" in settings else ""
    return code(name + metavar), settings["help"]


class _Options:
    """Stands in for pytest's parser and its group, and remembers what is added."""

    def __init__(self) -> None:
        self.found: list[tuple[str, dict[str, Any]]] = []

    @classmethod
    def of_all(cls) -> list[tuple[str, dict[str, Any]]]:
        """In the order of the rooms' plugins."""
        parser = cls()
        for room in plugins():
            getattr(room, "pytest_addoption", lambda parser: None)(parser)
        return parser.found

    def getgroup(self, name: str, description: str = "") -> _Options:
        return self

    def addoption(self, name: str, **settings: Any) -> None:
        self.found.append((name, settings))


def exit_statuses() -> Iterator[str]:
    """The gate's own; README tells the story."""
    from rlvr_gate.gate.decide import EXIT_STATUS, FAILED

    yield from ("## Exit statuses", "")
    states: dict[int, list[str]] = {}
    for state, status in EXIT_STATUS.items():
        states.setdefault(status, []).append(str(state))
    states[FAILED] = ["the gate itself failed"]
    yield from table(("status", "gate"), ((str(s), ", ".join(each)) for s, each in states.items()))


def claims() -> Iterator[str]:
    """What the suites claim, a table for each file."""
    yield from ("## Claims", "", "The kind is that of the default policy.")
    head = ("id", "kind", "claim", "needs", "margin or bound", "source")
    for file in sorted((ROOT / "suites").glob("*/test_*.py")):
        module = import_module(f"suites.{file.parent.name}.{file.stem}")
        yield from ("", f"**suites/{file.parent.name}/{file.name}**: {summary(module)}", "")
        yield from table(head, (claim(test) for test in tests(module)))


def tests(module: ModuleType) -> list[FunctionType]:
    """Its claims, in the order of the file."""
    return [each for name, each in vars(module).items() if name.startswith("test_")]


def claim(test: FunctionType) -> Row:
    """One row."""
    marks = {mark.name: mark for mark in test.__dict__["pytestmark"]}
    said = marks["claim"].kwargs
    roles = marks["roles"].args if "roles" in marks else ()
    needs = ", ".join(code(f"--checkpoint {role}=…") for role in roles)
    number = next((f"{name} {said[name]:g}" for name in ("margin", "bound") if said[name]), "")
    return said["id"], kind(said), said["text"], needs, number, said["source"]


def kind(said: dict[str, Any]) -> str:
    """Under the default policy, and which other policies see it otherwise."""
    from rlvr_gate.gate.policy import load_policy

    ours = load_policy("default").kind(said["id"], None, said["kind"])
    others = {name: load_policy(name).kind(said["id"], None, said["kind"]) for name in shipped()}
    return "; ".join([str(ours), *(f"{k} under `{n}`" for n, k in others.items() if k != ours)])


def policies() -> Iterator[str]:
    """What ships, and what each requires."""
    from rlvr_gate.gate.policy import load_policy

    yield from ("## Policies", "", "For `--gate-policy`.", "")
    rows = [
        (code(name), ", ".join(load_policy(name).required_claims), f"{load_policy(name).level:g}")
        for name in shipped()
    ]
    yield from table(("policy", "claims that must be judged and hold", "level"), rows)


def shipped() -> list[str]:
    """Names of the policies."""
    from rlvr_gate.gate.policy import shipped as names

    return names()


def fixtures() -> Iterator[str]:
    """What a claim's test may ask for."""
    yield from ("## Fixtures", "")
    found = {name: summary(each) for room in plugins() for name, each in own_fixtures(room)}
    found["benchmark"] = "A benchmark's name; the claim is judged once for each."
    found["k"] = "A budget of pass@k; the claim is judged once for each of `--k`, or of `at_k`."
    yield from table(("fixture", "is"), ((code(name), found[name]) for name in sorted(found)))


def own_fixtures(room: ModuleType) -> Iterator[tuple[str, Any]]:
    """The fixtures that a plugin defines."""
    import pytest

    definition = type(pytest.fixture(lambda: None))
    return ((name, found) for name, found in vars(room).items() if isinstance(found, definition))


def markers() -> Iterator[str]:
    """As `pytest --markers` shows them."""
    from rlvr_gate import plugin

    yield from ("## Markers", "")
    said = (line.split(": ", 1) for line in plugin._MARKERS)
    yield from table(("marker", "meaning"), ((code(name), text) for name, text in said))


def quantities() -> Iterator[str]:
    """Public methods of what a claim is handed."""
    from rlvr_gate.claims import numbers
    from rlvr_gate.claims.solved import SolvedSets
    from rlvr_gate.claims.updates import UpdateView
    from rlvr_gate.claims.views import CheckpointView, PairView
    from rlvr_gate.judging.arithmetic import Measured
    from rlvr_gate.judging.quantities import Quantity

    yield from ("## Quantities", "", "What a claim compares: with `<`, `<=`, `>`, `>=`, after "
                "`+` and `-` where there are several.")  # fmt: skip
    for title, view in (
        ("`pair`", PairView),
        ("`pair.base`, `pair.rlvr`, `pair.role(name)`", CheckpointView),
        ("`pair.solved(benchmark)`", SolvedSets),
        ("`pair.rlvr.update_since(pair.base)`", UpdateView),
    ):
        yield from ("", f"**{title}**: {summary(view)}", "")
        yield from table(("", "returns", "is"), methods(view))
    yield from ("", f"**`numbers`**, from `rlvr_gate`: {summary(numbers)}", "")
    yield from table(("", "returns", "is"), map(numeral, _listed(numbers)))
    yield from ("", f"**every number**: {summary(Measured)}", "")
    yield from table(("", "returns", "is"), methods(Measured))
    yield from ("", f"**every `Quantity`**: {summary(Quantity)}", "")
    again = (row for row in methods(Quantity) if row[1] == code("Quantity"))
    yield from table(("", "returns", "is"), again)


def _listed(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What it lists as public and can be called by its name in small letters."""
    return ((name, getattr(module, name)) for name in module.__all__ if name.islower())


def numeral(named: tuple[str, Any]) -> Row:
    """A function over a pair or a checkpoint, or a number of each problem."""
    name, found = named
    if isinstance(found, FunctionType):
        signature = inspect.signature(found)
        bare = plain(signature.replace(return_annotation=signature.empty))
        return code(name + bare), code(str(signature.return_annotation)), summary(found)
    parameters = list(inspect.signature(found.each).parameters)[2:]
    taken = ", ".join(("view", "benchmark", *(f"{each}=…" for each in parameters)))
    return code(f"{name}({taken})"), code("Quantity"), summary(found.each)


def exhibits() -> Iterator[str]:
    """What `beside` takes."""
    from rlvr_gate.records import exhibits

    yield from ("## Exhibits", "", "What a suite may put beside a verdict: "
                "`quantity.beside(Table(…), Curves(…))`, each from `rlvr_gate`.", "")  # fmt: skip
    kinds = (exhibits.Table, exhibits.Curves, exhibits.Heat, exhibits.Facts)
    shown = ((k, ", ".join(inspect.signature(k).parameters)) for k in kinds)
    rows = ((code(f"{kind.__name__}({fields})"), summary(kind)) for kind, fields in shown)
    yield from table(("exhibit", "is"), rows)


def methods(view: type) -> Iterator[Row]:
    """Methods and properties that the class itself documents, without the records behind them."""
    for name, found in vars(view).items():
        called = found.fget if isinstance(found, property) else found
        if name.startswith("_") or not isinstance(called, FunctionType) or not called.__doc__:
            continue
        signature = inspect.signature(called)
        arguments = signature.replace(
            parameters=[each for each in signature.parameters.values() if each.name != "self"],
            return_annotation=signature.empty,
        )
        shown = name if isinstance(found, property) else f"{name}{plain(arguments)}"
        yield code(shown), code(str(signature.return_annotation)), summary(called)


def plain(signature: inspect.Signature) -> str:
    """Names and defaults, without types."""
    bare = [
        each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()
    ]
    return str(signature.replace(parameters=bare))


def benchmarks() -> Iterator[str]:
    """What ships, the templates, and what a file or a field map may say."""
    from rlvr_gate_fixtures.inputs.benchmarks import gym, jsonl, spec
    from rlvr_gate_fixtures.inputs.benchmarks.shipped import MEMBERS
    from rlvr_gate_fixtures.inputs.benchmarks.templates import TEMPLATES

    yield from (
        "## Benchmarks",
        "",
        "Generated: " + ", ".join(map(code, gym.BENCHMARKS)) + ".",
        "",
    )
    head = ("benchmark", "what", "template", "verifier", "licence", "options")
    yield from table(head, map(member, MEMBERS.values()))
    yield ""
    shown = ((t.name, t.text.replace("\n", "\\n"), t.source) for t in TEMPLATES.values())
    texts = ((code(name), f"`` {text} ``", source) for name, text, source in shown)
    yield from table(("template", "text", "as asked by"), texts)
    yield ""
    keys = (", ".join(map(code, names)) for names in (jsonl.REQUIRED, jsonl.OPTIONAL))
    yield "Keys of a JSONL file: {}; optional {}.".format(*keys)
    yield f"Keys of a field map: {', '.join(map(code, spec.FIELDS))}."


def member(member: Any) -> Row:
    """One row of a benchmark of the literature."""
    options = ", ".join(code(f"{key}={value}") for key, value in member.options.items())
    return (
        code(member.name), member.about, code(member.template), code(member.verifier),
        member.licence, options,
    )  # fmt: skip


def verifiers() -> Iterator[str]:
    """The table a benchmark's `verifier` names."""
    from rlvr_gate_fixtures.verifiers import VERIFIERS

    yield from ("## Verifiers", "")
    rows = [(code(v.name), v.version, summary(v.check)) for v in VERIFIERS.values()]
    yield from table(("verifier", "version", "a completion is correct when"), rows)


def recorded() -> Iterator[str]:
    """In the order in which they are tried."""
    from rlvr_gate_fixtures.recorded.formats import FORMATS

    yield from ("## Recorded formats", "")
    rows = [(form.name, summary(sys.modules[form.read.__module__])) for form in FORMATS]
    yield from table(("format", "is"), rows)


def backends() -> Iterator[str]:
    """Each with the options its class takes."""
    from rlvr_gate_fixtures.backends import BACKENDS
    from rlvr_gate_fixtures.backends.children.limits import LoadLimits

    yield from ("## Backends", "", "Values of `--backend`, each with its `--backend-option`s.")
    for name, where in BACKENDS.items():
        yield from settings(code(name), named(where))
    yield from settings("limits", LoadLimits)


def named(where: str) -> Any:
    """The object at `module:name`."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def settings(title: str, taker: type) -> Iterator[str]:
    """A table of its arguments: defaults from the signature, words from the docstring."""
    yield from ("", f"**{title}**: {summary(taker)}", "")
    said = dict(arguments(taker))
    rows = [(setting(each), said.get(each.name, "")) for each in parameters(taker)]
    yield from table(("option", "is"), rows)


def parameters(taker: type) -> Iterable[inspect.Parameter]:
    """What its constructor takes."""
    return inspect.signature(taker).parameters.values()


def setting(parameter: inspect.Parameter) -> str:
    """`dtype=float32`; what stands for several options is no code."""
    if parameter.kind is parameter.VAR_KEYWORD:
        return f"further {parameter.name}"
    default = parameter.default
    return code(f"{parameter.name}={'…' if default in (parameter.empty, '', None) else default}")


def arguments(documented: object) -> Iterator[tuple[str, str]]:
    """Names and words of a docstring's section `Args`."""
    _, _, section = (inspect.getdoc(documented) or "").partition("Args:\n")
    for found in re.finditer(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE):
        yield found[1], " ".join(found[2].split())


def hooks() -> Iterator[str]:
    """What a conftest may implement."""
    from rlvr_gate import hookspecs

    yield from ("## Hooks", "")
    found = [(name, hook) for name, hook in vars(hookspecs).items() if name.startswith("pytest_")]
    rows = [
        (code(f"{name}{plain(inspect.signature(hook)).split(' ->')[0]}"), summary(hook))
        for name, hook in found
    ]
    yield from table(("hook", "for"), rows)


def plugins() -> tuple[ModuleType, ...]:
    """The rooms' pytest plugins, the core first."""
    from rlvr_gate import plugin

    return plugin, *map(import_module, plugin.pytest_plugins)


def summary(documented: object) -> str:
    """The first sentence or so of a docstring: its first paragraph, on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def code(text: str) -> str:
    """In backticks; a bar would end the table's cell."""
    return f"`{text}`"


def table(head: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A Markdown table."""
    yield line(head)
    yield line(["---"] * len(head))
    yield from map(line, rows)


def line(cells: Row) -> str:
    """One line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), *(str(ROOT / room) for room in ("plugins", "fixtures", "reports"))]
    Path(sys.argv[1] if sys.argv[1:] else PAGE).write_text(page(), "utf-8")
