# SPDX-License-Identifier: Apache-2.0
"""Sums a recorded drive up: the way, the stops with their reasons, surprise, times, costs."""

from dataclasses import dataclass, field
import json
from pathlib import Path

import numpy as np

from ami_ros.recording import message_reader
from ami_ros.recording.message_definitions import STORE
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.event_index import Index, index

STAGES = ('perception', 'world_model', 'actor', 'critic', 'frame to command')
POINTS = 2000           # of a curve: more than a screen shows
CARRIED_M = 0.5         # between two readings: it was put elsewhere
SIGNS, POWER, KIND = 'diagnostics', 'power_w', 'diagnostic_msgs/msg/DiagnosticArray'
HOLDS_S = 5.0           # a reading of the power counts until the next one, at most so long


@dataclass
class Summary:
    """What a page about a drive is made of; times are s since the beginning."""

    name: str
    begin_ns: int
    seconds: float
    way: np.ndarray                     # (P, 2) m, by odometry; NaN where it was put elsewhere
    metres: float
    surprise: np.ndarray                # (F, 2): when, how much
    took_ms: dict[str, np.ndarray]      # by stage
    stops: list[tuple[float, float, str, str]]      # when, for how long, rule, reason
    modes: dict[str, int] = field(default_factory=dict)         # verdicts by action
    cpu_s: dict[str, float] = field(default_factory=dict)       # by node, while recorded
    decisions: int = 0
    dropped: int = 0
    joules: float | None = None         # None where the board does not tell


def summed(bag: Path) -> tuple[Summary, Index]:
    """Sum a recording up; ValueError where nothing says why it drove as it did."""
    found = index(bag)
    end_s = found.seconds(found.judged[-1])
    cpu_s, dropped = costs(bag)
    way, metres = driven(bag)
    actions = [one.action for one in found.judged]
    out = Summary(bag.name, found.begin_ns, end_s, way, metres, surprises(found), times(found),
                  stops(found), {action: actions.count(action) for action in set(actions)}, cpu_s,
                  len(found.firsts()), dropped, drawn(bag))
    return out, found


def surprises(found: Index) -> np.ndarray:
    """Return (F, 2): when, and how much a frame surprised, in order."""
    rows = sorted((found.seconds(one), surprise) for surprise, one in found.surprises())
    return np.array(rows, float).reshape(-1, 2)


def times(found: Index) -> dict[str, np.ndarray]:
    """Return how long each stage worked, and each frame took as a whole, ms."""
    took: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for parts in found.thoughts.values():
        for part in parts:
            since = None
            for stage, end in part.ends:
                if since is None:
                    since = part.begun_steady_ns
                took[stage].append((end - since) / 1e6)
                since = end
    took['critic'] = [one.took_ns / 1e6 for one in found.judged]
    took['frame to command'] = [ms for ms, _ in found.slowest()]
    return {stage: np.array(values) for stage, values in took.items()}


def stops(found: Index) -> list[tuple[float, float, str, str]]:
    """Return the stops: when they began, how long they held, the rule and its reason."""
    out, order = [], {id(one): i for i, one in enumerate(found.judged)}
    for one in found.stops():
        i = order[id(one)]
        last = next((other for other in found.judged[i:] if other.action != 'stop'
                     or other.rule != one.rule), found.judged[-1])
        out.append((found.seconds(one), (last.at_ns - one.at_ns) / 1e9, one.rule, one.reason))
    return out


def costs(bag: Path) -> tuple[dict[str, float], int]:
    """Return the CPU seconds of each process that is on record, and how many notes were lost."""
    first: dict[tuple[str, str], float] = {}
    last: dict[tuple[str, str], float] = {}
    dropped: dict[tuple[str, str], int] = {}
    for heard in message_reader.messages(bag, (trace_reader.TRACE_RECORDS,)):
        try:
            who = json.loads(message_reader.text_of(heard.data).partition('\n')[0])
            key = who['node'], who['process']
        except trace_reader.BROKEN:
            continue
        dropped[key] = who['dropped']
        if 'cpu_s' in who:
            first.setdefault(key, who['cpu_s'])
            last[key] = who['cpu_s']
    out: dict[str, float] = {}
    for (node, _), spent in ((key, last[key] - first[key]) for key in first):
        out[node] = out.get(node, 0.0) + spent
    return out, sum(dropped.values())


def drawn(bag: Path) -> float | None:
    """Return the joules that the board drew while it was recorded; None where it did not tell."""
    readings = []
    for heard in message_reader.messages(bag, (SIGNS,)):
        if POWER.encode() not in heard.data:        # hundreds of others are not opened
            continue
        msg = STORE.deserialize_cdr(heard.data, KIND)
        at_s = msg.header.stamp.sec + 1e-9 * msg.header.stamp.nanosec
        readings += [(at_s, float(pair.value)) for status in msg.status for pair in status.values
                     if pair.key == POWER]
    readings.sort()
    joules = sum(watts * min(after_s - at_s, HOLDS_S)
                 for (at_s, watts), (after_s, _) in zip(readings, readings[1:]))
    return joules if len(readings) > 1 else None


def driven(bag: Path) -> tuple[np.ndarray, float]:
    """Return the way by odometry, (P, 2) m in its frame, and how long it is, m."""
    node, about = next(iter(trace_reader.abouts(bag).items()))
    topics = trace_reader.heard_as(bag, node, trace_reader.robot_of(about).odometry.topic)
    points = []
    for heard in message_reader.messages(bag, topics):
        points.append(position(heard.data))
    way = np.array(points, float).reshape(-1, 2)
    steps = np.hypot(*np.diff(way, axis=0).T) if len(way) > 1 else np.zeros(0)
    carried = np.flatnonzero(steps > CARRIED_M)
    stride = max(1, len(way) // POINTS)
    pieces = [np.vstack([piece[::stride], piece[-1:], np.full((1, 2), np.nan)])
              for piece in np.split(way, carried + 1) if len(piece)]
    metres = float(np.delete(steps, carried).sum())
    return np.concatenate(pieces) if pieces else way, metres


def position(data: bytes) -> tuple[float, float]:
    """Read x and y of an Odometry from its cdr: after the header and the child frame."""
    at = 4 + 8
    for _ in range(2):      # two strings, each of them aligned to four bytes
        at += -(at - 4) % 4
        length = int.from_bytes(data[at:at + 4], 'little')
        at += 4 + length
    at += -(at - 4) % 8
    x, y = np.frombuffer(data, '<f8', 2, at).tolist()
    return x, y
