"""Whether a log is as it was written, and which record is the first that is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from policy_engine.log.canonical import is_canonical
from policy_engine.log.checkpoint import BESIDE, Checkpoint, read_checkpoint
from policy_engine.log.diagnose import CUT, REWRITTEN, TORN, Fault, diagnose, seen
from policy_engine.log.files import lines, reading
from policy_engine.log.record import Line, read_line, shown
from policy_engine.log.state import State

Told = Callable[[int, int], None]
"""Told while a log is read: how many bytes have been, and how many there are."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A checkpoint, and whether the log begins with the records that it was made of; None where the
    log is not sound that far, or not that long."""

    name: str
    checkpoint: Checkpoint
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the log stands after the last record that follows from those before it, the first
    fault, and what came of each checkpoint."""

    state: State
    fault: Fault | None
    compared: tuple[Compared, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing speaks against the log."""
        return self.fault is None

    @property
    def size(self) -> int:
        """How many records from the first on nothing speaks against."""
        return self.fault.record - 1 if self.fault else self.state.size


def verify(
    path: str | Path,
    against: Mapping[str, Checkpoint] = MappingProxyType({}),
    told: Told = lambda done, whole: None,
) -> Verdict:
    """Whether a log is as it was written, by all that can be seen of it.

    `against` are checkpoints kept elsewhere, each by a name; one beside the log, in a file of its
    name with `.checkpoint` at its end, is compared too. Without a checkpoint, neither a log cut at
    its end nor one of which all hashes were made anew can be told. Raises PolicyError for a file
    that is no log, or none that can be read.
    """
    path = Path(path)
    beside = path.with_name(path.name + BESIDE)
    known = {**against, **({str(beside): read_checkpoint(beside)} if beside.is_file() else {})}
    with reading(path) as (file, extent):
        scan = _Scan(file, extent.whole, known, told)
        fault = scan.fault() or _cut(scan, len(extent.torn)) or _torn(scan, len(extent.torn))
    compared = (Compared(name, known[name], scan.agrees.get(name)) for name in known)
    return Verdict(scan.state, fault, tuple(compared))


@dataclass
class _Scan:
    """One reading of a log, up to the first line that does not follow from those before it."""

    file: int
    end: int
    known: Mapping[str, Checkpoint]
    told: Told
    state: State = field(default_factory=State)
    agreed: int = 0
    agrees: dict[str, bool] = field(default_factory=dict)

    def fault(self) -> Fault | None:
        """What is wrong with a whole line, or with the records up to a checkpoint."""
        at = 0
        fault = self._compare()
        for raw in lines(self.file, self.end):
            if fault is not None:
                return fault
            line = read_line(raw)
            if line is None or not follows(line, self.state):
                return self._diagnosed(at)
            self.state, at = self.state.after(line), at + len(raw)
            self.told(at, self.end)
            fault = self._compare()
        return fault

    def _diagnosed(self, at: int) -> Fault:
        number = self.state.size + 1
        rest = [seen(number + n, raw) for n, raw in enumerate(lines(self.file, self.end, at))]
        attested = {one.size: one.last for one in self.known.values() if one.last is not None}
        return diagnose(self.state, rest, attested)

    def _compare(self) -> Fault | None:
        """Compare the checkpoints of just this size."""
        state, root = self.state, shown(self.state.frontier.root)
        for name, one in self.known.items():
            if one.size == state.size:
                self.agrees[name] = one.root == root
                if not self.agrees[name]:
                    return _rewritten(self.agreed, name, one, state)
                self.agreed = state.size
        return None


def follows(line: Line, state: State) -> bool:
    """Whether a line is the next record, intact, and none of its times run backwards."""
    header = line.header
    ordered = state.moment is None or state.moment <= header.moment
    return line.intact and state.leads_to(header) and ordered and is_canonical(line.content)


def _rewritten(agreed: int, name: str, one: Checkpoint, state: State) -> Fault:
    which = f"record {state.size} is" if agreed + 1 >= state.size else "one of the records"
    among = "" if agreed + 1 >= state.size else f" {agreed + 1} to {state.size} is"
    said = f"{which}{among} not what it was for the checkpoint `{name}`: all hashes were made anew"
    other = "" if one.first == state.first else ", or it is the checkpoint of another log"
    return Fault(agreed + 1, REWRITTEN, said + other)


def _cut(scan: _Scan, torn: int) -> Fault | None:
    """What a checkpoint has and the log has not."""
    size = scan.state.size
    longer = {name: one.size for name, one in scan.known.items() if one.size > size}
    if not longer:
        return None
    name = max(longer, key=lambda one: longer[one])
    many = longer[name] > size + 1
    which = f"records {size + 1} to {longer[name]} are" if many else f"record {size + 1} is"
    rest = f"; {torn:,} bytes of a torn line stand there" if torn else ""
    said = f"{which} missing at the end: the checkpoint `{name}` has {longer[name]:,}{rest}"
    return Fault(size + 1, CUT, said)


def _torn(scan: _Scan, torn: int) -> Fault | None:
    """What stands after the last line end."""
    if not torn:
        return None
    said = (
        f"the last {torn:,} bytes are no whole line, as a crash leaves them:"
        " the next `log append` sets them aside"
    )
    return Fault(scan.state.size + 1, TORN, said)
