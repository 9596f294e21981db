# SPDX-License-Identifier: Apache-2.0
"""
From any command back to its pixels: which commands of a recording have their whole chain.

cmd_vel > the verdict of its instant > the plan's frame > the thought about it > its picture, whose
pixels are those that the network saw. A command that no plan is behind ends at its verdict.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ami_ros.recording import message_reader
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.trace_records import SAID

COMMAND = 'cmd_vel'
MIND = 'mind'               # as Plan.source has it


@dataclass
class Chains:
    """Everything by which links are found."""

    commands: list[tuple[int, tuple[float, float]]] = field(default_factory=list)
    verdicts: dict = field(default_factory=dict)    # stamp of command: (frame, run, source, v, w)
    thoughts: dict = field(default_factory=dict)    # run, frame: stages, picture's stamp
    firsts: dict = field(default_factory=dict)      # stage: the first frame that it was heard of
    pictures: set = field(default_factory=set)      # stamps


def gathered(bag: Path) -> Chains:
    """Read what links need, and no noun of it."""
    out, (camera, command) = Chains(), topics_of(bag)
    for heard in message_reader.messages(bag, (command, trace_reader.TRACE_RECORDS, camera)):
        if message_reader.is_of(heard.topic, camera):
            out.pictures.add(stamp(heard.data))
        elif message_reader.is_of(heard.topic, command):
            out.commands.append(command_of(heard.data, heard.log_ns))
        else:
            for line in trace_reader.lines_of(heard.data, heard.log_ns):
                add(out, line.said)
    return out


def topics_of(bag: Path) -> tuple[str, ...]:
    """Return the topics of the camera, by the robot file in the recording, and of the command."""
    node, about = next(iter(trace_reader.abouts(bag).items()))
    return trace_reader.heard_as(bag, node, trace_reader.robot_of(about).camera.topic, COMMAND)


def add(chains: Chains, said: dict) -> None:
    """Take a link from what was put on record."""
    if said['!'] == 'Told' and said['call'] in ('judge', SAID):
        v = said['answer']
        values = v['command']['values']['values']
        chains.verdicts[v['command']['stamp_ns']] = (v['number'], v['run'], v['source'], *values)
    elif said['!'] == 'Thought':
        for stage, _ in said['ends']:
            chains.firsts.setdefault(stage, said['frame_ns'])
        stages, picture_ns = chains.thoughts.get((said['run'], said['frame_ns']), ((), 0))
        chains.thoughts[said['run'], said['frame_ns']] = (
            (*stages, *(stage for stage, _ in said['ends'])),
            said['picture_ns'] if said['fingerprint'] else picture_ns)


def complete(bag: Path) -> dict:
    """Count the commands whose chain is there, and why the others' is not.

    Each stage is heard from a moment of its own on: what has a link before that came before the
    trace, and is counted apart.
    """
    chains = gathered(bag)
    begin_ns = min(chains.verdicts, default=2**63)
    missing: Counter[str] = Counter()
    counted = early = handed = 0
    for at_ns, values in chains.commands:
        if at_ns < begin_ns or unheard(chains, at_ns):
            early += 1
            continue
        counted += 1
        lacks = lacking(chains, at_ns, values)
        handed += lacks == ''
        if lacks:
            missing[lacks] += 1
    return {'commands': counted, 'complete': handed, 'before_the_trace': early,
            'share': handed / counted if counted else None, 'missing': dict(missing)}


def unheard(chains: Chains, at_ns: int) -> bool:
    """Tell whether the frame behind a command was thought about before the trace began."""
    frame_ns, _, source, *_ = chains.verdicts.get(at_ns, (0, '', ''))
    return source == MIND and 0 < frame_ns < max(chains.firsts.values(), default=0)


def lacking(chains: Chains, at_ns: int, values: tuple[float, float]) -> str:
    """Name the link that a command lacks; '' where its chain is whole."""
    verdict = chains.verdicts.get(at_ns)
    if verdict is None:
        return 'verdict'
    frame_ns, run, source, v, w = verdict
    if (v, w) != values:
        return 'verdict of these values'
    if source != MIND or not frame_ns:
        return ''
    stages, picture_ns = chains.thoughts.get((run, frame_ns), ((), 0))
    for stage in ('actor', 'world_model', 'perception'):
        if stage not in stages:
            return stage
    return '' if picture_ns in chains.pictures else 'picture'


def stamp(data: bytes) -> int:
    """Read the stamp of a message that begins with a header, from its cdr."""
    sec, nanosec = np.frombuffer(data, '<u4', 2, 4).tolist()
    return sec * 10**9 + nanosec


def command_of(data: bytes, log_ns: int) -> tuple[int, tuple[float, float]]:
    """Read a TwistStamped: its stamp, v and w; its doubles are the last 48 bytes."""
    twist = np.frombuffer(data[-48:], '<f8')
    return stamp(data) if len(data) > 60 else log_ns, (float(twist[0]), float(twist[5]))
