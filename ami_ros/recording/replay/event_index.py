# SPDX-License-Identifier: Apache-2.0
"""Finds moments in a recording: by time, by stops, by how long they took, by surprise."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import NamedTuple

from ami_ros.core.errors import AmiError
from ami_ros.recording import message_reader
from ami_ros.recording.replay.trace_reader import BROKEN, refuse_damage, TRACE_RECORDS

NO_FAULT = ('guard', 'motion_enable', 'shutdown')       # stops that nobody has to wonder about
JUDGE, THOUGHT, STATE = '"call":"judge"', '"!":"Thought"', '"call":"state_begins"'


class Judged(NamedTuple):
    """One answer of the critic."""

    log_ns: int
    at_ns: int          # stamp of the command
    steady_ns: int      # when it was asked
    took_ns: int
    node: str
    number: int         # of its line
    frame_ns: int
    run: str
    source: str
    action: str
    rule: str
    reason: str
    v: float
    w: float


class PlanRecord(NamedTuple):
    """One thought, or a stage of it."""

    log_ns: int
    node: str
    number: int
    frame_ns: int
    run: str
    came_steady_ns: int
    begun_steady_ns: int
    ends: tuple             # (stage, steady time) in order
    surprise: float | None
    place: tuple | None     # x m, y m, yaw rad in the learned map
    plan: bool


@dataclass
class Index:
    """All moments of a recording, in order."""

    judged: list[Judged] = field(default_factory=list)
    thoughts: dict[tuple[str, int], list[PlanRecord]] = field(default_factory=dict)  # run, frame
    states: list[tuple[int, str]] = field(default_factory=list)     # log times at which one began

    @property
    def begin_ns(self) -> int:
        """Return the stamp that times count from; 0 where there is nothing."""
        return self.judged[0].at_ns if self.judged else 0

    def seconds(self, one: Judged) -> float:
        """Return when that was, s since the beginning."""
        return (one.at_ns - self.begin_ns) / 1e9

    def at(self, seconds: float) -> Judged:
        """Return what held at a time; ValueError where that is before or after it all."""
        end_s = self.seconds(self.judged[-1])
        if not 0.0 <= seconds <= end_s + 1.0:
            raise AmiError(f'the recording goes from 0 to {end_s:.3f} s; {seconds:g} s is '
                           'outside')
        stamps = [one.at_ns for one in self.judged]
        return self.judged[max(0, bisect_right(stamps, self.begin_ns + round(seconds * 1e9)) - 1)]

    def stops(self) -> list[Judged]:
        """Return where a rule stopped what moved or wanted to, the first answer of each stop."""
        out, was = [], None
        for one in self.judged:
            stops = one.action == 'stop' and one.rule not in NO_FAULT
            if stops and (was is None or was.action != 'stop' or was.rule != one.rule):
                out.append(one)
            was = one
        return out

    def firsts(self) -> dict[tuple[str, int], Judged]:
        """Return the first answer to each frame."""
        out: dict[tuple[str, int], Judged] = {}
        for one in self.judged:
            if one.frame_ns and one.source == 'mind':
                out.setdefault((one.run, one.frame_ns), one)
        return out

    def slowest(self) -> list[tuple[float, Judged]]:
        """Return (ms, answer) of each frame, the slowest first: from its coming to its answer."""
        out = [(took, one) for key, one in self.firsts().items()
               if (took := self.took_ms(key, one)) is not None]
        return sorted(out, key=lambda pair: -pair[0])

    def took_ms(self, key: tuple[str, int], one: Judged) -> float | None:
        """Return how long a frame took; in lock-step, whose clock stands, without the critic."""
        parts = self.thoughts.get(key)
        if not parts:
            return None
        came = min(part.came_steady_ns for part in parts)
        thought = max(end for part in parts for _, end in part.ends or (('', came),))
        judged = one.steady_ns + one.took_ns
        return (max(judged, thought) - came) / 1e6 if judged > came else (thought - came
                                                                         + one.took_ns) / 1e6

    def surprises(self) -> list[tuple[float, Judged]]:
        """Return (surprise, answer) of each frame, the worst first."""
        out = []
        for key, one in self.firsts().items():
            said = [part.surprise for part in self.thoughts.get(key, ())
                    if part.surprise is not None]
            if said:
                out.append((said[0], one))
        return sorted(out, key=lambda pair: -pair[0])


def raw_lines(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield (node, line) of a message of `trace/records`, not read any further."""
    head, *lines = message_reader.text_of(data).split('\n')
    node = json.loads(head)['node']
    yield from ((node, line) for line in lines)


def index(bag: Path) -> Index:
    """Read what moments are found by; ValueError where there is nothing to be found."""
    out = Index()
    damage: list = []
    for heard in message_reader.messages(bag, (TRACE_RECORDS,), damage=damage):
        try:
            for node, line in raw_lines(heard.data):
                add(out, heard.log_ns, node, line)
        except BROKEN as why:
            damage.append(f'a message on {heard.topic} is damaged ({why})')
    if not out.judged:
        refuse_damage(bag, TRACE_RECORDS, damage)
        raise AmiError(f'{bag} holds no verdicts on {TRACE_RECORDS}: nothing says why it drove '
                       f'as it '
                       'did; ami-ros record, without --no-trace, records that')
    return out


def add(out: Index, log_ns: int, node: str, line: str) -> None:
    """Take in one line, if moments are found by it."""
    start = line[:64]
    if JUDGE in start:
        out.judged.append(judged(log_ns, node, *json.loads(line)))
    elif THOUGHT in start:
        one = thinking(log_ns, node, *json.loads(line))
        out.thoughts.setdefault((one.run, one.frame_ns), []).append(one)
    elif STATE in start:
        out.states.append((log_ns, node))


def judged(log_ns: int, node: str, number: int, said: dict) -> Judged:
    """Take an answer out of its line."""
    v = said['answer']
    values = v['command']['values']['values']
    return Judged(log_ns, v['command']['stamp_ns'], said['given'][1], said['took_ns'], node,
                  number, v['number'], v['run'], v['source'], v['action'], v['rule'], v['reason'],
                  *values)


def thinking(log_ns: int, node: str, number: int, said: dict) -> PlanRecord:
    """Take a thought out of its line."""
    belief = said['belief'] if any(stage == 'world_model' for stage, _ in said['ends']) else None
    return PlanRecord(log_ns, node, number, said['frame_ns'], said['run'], said['came_steady_ns'],
                    said['begun_steady_ns'], tuple(map(tuple, said['ends'])),
                    belief and belief['surprise'],
                    belief and tuple(belief['place']['values']), said['plan'] is not None)
