# SPDX-License-Identifier: Apache-2.0
"""Tells one moment of a drive from the wheels back to the pixels: rules, energies, times."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.types import Plan
from ami_ros.critic.critic import Critic, ROUNDING
from ami_ros.critic.rule_interface import Rule, Stop
from ami_ros.perception.images import image_message_fields as fields
from ami_ros.recording import critic_call_recorder, message_reader
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.event_index import Index, Judged
from ami_ros.recording.replay.replay_overrides import Changes, policy_of
from ami_ros.recording.trace_records import SAID, Thought, Told

AROUND_NS = 2 * 10**9       # of log time: all links of a chain are recorded within so long


@dataclass
class Moment:
    """What is to be said of it: label and value, in order; and what the camera saw."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    picture: np.ndarray | None = None       # (H, W, 3) uint8, as the camera sent it

    def say(self, label: str, value: object) -> None:
        """Add a row."""
        self.rows.append((label, f'{value:.4g}' if isinstance(value, float) else str(value)))


@dataclass
class Spy:
    """A rule that is watched: what it was given, what it left, what it said."""

    rule: Rule
    log: list

    def __getattr__(self, name: str):
        return getattr(self.rule, name)

    def limit(self, command, situation):
        """Answer as the rule does."""
        given = command.values.tolist()
        try:
            answer = self.rule.limit(command, situation)
        except Stop as why:
            self.log.append((self.rule.name, given, [0.0, 0.0], str(why)))
            raise
        self.log.append((self.rule.name, given, answer.command.values.tolist(), answer.reason))
        return answer


def moment(bag: Path, index: Index, one: Judged, said: dict[str, dict]) -> Moment:
    """Tell all about an answer of the critic; `said` is what each node said of itself."""
    out = Moment()
    lines = around(bag, index, one)
    tell_command(out, index, one)
    tell_rules(out, trace_reader.about_of(said, one.node), lines, one)
    if one.source == 'mind' and one.frame_ns:
        thoughts = {stage: what for line in lines if line.kind == 'Thought'
                    and line.said['frame_ns'] == one.frame_ns and line.said['run'] == one.run
                    for what in (line.what,) for stage, _ in what.ends}
        nodes = {line.node for line in lines if line.kind == 'Thought'}
        tell_thought(out, thoughts, [trace_reader.about_of(said, node) for node in sorted(nodes)],
                     one)
        seen = thoughts.get('perception')
        if seen is not None:
            out.picture = picture(bag, said, seen, one)
            out.say('picture', 'as the network saw it, ' + seen.fingerprint
                    if out.picture is not None else 'not in the recording')
    else:
        out.say('frame', f'none: {one.source or "nobody"} drove')
    return out


def around(bag: Path, index: Index, one: Judged) -> list[trace_reader.TraceLine]:
    """Return the lines around a moment, the critic's from its last state on."""
    states = [at for at, node in index.states if node == one.node and at <= one.log_ns]
    since = max(states, default=0)
    out: list = []
    for heard in message_reader.messages(bag, (trace_reader.TRACE_RECORDS,),
                                         min(since, one.log_ns - AROUND_NS),
                                         one.log_ns + AROUND_NS):
        if since <= heard.log_ns or abs(heard.log_ns - one.log_ns) < AROUND_NS:
            out += trace_reader.lines_of(heard.data, heard.log_ns)
    return out


def tell_command(out: Moment, index: Index, one: Judged) -> None:
    """Say what went to the wheels."""
    out.say('time', f'{index.seconds(one):.3f} s, stamp {one.at_ns}')
    out.say('command', f'{one.v:.3f} m/s, {one.w:.3f} rad/s')
    out.say('critic', f'{one.action}' + (f' by {one.rule}: {one.reason}' if one.rule else ''))


def tell_rules(out: Moment, about: dict, lines: list[trace_reader.TraceLine], one: Judged) -> None:
    """Ask every rule again, in the situation of that moment.

    Rules of another version may ask for other numbers: then only what was on record is told.
    """
    out.say('policy', f'{about["policy"]["file"]} {about["policy"]["hash"][:12]}')
    try:
        policy = policy_of(about, Changes())
    except AmiError as wrong:
        out.say('rules', f'cannot be asked again: {wrong}')
        return
    told = [line for line in lines if line.node == one.node and line.number <= one.number]
    begin = max((i for i, line in enumerate(told) if line.said.get('call') == 'state_begins'),
                default=None)
    if begin is None:
        out.say('rules', 'the state of the critic is not on record before this moment')
        return
    critic, state = Critic(policy, trace_reader.robot_of(about)), []
    log: list = []
    for line in told[begin:]:
        call: Told = line.what
        if call.call.startswith('state'):
            state.append(call)
            if call.call == 'state_ends':
                critic_call_recorder.restore(critic, state)
            continue
        if line.number == one.number:
            critic.rules = tuple(Spy(rule, log) for rule in critic.rules)
        if call.call != SAID:
            critic_call_recorder.again(critic, call)
    if call.wanted is not None:
        out.say('wanted', f'{call.wanted[0]:.3f} m/s, {call.wanted[1]:.3f} rad/s')
    quiet = []
    for name, given, left, reason in log:
        if max(abs(a - b) for a, b in zip(given, left)) <= ROUNDING and not reason:
            quiet.append(name)
        else:
            out.say(f'rule {name}', f'{given[0]:.3f}, {given[1]:.3f} > {left[0]:.3f}, '
                                    f'{left[1]:.3f}' + (f': {reason}' if reason else ''))
    out.say('rules that let it pass', ', '.join(quiet) or 'none')


def tell_thought(out: Moment, thoughts: dict[str, Thought], abouts: list[dict],
                 one: Judged) -> None:
    """Say what the mind made of the frame, stage by stage, the newest first."""
    out.say('frame', f'{one.frame_ns}, run {one.run!r}')
    for about in abouts:
        module = about.get('module') or {}
        if module:
            out.say(f'module of {about["node"]}',
                    f'{module["name"]} {module["version"]} {module["hash"][:12]}')
    missing = [stage for stage in ('actor', 'world_model', 'perception') if stage not in thoughts]
    if missing:
        out.say('missing', f'{", ".join(missing)} put nothing of this frame on record')
    if 'actor' in thoughts:
        tell_plan(out, thoughts['actor'])
    belief = thoughts['world_model'].belief if 'world_model' in thoughts else None
    if belief is not None:
        out.say('surprise', belief.surprise)
        out.say('disagreement', belief.disagreement)
        out.say('contradiction', belief.contradiction)
        out.say('out_of_distribution', belief.out_of_distribution)
        x, y, yaw = belief.place
        out.say('believed place', f'{x:.3f} m, {y:.3f} m, {np.degrees(yaw):.1f} degrees')
    tell_times(out, thoughts, one)


def tell_plan(out: Moment, thought: Thought) -> None:
    """Say what was chosen, what nearly was, and by which energies."""
    plan, second = cast(Plan, thought.plan), dict(thought.second)
    out.say('goal', f'{plan.goal}, ' + ('arrived' if plan.arrived else 'on the way'))
    v, w = plan.at(plan.start_ns)
    out.say('plan', f'begins with {v:.3f} m/s, {w:.3f} rad/s; {plan.iterations} rounds, '
                    f'seed {thought.seed}')
    if second:
        out.say('runner-up', 'begins with {:.3f} m/s, {:.3f} rad/s'.format(
            *thought.second_first))
    for name, energy in plan.energies:
        other = f'   runner-up {second[name]:.4g} ({second[name] - energy:+.4g})' if second else ''
        out.say(f'energy {name}', f'{energy:.4g}{other}')
    if plan.energies:
        whole, total = sum(dict(plan.energies).values()), sum(second.values())
        decides = max(second, key=lambda name: second[name] - dict(plan.energies)[name],
                      default='')
        out.say('all energies', f'{whole:.4g}' + (f'   runner-up {total:.4g}, dearer most of '
                                                  f'all by {decides}' if second else ''))


def tell_times(out: Moment, thoughts: dict[str, Thought], one: Judged) -> None:
    """Say how long each stage waited and worked."""
    last = None
    for stage in ('perception', 'world_model', 'actor'):
        if stage not in thoughts:
            continue
        thought, since = thoughts[stage], thoughts[stage].begun_steady_ns
        came = thought.came_steady_ns
        for name, end in thought.ends:
            if name == stage:
                waited = f'waited {(since - came) / 1e6:.2f} ms, ' if since > came else ''
                out.say(f'time of {stage}', f'{waited}worked {(end - since) / 1e6:.2f} ms')
                last = end
            since = came = end
    reached = '' if last is None or one.steady_ns < last else (
        f'reached {(one.steady_ns - last) / 1e6:.2f} ms after the plan, ')
    out.say('time of critic', f'{reached}worked {one.took_ns / 1e6:.3f} ms')


def picture(bag: Path, said: dict, seen: Thought, one: Judged) -> np.ndarray | None:
    """Return the picture of a frame, (H, W, 3) uint8 rgb as the camera sent it."""
    camera = trace_reader.robot_of(trace_reader.about_of(said, one.node)).camera
    topics = trace_reader.heard_as(bag, one.node, camera.topic)
    for heard in message_reader.messages(bag, topics, one.log_ns - 5 * AROUND_NS,
                                         one.log_ns + AROUND_NS):
        msg = trace_reader.message(heard.data, f'sensor_msgs/msg/{camera.kind}')
        if trace_reader.stamp_ns(msg) == seen.picture_ns:
            return np.array(fields.picture_of(msg))
    return None
