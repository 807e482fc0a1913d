"""Which surface a process is of, by the file that it runs. Pure; default deny: absence and doubt mean that it is of none."""

from collections.abc import Iterable
from typing import Protocol

from collectors.identity import FileFacts, Identity, Running, is_listed, is_systems_folder
from collectors.pipe import SurfaceRule
from consent.programs import runs_anything

BY_PATH_ALONE = "programs are known by their path alone: this system has no dpkg"


class System(Protocol):
    """What is asked of the machine (`collectors.processes`). None: there is no such thing, or it may not be looked at."""

    def resolved(self, path: str) -> str: ...

    def process(self, pid: int) -> Running | None: ...

    def file(self, path: str) -> FileFacts | None: ...

    def knows_packages(self) -> bool: ...

    def brought(self, path: str, names: Iterable[str]) -> bool | None: ...


class Programs:
    """The programs of these surfaces. Sites are left out: nothing here can read a host yet, so they are never recognised."""

    def __init__(self, rules: Iterable[SurfaceRule], system: System) -> None:
        self._system = system
        self._rules: dict[str, SurfaceRule | None] = {}
        self._brought: dict[tuple[str, FileFacts], bool] = {}
        for rule in rules:
            for path in {system.resolved(path) for path in rule.executables}:
                doubtful = path in self._rules or rule.hosts or runs_anything(path)  # of two surfaces, or only a part of it is of one
                self._rules[path] = None if doubtful else rule

    @property
    def doubt(self) -> str:
        """What is not known of the programs' identity, for people; empty if the system can say all that was asked."""
        asked = any(rule is not None and rule.packages for rule in self._rules.values())
        return BY_PATH_ALONE if asked and not self._system.knows_packages() else ""

    def of(self, pid: int) -> Identity | None:
        """The surface of this process, if it is surely of one."""
        process = self._system.process(pid) if pid > 0 else None
        rule = self._rules.get(process.path) if process is not None else None
        if process is None or rule is None or not process.ours:
            return None
        listed = self._system.file(process.path)
        if listed is None or not is_listed(process.file, listed) or not self._leads_nowhere_else(process.path):
            return None
        found = Identity(rule, process)
        return found if self._is_of_its_package(rule, process) and self.still(found) else None

    def still(self, known: Identity) -> bool:
        """Whether it is still that process, and it still runs that file: it may have ended, or have become another program."""
        return self._system.process(known.process.pid) == known.process

    def _leads_nowhere_else(self, path: str) -> bool:
        parts = path.split("/")
        folders = [self._system.file("/".join(parts[:depth]) or "/") for depth in range(1, len(parts))]
        return all(folder is not None and is_systems_folder(folder) for folder in folders)

    def _is_of_its_package(self, rule: SurfaceRule, process: Running) -> bool:
        """Looked up once for each file; dpkg's records change when the file does."""
        if not rule.packages:
            return True
        key = (process.path, process.file)
        if key not in self._brought:
            self._brought[key] = self._system.brought(process.path, rule.packages) is not False
        return self._brought[key]
