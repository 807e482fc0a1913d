"""The documentation says what the code does: what can be printed from it is, and the rest is looked up in it."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agent.budget import CAUSE_WORDS, LEVEL_WORDS, Cause, Level
from agent.permission import BLOCKER_WORDS, WORDS
from agent.settings import _KEYS as AGENT_SETTINGS
from agent.status import TROUBLE_WORDS, Trouble
from consent.event import PAYLOADS
from consent.standing import TRANSITIONS
from consent.vocabulary import WHY_WORDS, Blocker, Kind, State, Why
from custody.step import Action
from receiver import exemptions, fleet, ingest, opening, published, purposes, rights, showing
from receiver.settings import Settings as ReceiverSettings
from tests import pages
from tests.commands import Place, run
from tests.pages import DOCS, ROOT
from tests.register import REGISTER

README = ROOT / "README.md"
PAGES = sorted([README, ROOT / "CHANGELOG.md", ROOT / "bench" / "README.md", *DOCS.rglob("*.md")])
NEVER_SAID = re.compile(r"\b(users?|tracking|helpers?|utils|spyware|opt-in flag)\b", re.IGNORECASE)


def links(page: Path) -> list[str]:
    """The files that a page links to, without anchors."""
    found: list[str] = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    return [link for link in found if "://" not in link]


def words_of(page: Path) -> str:
    """A page's text in one line, for looking up sentences and names."""
    return " ".join(page.read_text().split())


@pytest.mark.parametrize("name", [*pages.WHOLE, *pages.PARTS])
def test_what_is_printed_from_the_code_is_as_the_code_prints_it(name: str) -> None:
    """Register, schema of status, reasons, commands, standings, decisions. To mend: python -m tests.pages."""
    assert (DOCS / name).read_text() == pages.as_it_should_be(name), "run: python -m tests.pages"


@pytest.mark.parametrize(
    ("words", "meanings"),
    [(Why, WHY_WORDS), (Blocker, BLOCKER_WORDS), (Trouble, TROUBLE_WORDS), (State, WORDS), (Cause, CAUSE_WORDS), (Level, LEVEL_WORDS)],
    ids=str,
)
def test_every_word_for_a_no_has_a_meaning_for_people(words: Any, meanings: dict[str, str]) -> None:
    """A closed word without its sentence would be shown to somebody as nothing."""
    assert set(meanings) == set(words)
    assert all(meanings.values())


def test_every_standing_is_in_the_table_and_can_be_left_by_a_no() -> None:
    """The diagram is drawn from it; from everywhere a withdrawal leads out."""
    assert set(TRANSITIONS) == set(State)
    assert all(happenings["withdrawn"] is State.WITHDRAWN for happenings in TRANSITIONS.values())  # type: ignore[index]


def test_the_register_and_the_payloads_are_the_same_kinds() -> None:
    """No entry, no kind; no kind without a payload of its own."""
    assert set(REGISTER) == set(Kind) == {payload.kind for payload in PAYLOADS}
    assert len(PAYLOADS) == len(Kind)


def test_every_action_of_a_step_is_described() -> None:
    """The table of docs/steps.md has each action once, and no other."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (DOCS / "steps.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    fields = {"trajectory", "index", "time", "duration_ms", "surface", "window", "generation", "action", "args", "loss_mask", "n", "schema"}
    assert named - fields == {action.value for action in Action}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """A file that is linked exists."""
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_every_page_can_be_found_from_the_readme() -> None:
    """Following links from README.md, every page of docs/ is reached."""
    reached, waiting = set[Path](), [README]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.is_file():
            reached.add(page)
            waiting += [(page.parent / link).resolve() for link in links(page)]
    assert {str(page.relative_to(ROOT)) for page in DOCS.rglob("*.md")} <= {str(page.relative_to(ROOT)) for page in reached}


def test_the_readme_begins_with_something_to_run() -> None:
    """A newcomer has a command by line 20."""
    lines = README.read_text().splitlines()
    assert lines.index("./dev run     # sets everything up, then: on a desktop a local trial, elsewhere the demo") < 20


def test_decisions_are_numbered_without_a_hole() -> None:
    """0001, 0002, ...; and each page's title has its own number."""
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert all(path.read_text().startswith(f"# {int(path.name[:4])}. ") for path in records)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """Modules that are named as the place of a rule, and tests that are cited as proof, by file and by name."""
    named = re.findall(
        r"`((?:tests|agent|consent|collectors|transport|receiver|custody|docs|bench)/[\w./*-]+)((?:::\w+)?)`", page.read_text()
    )
    assert [name for name, _ in named if not list(ROOT.glob(name.rstrip("/")))] == []
    assert [test for name, test in named if test and f"def {test[2:]}(" not in (ROOT / name).read_text()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    """A command that comes later is not listed, rather than listed and dead."""
    there = {name for program in pages.PROGRAMS for name, _ in pages.leaves(program)}
    groups = {" ".join(name.split()[:count]) for name in there for count in (1, 2)}
    named = re.findall(r"`(volens(?:-receiver|-custody)?(?: [a-z]+)*)", page.read_text())
    named += re.findall(r"^(volens(?:-receiver|-custody)?(?: [a-z]+)*)", page.read_text(), re.MULTILINE)
    assert {name for name in named if not _is_command(name.strip(), there | groups)} == set()


def _is_command(name: str, there: set[str]) -> bool:
    words = name.split()
    return any(" ".join(words[:count]) in there for count in ((2, 3) if len(words) > 1 else (1,)))


def test_every_setting_is_described() -> None:
    """A key of agent.toml or receiver.toml that is not in the docs fails; so does a wrong default."""
    assert all(f"`{key}`" in (DOCS / "design.md").read_text() for key in AGENT_SETTINGS)
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (DOCS / "receiver.md").read_text(), re.MULTILINE)
    defaults = {name: json.dumps(field.default) for name, field in ReceiverSettings.model_fields.items()}
    assert {name: default for name, default in rows if name in defaults or default.isdigit()} == defaults


def test_every_route_is_described() -> None:
    """The receiver's routes are those of docs/receiver.md, method and path."""
    routes = [*ingest.ROUTES, *rights.ROUTES, *showing.ROUTES, *fleet.ROUTES, *opening.ROUTES, *published.ROUTES, *purposes.ROUTES]
    routes += exemptions.ROUTES
    told = (DOCS / "receiver.md").read_text()
    for route in routes:
        path = re.sub(r"\{\w+\}", "{}", route.path.replace("{path:path}", ""))  # what is below is the repository's
        for method in (route.methods or set()) - {"HEAD"}:
            assert any(_told(line, method, path) for line in told.splitlines()), (method, route.path)


def _told(line: str, method: str, path: str) -> bool:
    plain = re.sub(r"\{\w+\}", "{}", line)
    return line.startswith("| `") and method in plain.split("|")[1] and f"{path}" in plain.split("|")[1]


@pytest.mark.parametrize("page", [*PAGES, DOCS / "status.schema.json"], ids=lambda page: str(page.relative_to(ROOT)))
def test_the_words_are_those_of_the_design(page: Path) -> None:
    """One word, one meaning: the words that we do not use are not there."""
    assert NEVER_SAID.findall(page.read_text()) == []


def test_status_is_what_its_schema_says(tmp_path: Path) -> None:
    """The real command in a fresh home without a daemon: one object that the published schema accepts, exit code 7."""
    schema = json.loads((DOCS / "status.schema.json").read_text())
    done = run(Place(tmp_path), ["volens", "status", "--json"])
    assert (done.code, done.err) == (7, "")
    jsonschema.Draft202012Validator(schema).validate(json.loads(done.out))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(json.loads(done.out) | {"hidden": True})
