# SPDX-License-Identifier: Apache-2.0
"""Asks the model of a recorded drive what would have followed of something else."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import re
from typing import cast

import numpy as np

from ami_ros.core.errors import AmiError
from ami_ros.core.geometry import between
from ami_ros.core.types import Belief, Plan
from ami_ros.recording import message_reader
from ami_ros.recording.replay import trace_reader
from ami_ros.recording.replay.event_index import index
from ami_ros.recording.replay.replay_mind import MindAgain, Seen
from ami_ros.recording.replay.replay_overrides import Changes
from ami_ros.recording.trace_records import Thought

ASKED = re.compile(r'\s*t=(\S+)\s+v=(\S+)\s+w=(\S+)\s*')


@dataclass(frozen=True)
class Question:
    """What if (v m/s, w rad/s) had been held from a time on, s since the recording began."""

    at_s: float
    v: float
    w: float


@dataclass(frozen=True)
class Prediction:
    """What the model says would have followed, knot by knot."""

    ahead_s: np.ndarray                 # (H,)
    place: np.ndarray                   # (H, 3): x m, y m, yaw rad from where the robot was
    clearance: np.ndarray               # (H,) m to the nearest obstacle
    disagreement: np.ndarray            # (H,), 1 is ordinary
    energies: dict[str, float]          # by term; {} where there was no goal
    chosen: dict[str, float]            # of what was done
    really: dict[float, np.ndarray]     # s ahead: where it was believed to be then


def question(text: str) -> Question:
    """Read 't=12.5 v=0.3 w=-0.5'; ValueError says how it is asked."""
    match = ASKED.fullmatch(text)
    try:
        return Question(*map(float, match.groups() if match else ()))
    except (TypeError, ValueError):
        raise AmiError(f'{text!r} is no question; ask as "t=12.5 v=0.3 w=-0.5": s since the '
                       'beginning, m/s, rad/s') from None


def ask(bag: Path, asked: Question, changes: Changes, make_eye: Callable) -> Prediction:
    """Ask; ValueError where nothing was planned at that time, or the robot could not do it."""
    found, said = index(bag), trace_reader.abouts(bag)
    one = found.at(asked.at_s)
    who = trace_reader.kinds(said, 'mind', 'actor')
    if not who:
        raise AmiError(f'{bag} has no trace of who plans; it has of: {", ".join(said)}')
    node, about = next(iter(who.items()))
    then, again = thought_at(bag, one.frame_ns, one.run, node, about, changes, make_eye)
    limits = again.robot.limits
    if abs(asked.v) > limits[0] or abs(asked.w) > limits[1]:
        raise AmiError(f'{again.robot.name} drives {limits[0]} m/s and {limits[1]} rad/s at '
                       f'most; {asked.v} and {asked.w} were asked')
    actor, world = again.mind.actor, again.mind.world_model
    horizon = actor.dynamics.horizons[0]
    knots = np.tile((asked.v, asked.w), (1, horizon, 1)).astype(float)
    plan, commands = cast(Plan, then.plan), then.commands or ()
    belief = world.predict(cast(Belief, then.belief), commands, plan.start_ns)
    goal_z = belief.z if again.goal is None else again.goal.z
    imagined = actor.dynamics.imagine(belief.z, belief.body, knots, goal_z)
    origin = actor.place(belief.z)
    places = np.array([between(origin, place) for place in imagined.place[0]])
    terms = {}
    if again.goal is not None and actor.settings.horizon == horizon:
        energies, _ = actor.judge(belief, origin, knots / actor.limits)
        terms = {name: float(values[0]) for name, values in energies.items()}
    ahead = actor.settings.control_step_s * np.arange(1, horizon + 1)
    return Prediction(ahead, places, imagined.clearance[0], imagined.disagreement[0], terms,
                  dict(plan.energies),
                  followed(found, one.run, plan.start_ns, belief.place, ahead))


def thought_at(bag: Path, frame_ns: int, run: str, node: str, about: dict, changes: Changes,
               make_eye: Callable) -> tuple[Thought, MindAgain]:
    """Return a thought, and a mind that has the goal and the numbers of that moment."""
    camera = trace_reader.robot_of(about).camera
    again, seen = None, Seen(camera.kind)
    for heard in message_reader.messages(bag, (trace_reader.TRACE_RECORDS,)):
        for line in trace_reader.lines_of(heard.data, heard.log_ns):
            if line.node != node:
                continue
            kind = line.kind
            if kind == 'Thought':
                if (line.said['frame_ns'], line.said['run']) == (frame_ns, run):
                    if again is None or not line.said['plan'] or not line.said['belief']:
                        raise AmiError(f'the state before frame {frame_ns} is not on record')
                    return line.what, again
            elif kind == 'State':
                again = again or MindAgain(about, changes, make_eye, seen)
                again.begin_at(line.what)
            elif again is not None:
                do: dict[str, Callable] = {'Tuned': again.tune, 'Began': again.begin,
                                           'Aimed': again.aim}
                do[kind](line.what)
    raise AmiError(f'no plan was made then: no planning of frame {frame_ns} is on record')


def followed(found, run: str, start_ns: int, place: np.ndarray, ahead_s: np.ndarray
             ) -> dict[float, np.ndarray]:
    """Return where it was really believed to be, seen from where it was when the plan began."""
    frames = sorted(frame for one, frame in found.thoughts if one == run)
    out = {}
    for seconds in ahead_s.tolist():
        near = min(frames, key=lambda frame: abs(frame - start_ns - seconds * 1e9), default=None)
        if near is None or abs(near - start_ns - seconds * 1e9) > 0.15e9:
            continue
        believed = next((part.place for part in found.thoughts[run, near] if part.place), None)
        if believed is not None:
            out[seconds] = between(place, np.array(believed))
    return out


def words(asked: Question, answer: Prediction) -> list[str]:
    """Say it for people."""
    out = [f'at {asked.at_s:g} s, had it held {asked.v:g} m/s, {asked.w:g} rad/s, the model says:',
           '  ahead     x m     y m   yaw deg   clear m   disputed   what was done led to']
    for i, seconds in enumerate(answer.ahead_s.tolist()):
        x, y, yaw = answer.place[i]
        really = answer.really.get(seconds)
        said = '' if really is None else (f'{really[0]:7.3f} {really[1]:7.3f} '
                                          f'{np.degrees(really[2]):7.1f}')
        out.append(f'  {seconds:4.2f} s {x:7.3f} {y:7.3f} {np.degrees(yaw):9.1f} '
                   f'{answer.clearance[i]:9.3f} {answer.disagreement[i]:10.2f}   {said}')
    for name, energy in answer.energies.items():
        out.append(f'  energy {name:14s}{energy:10.4g}   of what was done '
                   f'{answer.chosen.get(name, float("nan")):10.4g}')
    return out
