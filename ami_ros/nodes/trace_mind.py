# SPDX-License-Identifier: Apache-2.0
"""Trace of the planner nodes: planning steps, goals, and the state that the next step needs."""

from time import monotonic_ns, perf_counter

from ami_ros.nodes import convert
from ami_ros.nodes.trace_publisher import robot_said, settings_said
from ami_ros.recording.records import Aimed, State, Thought

# what world model and actor are made with, or make again of the rest
MADE = ('encoder', 'dynamics', 'settings', 'surprise_scale', 'place', 'ground', 'limits',
        'steady_ns', 'way', 'goal', 'always', 'weights', 'second')


def thought(node, item, begun_s: float, ends_s: dict[str, float], picture=None,
            reading=(None, None), commands=None, z=None, belief=None, plan=None):
    """Put together what came of an input; None where nobody wants to know.

    `begun_s` and `ends_s`, by stage, are of perf_counter.
    """
    if not node.tracing.on:
        return None
    off_ns = monotonic_ns() - round(perf_counter() * 1e9)
    second_first, second = ((), ()) if plan is None else node.mind.actor.second
    head = getattr(item.value, 'header', None)
    return Thought(
        item.stamp_ns, 0 if head is None else convert.nanoseconds(head.stamp), node.run,
        node.goal, item.steady_ns, off_ns + round(begun_s * 1e9), picture, '', *reading, commands,
        z, belief, plan, tuple((stage, off_ns + round(s * 1e9)) for stage, s in ends_s.items()),
        0 if plan is None else node.tuned['actor'].seed,
        *((second, second_first) if plan is not None and plan.iterations else ((), ())))


def failed(node, item, wrong: str) -> Thought:
    """Put on record that nothing came of an input."""
    return Thought(item.stamp_ns, 0, node.run, node.goal, item.steady_ns, monotonic_ns(),
                   plan=getattr(node, 'plan', None), wrong=wrong)


def aimed(node, order) -> Aimed:
    """Put on record which goal was taken up."""
    target = getattr(node, 'target', None)
    wrong = node.troubles.get('goal', '')
    if target is not None:
        return Aimed(order.run, order.number, target.image, target.z, wrong)
    return Aimed(order.run, order.number, wrong=wrong)


def settings_of(node) -> dict:
    """Return what a node thinks with now, by group: as it is in force, budget and all."""
    mind = node.mind
    return {'world_model': mind.world_model.settings, 'actor': mind.actor.settings,
            'energy': mind.actor.weights}


def state_of(node) -> State:
    """Copy all that the next thought depends on."""
    target = getattr(node, 'target', None)
    goal = (Aimed(node.run, 0) if target is None
            else Aimed(node.run, target.number, target.image, target.z))
    said = getattr(node.mind.encoder, 'made_of', {})
    module = {key: said[key] for key in ('name', 'version', 'hash', 'path') if key in said}
    return State(node.run, goal, settings_of(node), remembered(node.mind.world_model),
                 remembered(node.mind.actor), module)


def taken_up(node) -> None:
    """Put on record that another module thinks from now on."""
    about_mind(node)
    node.tracing.note(state_of(node) if node.tracing.on else None)


def remembered(part) -> dict:
    """Return what a part of the mind remembers, by name."""
    return {name: list(value) if isinstance(value, list) else value
            for name, value in vars(part).items() if name not in MADE}


def about_mind(node) -> None:
    """Say what a node of the mind works with: module, settings, robot."""
    said = getattr(getattr(node.mind, 'encoder', None), 'made_of', {})
    known = {f'module.{key}': str(said[key]) for key in ('name', 'version', 'hash') if key in said}
    node.tracing.tell(known, kind=node.get_name(), settings=settings_said(node.made),
                      robot=robot_said(node.robot), module=said)
