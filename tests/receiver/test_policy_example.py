"""The policy to start from: 200 surfaces of work, whose programs are where Debian puts them, and that nobody can publish as it is."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.packages import Packages
from collectors.processes import Processes
from consent.policy import STRUCTURE_KINDS, STRUCTURE_ONLY_CATEGORIES, Policy, PolicyError, parse
from consent.programs import runs_anything
from receiver.errors import ReceiverError
from receiver.policy_reading import check_filled_in, check_notice, check_retention
from tests.policies import PUBLIC_KEY
from tests.receiver import debian_files
from tests.receiver.debian_files import AGAIN, DEBS, EXAMPLE, is_program, recorded, wanted
from tests.receiver.stand import run


def filled() -> bytes:
    """The example as somebody completes it."""
    written = json.loads(EXAMPLE.read_text("utf-8"))
    written |= {"controller": "Example Ltd", "receiver": "https://volens.example"}
    written["purposes"][0] |= {"title": "Train", "readers": "2 of 3", "public_key": base64.b64encode(PUBLIC_KEY).decode()}
    return json.dumps(written).encode()


POLICY: Policy = parse(filled())


def test_it_has_200_surfaces_and_marks_what_is_somebody_s_life() -> None:
    """Programs and sites; each category of life is there, and none of those has a key. All of it is allowed, and can be shown."""
    assert len(POLICY.surfaces) == 200
    assert {each.category for each in POLICY.surfaces.values()} >= STRUCTURE_ONLY_CATEGORIES
    assert all(each.kinds <= STRUCTURE_KINDS for each in POLICY.surfaces.values() if each.structure_only)
    assert sum(bool(each.hosts) for each in POLICY.surfaces.values()) > 80
    assert all(each.packages for each in POLICY.surfaces.values())
    check_retention(POLICY)
    check_notice(POLICY)


@pytest.mark.parametrize(
    "name", ["keepassxc", "thunderbird", "telegram-desktop", "homebank", "gnome-terminal", "site-chatgpt", "site-gmail"]
)
def test_what_everybody_knows_to_be_private_is_marked(name: str) -> None:
    """Somebody who edits the example does not have to think of these."""
    assert POLICY.surfaces[name].structure_only  # type: ignore[index]


def test_nobody_can_publish_it_as_it_is(tmp_path: Path) -> None:
    """Neither the judge of the agents nor `propose` takes it before every line is filled in; the key is in no case a key."""
    raw = EXAMPLE.read_bytes()
    with pytest.raises(PolicyError):
        parse(raw)
    with pytest.raises(ReceiverError, match="5 lines still say REPLACE"):
        check_filled_in(EXAMPLE, raw)
    check_filled_in(EXAMPLE, filled())
    assert run("init", tmp_path / "rx").returncode == 0
    refused = run("policy", "propose", tmp_path / "rx", EXAMPLE)
    assert refused.returncode == 1
    assert "still say REPLACE" in refused.stderr
    printed = run("policy", "example")
    assert (printed.returncode, printed.stdout) == (0, raw.decode())


def test_every_program_of_it_stands_in_the_record_of_the_archive() -> None:
    """Each path and package; two thirds of the files were looked into. No program is one that runs anything."""
    assert {(package, path) for package, paths in wanted().items() for path in paths} == set(recorded())
    assert len(recorded("elf")) >= 60
    assert not any(runs_anything(path) for _, path in recorded())


def test_what_is_installed_here_lies_where_it_says_and_is_known_by_its_package() -> None:
    """By `dpkg -L`, by the file itself, and by what the observer asks."""
    if shutil.which("dpkg") is None:
        pytest.skip("this is not Debian")
    here = [(package, path) for package, path in recorded() if Path(path).exists() and Packages().brought(path, [package]) is not None]
    assert {path for _, path in here} >= {"/usr/bin/mousepad", "/usr/bin/xterm"}, "./dev installs these"
    for package, path in here:
        said = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=True).stdout
        assert path in said.splitlines()
        assert os.path.realpath(path) == path
        assert Processes().brought(path, [package])
        assert not Processes().brought(path, ["coreutils"])


@pytest.mark.skipif(not DEBS.is_dir(), reason="needs 10 MB of Debian packages, which ./dev test-all fetches")
def test_the_archive_still_has_them_there() -> None:
    """32 packages as they are in the archive today: a program at the path, root's, no link and no script."""
    debs = {path.name.split("_")[0]: path for path in DEBS.glob("*.deb")}
    found = [(package, path) for package, path in debian_files.recorded("elf") if package in debs]
    assert len(found) >= min(30, AGAIN)
    assert [each for each in found if not is_program(debs[each[0]], each[1])] == []
