"""The parts of the documentation that are printed from the code. `python -m tests.pages` writes them; tests/test_docs.py compares."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer
from typer.main import get_command

from agent.budget import CAUSE_WORDS, LEVELS, Cause
from agent.commands import app
from agent.permission import BLOCKER_WORDS
from agent.status import TROUBLE_WORDS, Status
from consent.register import as_markdown
from consent.standing import TRANSITIONS
from consent.vocabulary import WHY_WORDS, State
from custody.__main__ import app as custody
from receiver.__main__ import cli as receiver
from tests.consent_holds.mutants import MUTANTS
from tests.register import REGISTER

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROGRAMS: Mapping[str, typer.Typer] = {"volens": app, "volens-receiver": receiver, "volens-custody": custody}


def collected() -> str:
    """docs/collected.md."""
    return as_markdown(REGISTER)


def status_schema() -> str:
    """docs/status.schema.json."""
    return json.dumps(msgspec.json.schema(Status), indent=2) + "\n"


def reasons() -> str:
    """Every word for a no, and what it means."""
    groups: tuple[tuple[str, Mapping[Any, str]], ...] = (
        ("refused, `Why`", WHY_WORDS),
        ("nothing collected, `Blocker`", BLOCKER_WORDS),
        ("further, `Trouble`", TROUBLE_WORDS),
    )
    return "\n\n".join(_table((head, "meaning"), ((f"`{word}`", words) for word, words in rows.items())) for head, rows in groups)


def causes() -> str:
    """Every cause of a level of the budget."""
    return _table(("cause", "level", "meaning"), [(f"`{each}`", f"`{LEVELS[each]}`", CAUSE_WORDS[each]) for each in Cause])


def commands() -> str:
    """Every command there is, with its words and what it does."""
    rows = [(f"`{_usage(name, command)}`", _first(command.help)) for program in PROGRAMS for name, command in leaves(program)]
    return _table(("command", "what it does"), rows)


def standing() -> str:
    """The table of standings as a diagram."""
    edges: dict[tuple[State, State], list[str]] = {}
    for state, happenings in TRANSITIONS.items():
        for happening, target in happenings.items():
            edges.setdefault((state, target), []).append(happening.value)
    lines = [f"    {state} --> {target}: {', '.join(words)}" for (state, target), words in edges.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {State.UNASKED}", *lines, "```"])


def rules() -> str:
    """Every rule of consent, where it is, what the model calls its absence, and the tests that fail without it."""
    short, directed = "`tests/consent_holds/test_mutants.py`", "`tests/consent_holds/test_found.py`"
    rows = [
        (
            one.rule,
            ", ".join(f"`{where}`" for where in one.where),
            f"BUG_{one.flag}",
            short + (" (soak)" if one.soak else "") + (f", {directed}" if one.directed else ""),
        )
        for one in MUTANTS
    ]
    return _table(("rule", "where it is taken out", "flag of the model", "fails without it"), rows)


def decisions() -> str:
    """Every decision record."""
    titles = {path: path.read_text().splitlines()[0].removeprefix("# ") for path in sorted((DOCS / "adr").glob("*.md"))}
    return "\n".join(f"- [{title}](adr/{path.name})" for path, title in titles.items())


def leaves(program: str) -> Iterator[tuple[str, Any]]:
    """The commands of a program that do something, by their whole name."""
    yield from _leaves(program, get_command(PROGRAMS[program]))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for each, one in below.items():
        yield from _leaves(f"{name} {each}", one)


def _usage(name: str, command: Any) -> str:
    return " ".join([name, *(_word(param) for param in command.params if not getattr(param, "hidden", False))])


def _word(param: Any) -> str:
    value = param.metavar or param.name.upper()
    many = "..." if getattr(param, "multiple", False) else ""
    word = value if param.param_type_name == "argument" else param.opts[0] + ("" if param.is_flag else f" {value}")
    return f"{word}{many}" if param.required else f"[{word}]{many}"


def _first(words: str) -> str:
    return " ".join(words.split("\n\n", maxsplit=1)[0].split())


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines).replace("| --- | --- |", "|---|---|")


WHOLE: Mapping[str, Callable[[], str]] = {"collected.md": collected, "status.schema.json": status_schema}
"""Files that are printed whole."""
PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "design.md": {"causes": causes, "reasons": reasons, "commands": commands, "decisions": decisions},
    "consent-model.md": {"standing": standing, "rules": rules},
}
"""Parts of files, between `<!-- name: ... -->` and `<!-- end of name -->`."""


def as_it_should_be(name: str) -> str:
    """A page of docs/ with everything printed anew."""
    if name in WHOLE:
        return WHOLE[name]()
    page = (DOCS / name).read_text()
    for part, printed in PARTS[name].items():
        marks = re.compile(rf"(<!-- {part}: [^\n]*-->\n)(.*?)(<!-- end of {part} -->)", re.DOTALL)
        page, found = marks.subn(lambda match, printed=printed: f"{match[1]}\n{printed()}\n\n{match[3]}", page)  # type: ignore[misc]
        assert found == 1, f"docs/{name} has no place for {part}"
    return page


def write() -> None:
    """Write every printed page."""
    for name in (*WHOLE, *PARTS):
        (DOCS / name).write_text(as_it_should_be(name))


if __name__ == "__main__":
    write()
