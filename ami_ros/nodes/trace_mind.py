# SPDX-License-Identifier: Apache-2.0
"""Trace of the planner nodes: planning steps, goals, and the state that the next step needs."""

from time import monotonic_ns, perf_counter

from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes.time_buffers import Reading
from ami_ros.nodes.trace_publisher import robot_said, settings_said
from ami_ros.recording.trace_records import Aimed, State, Thought

# what world model and actor are made with, or make again of the rest
MADE = ('encoder', 'dynamics', 'settings', 'surprise_scale', 'familiar', 'place', 'ground',
        'limits', 'steady_ns', 'way', 'goal', 'always', 'weights', 'second')


def thought(worker, item, begun_s: float, ends_s: dict[str, float], picture=None,
            reading: Reading | tuple[None, None] = (None, None), commands=None, z=None,
            belief=None, plan=None) -> Thought | None:
    """Put together what came of an input; None where nobody wants to know.

    `begun_s` and `ends_s`, by stage, are of perf_counter.
    """
    if not worker.tracing.on:
        return None
    off_ns = monotonic_ns() - round(perf_counter() * 1e9)
    searched = plan is not None and plan.iterations
    second_first, second = worker.mind.actor.second if searched else ((), ())
    body, odometry = reading
    head = getattr(item.value, 'header', None)
    return Thought(
        item.stamp_ns, 0 if head is None else convert.nanoseconds(head.stamp),
        worker.episode.run, worker.episode.number, item.steady_ns,
        off_ns + round(begun_s * 1e9), picture, '', body, odometry, commands,
        z, belief, plan, tuple((stage, off_ns + round(s * 1e9)) for stage, s in ends_s.items()),
        0 if plan is None else worker.tuned['actor'].seed,
        second, second_first)


def failed(worker, item, wrong: str) -> Thought:
    """Put on record that nothing came of an input."""
    episode = worker.episode
    return Thought(item.stamp_ns, 0, episode.run, episode.number, item.steady_ns, monotonic_ns(),
                   plan=episode.plan, wrong=wrong)


def aimed(worker, order) -> Aimed:
    """Put on record which goal was taken up."""
    goal = worker.episode.goal
    wrong = worker.troubles.now.get('goal', '')
    if goal is not None:
        return Aimed(order.run, order.number, goal.image, goal.z, wrong)
    return Aimed(order.run, order.number, wrong=wrong)


def settings_of(worker) -> dict:
    """Return what a node thinks with now, by group: as it is in force, budget and all."""
    mind = worker.mind
    return {'world_model': mind.world_model.settings, 'actor': mind.actor.settings,
            'energy': mind.actor.weights}


def state_of(worker) -> State:
    """Copy all that the next thought depends on."""
    run, goal = worker.episode.run, worker.episode.goal
    wanted = Aimed(run, 0) if goal is None else Aimed(run, goal.number, goal.image, goal.z)
    said = getattr(worker.mind.encoder, 'made_of', {})
    module = {key: said[key] for key in ('name', 'version', 'hash', 'path') if key in said}
    return State(run, wanted, settings_of(worker), remembered(worker.mind.world_model),
                 remembered(worker.mind.actor), module)


def taken_up(worker) -> None:
    """Put on record that another module thinks from now on."""
    about_mind(worker)
    worker.tracing.note(state_of(worker) if worker.tracing.on else None)


def remembered(part) -> dict:
    """Return what a part of the mind remembers, by name."""
    return {name: list(value) if isinstance(value, list) else value
            for name, value in vars(part).items() if name not in MADE}


def about_mind(worker) -> None:
    """Say what a node of the mind works with: module, settings, robot."""
    said = getattr(getattr(worker.mind, 'encoder', None), 'made_of', {})
    known = {f'module.{key}': str(said[key]) for key in ('name', 'version', 'hash') if key in said}
    worker.tracing.tell(known, kind=worker.node.get_name(), settings=settings_said(worker.made),
                        robot=robot_said(worker.robot), module=said)
