# SPDX-License-Identifier: Apache-2.0
"""Publishes the trace for people, plots and Foxglove: one status per stage."""

from dataclasses import dataclass

from ami_ros.core.types import Verdict
from ami_ros.nodes.message_conversions import Health
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.recording.trace_records import fingerprint, Thought, Told

STAGES = ('perception', 'world_model', 'actor', 'critic')
LEVELS = {'go': 0, 'slow': 1, 'stop': 2}


@dataclass(frozen=True)
class Stage:
    """What one stage did, and of which instant."""

    stamp_ns: int
    health: Health


def statuses(what, known: dict[str, str]) -> list[Stage]:
    """Say a note in words; [] where it is none for people. `known` is said with each stage."""
    if isinstance(what, Thought):
        return [Stage(what.frame_ns, one) for one in thought(what, known)]
    if isinstance(what, Told) and what.call == 'judge':
        return [Stage(of_kind(what.answer, Verdict).command.stamp_ns, judged(what, known))]
    return []


def thought(t: Thought, known: dict[str, str]) -> list[Health]:
    """Say what perception, world model and actor made of a frame, those that were at it."""
    took = {'frame': str(t.frame_ns), 'run': t.run, 'goal': str(t.goal), **known}
    if t.wrong:
        return [Health('mind', 2, t.wrong, took)]
    out, since = [], t.begun_steady_ns
    came = t.came_steady_ns
    for stage, end in t.ends:
        times = {'waited_ms': ms(since - came), 'worked_ms': ms(end - since)}
        out.append(Health(stage, 0, '', {**took, **SAYS[stage](t), **times}))
        since = came = end
    return out


def seen(t: Thought) -> dict[str, str]:
    """Say what perception took and made."""
    return {'picture_ns': str(t.picture_ns), 'took': t.fingerprint, 'made': fingerprint(t.z)}


def believed(t: Thought) -> dict[str, str]:
    """Say what the world model took and made."""
    b = present(t.belief)
    return {'took': fingerprint(t.z), 'made': fingerprint(b.z),
            'commands': str(len(t.commands or ())), 'surprise': repr(b.surprise),
            'disagreement': repr(b.disagreement),
            'contradiction': repr(b.contradiction),
            'out_of_distribution': repr(b.out_of_distribution),
            **{f'place.{name}': repr(float(value))
               for name, value in zip(('x_m', 'y_m', 'yaw_rad'), b.place)}}


def planned(t: Thought) -> dict[str, str]:
    """Say what the actor took and made: energies of what it chose, and of the runner-up."""
    p = present(t.plan)
    v, w = p.at(p.start_ns)
    said = {'took': fingerprint(present(t.belief).z), 'made': fingerprint(p.knots),
            'start_ns': str(p.start_ns), 'iterations': str(p.iterations), 'seed': str(t.seed),
            'arrived': str(int(p.arrived)), 'v_mps': repr(float(v)), 'w_radps': repr(float(w)),
            **{f'energy.{name}': repr(value) for name, value in p.energies},
            'energy': repr(sum(value for _, value in p.energies))}
    if t.second:
        said |= {'runner_up.v_mps': repr(t.second_first[0]),
                 'runner_up.w_radps': repr(t.second_first[1]),
                 **{f'runner_up.energy.{name}': repr(value) for name, value in t.second},
                 'runner_up.energy': repr(sum(value for _, value in t.second))}
    return said


SAYS = {'perception': seen, 'world_model': believed, 'actor': planned}


def judged(told: Told, known: dict[str, str]) -> Health:
    """Say what the critic answered: about which plan, by which rules, with which values."""
    said = of_kind(told.answer, Verdict)
    v, w = map(float, said.command.values)
    values = {'frame': str(said.number), 'run': said.run, 'goal': str(said.goal), **known,
              'plan_start_ns': str(said.plan_start_ns), 'source': said.source,
              'made': str(said.command.stamp_ns), 'action': said.action, 'rule': said.rule,
              'touched': ','.join(said.touched), 'v_mps': repr(v), 'w_radps': repr(w),
              'worked_ms': ms(told.took_ns)}
    if told.wanted is not None:
        values |= {'wanted.v_mps': repr(told.wanted[0]), 'wanted.w_radps': repr(told.wanted[1])}
    return Health('critic', LEVELS[said.action], said.reason, values)


def ms(ns: int) -> str:
    """Write nanoseconds as milliseconds."""
    return f'{ns / 1e6:.3f}'
