# SPDX-License-Identifier: Apache-2.0
"""
Planner node: callbacks store inputs, and one worker thread processes them.

In real time only the newest input is processed; older ones are dropped. In lock-step an input
waits for all messages of its time stamp, nothing is dropped, and a repeated input gets the same
answer. The node opens its networks when it is configured, and subscribes only while it is active.

| part | what it does |
|---|---|
| `node` | rclpy's lifecycle node: transitions and heartbeats |
| `made` | current settings |
| `sensors`, `queue` | subscriptions, and the newest input for the worker |
| `worker` | the thread that calls `step` |
| `processor` | the work of this node: `process(input)` yields the outputs |
| `plans` | publisher of plans, in nodes that plan |
| `health_of` | counters and timing of the worker |
| `tracing` | trace record of each step |
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import gc
import time
import traceback
from typing import Protocol

from rclpy.publisher import Publisher

from ami_ros.core.compute_budget import Level
from ami_ros.core.errors import AmiError
from ami_ros.core.rate_monitor import HealthSettings
from ami_ros.core.settings import Settings
from ami_ros.core.types import Goal, Plan
from ami_ros.mind import Mind
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, topics, worker_health
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS, ModuleSettings, open_mind, tune, within_budget
from ami_ros.nodes.run import IDLE_S
from ami_ros.nodes.sensor_inputs import SensorInputs, Troubles
from ami_ros.nodes.trace_mind import about_mind, aimed, failed, settings_of, state_of
from ami_ros.nodes.trace_publisher import TracePublisher
from ami_ros.nodes.type_narrowing import of_kind, present
from ami_ros.nodes.worker import Input, InputQueue, WantedGoal, Worker
from ami_ros.recording.trace_records import Began, Tuned
from ami_ros.robots.find_robot import find
from ami_ros.robots.robot import Robot

STATUS_S = 0.5          # what is said of oneself on diagnostics
MATCH_EVERY = 10        # times that are told: topics of another type are looked for, besides
Said = Iterator[tuple[Publisher, object]]


@dataclass
class Episode:
    """State of the current run."""

    run: str = ''
    number: int = 0                     # of the acknowledged goal; -1: none yet
    goal: Goal | None = None
    order: WantedGoal | None = None     # from which the goal was made
    plan: Plan | None = None            # last published plan
    answered_ns: int | None = None      # stamp of the last processed input


class Processor:
    """Work of one kind of planner node; the worker thread calls all but `offer` and `listen`."""

    def __init__(self, worker: 'WorkerNode'):
        """Created when the node is configured, before the networks are opened."""
        self.worker = worker

    def offer(self) -> None:
        """Create the publishers, after the networks are open."""
        raise NotImplementedError

    def listen(self) -> None:
        """Subscribe when the node is activated; the processed input comes last."""
        raise NotImplementedError

    def process(self, item: Input) -> Said:
        """Yield the outputs in order; ValueError says what is wrong with the input."""
        raise NotImplementedError

    def may(self, item: Input) -> bool:
        """Tell whether an input may be processed now."""
        return True

    def between(self) -> None:
        """Do work that is allowed only between two inputs."""

    def aim(self, order: WantedGoal) -> None:
        """Adopt a new goal; ValueError says what is wrong with it."""

    def followed(self, order: WantedGoal) -> None:
        """Acknowledge a goal request, also a repeated one."""

    def notes(self) -> list[str]:
        """Return warnings that do not stop the work."""
        return []


class Plans(Protocol):
    """What a node that plans publishes without its networks."""

    def rest(self) -> None:
        """Replace the last plan by one that stands still."""

    def rescue(self, item: Input) -> Said:
        """Yield a plan that stands still, in the place of one for this input."""


class WorkerNode:
    """Parts of a planner node, and the work of its transitions and steps."""

    def __init__(self, name: str, processor: Callable[['WorkerNode'], Processor],
                 make_mind: Callable[[Mapping[str, Settings]], Mind] = open_mind):
        self.node = Managed(name, self, self.turn)
        self.make_processor, self.make_mind = processor, make_mind
        self.made = parameters.declare(self.node, GROUPS[name])
        self.own = of_kind(self.made[''], ModuleSettings)
        self.mind: Mind | None = None
        self.robot: Robot | None = None
        self.processor: Processor | None = None
        self.plans: Plans | None = None
        self.tuned: Mapping[str, Settings] = {}     # what it works with
        self.tuned_to: tuple[Mapping[str, Settings] | None, Level | None] = (None, None)
        self.worker: Worker | None = None
        self.offered: list[Publisher] = []
        self.troubles = Troubles(self.node.get_logger().error)
        self.health_of = worker_health.WorkerHealth()
        self.tracing = TracePublisher(self.node, lambda: [state_of(self)] if self.mind else [])
        self.afresh()
        self.start()

    def afresh(self) -> None:
        """Know nothing of what was before: no run, no input, no trouble."""
        self.troubles.now = {}
        self.queue = InputQueue(lambda: present(self.worker).wake(), self.own.lock_step)
        self.sensors = SensorInputs(self.node, self.own, self.robot, self.queue, self.troubles)
        self.episode = Episode()
        self.answer: list[tuple[Publisher, object]] = []
        self.health_of.afresh()
        self.looked_s, self.looks = time.monotonic(), 0

    def start(self) -> None:
        """Come up by itself as far as it was told to; a supervisor does the rest.

        Every mode wants the module opened, and a first request to a new process may be on its way
        for seconds (measured: 0.8 to 1.9 s): DDS looks for lost messages every 3 s only.
        """
        if self.own.autostart:
            self.node.rise()
        elif self.own.autoconfigure:
            self.node.trigger_configure()

    def configure(self) -> None:
        """Open the robot file and the networks, and create the publishers."""
        self.robot = find(self.own.robot)
        self.processor = self.make_processor(self)
        self.mind = self.make_mind(self.made)
        if about := getattr(self.mind.encoder, 'about', ''):
            self.node.get_logger().info(f'networks: {about}')
        self.tuned, self.tuned_to = self.made.now, (None, None)
        about_mind(self)
        self.processor.offer()

    def activate(self) -> None:
        """Discard earlier inputs and errors, subscribe, and start the worker thread."""
        self.afresh()
        present(self.mind).begin()
        self.tracing.note(Began(''))
        self.tracing.look(time.monotonic())     # who records shall have its first thought
        present(self.processor).listen()
        gc.collect()
        gc.freeze()         # what was made is not looked at again
        self.worker = Worker(self.step, STATUS_S)
        self.worker.start()

    def deactivate(self) -> None:
        """Stop the worker thread (an error if it hangs); replace the last plan by one at rest."""
        worker, self.worker = self.worker, None
        try:
            if worker is not None and not worker.stop():
                self.node.broken = True
                raise RuntimeError('the worker thread is still processing an image; the '
                                   'process must exit')
            self.tracing.close()
        finally:
            if self.episode.plan is not None:
                present(self.plans).rest()

    def cleanup(self) -> None:
        """Release the networks and the publishers."""
        self.mind = None
        offered, self.offered = self.offered, []
        for publisher in offered:
            self.node.destroy_lifecycle_publisher(publisher)

    def health(self) -> convert.Health:
        """Say how it stands."""
        notes = [note for part in (self.sensors.eye, self.processor) if part is not None
                 for note in part.notes()]
        limits = None if self.own.lock_step else of_kind(self.made['health'], HealthSettings)
        values = {'run': self.episode.run, 'goal': str(self.episode.number),
                  'dropped': str(self.queue.inputs.dropped),
                  **self.health_of.values(self.mind, limits)}
        if notes:
            values['notes'] = '; '.join(notes)
        said = worker_health.verdict(self.sensors, self.worker is not None)
        return convert.Health('', said.level, said.message, values)

    def turn(self) -> float:
        """See that the worker lives; return how long there is nothing else to do."""
        if self.worker is not None and self.worker.died_of is not None:
            raise self.worker.died_of
        return IDLE_S

    def offer(self, row: topics.Topic) -> Publisher:
        """Publish to a topic, while active."""
        publisher = self.node.create_lifecycle_publisher(*row.publisher())
        self.offered.append(publisher)
        return publisher

    def hear_budget(self) -> None:
        """Listen to how much thought a plan may cost; in lock-step nobody limits it."""
        if not self.own.lock_step:
            self.node.active.hear(topics.BUDGET, lambda msg: self.queue.on_budget(
                convert.state_from(msg)[0]))

    # the worker's

    def step(self) -> bool:
        """Do one thing; return whether there was one."""
        if time.monotonic() - self.looked_s >= STATUS_S:
            self.looked_s, self.looks = time.monotonic(), self.looks + 1
            if self.queue.silent or self.troubles.now or self.looks % MATCH_EVERY == 0:
                self.sensors.match()
        present(self.processor).between()
        if self.made.now is not self.tuned_to[0] or self.queue.level is not self.tuned_to[1]:
            self.tune()
        order = self.queue.orders.take()
        if order is not None:
            self.follow(order)
            return True
        item = self.queue.inputs.take(self.may)
        if item is None:
            return self.tracing.turn()
        if item.stamp_ns != self.episode.answered_ns:
            age_ns = self.node.get_clock().now().nanoseconds - item.stamp_ns
            self.health_of.began()
            self.work(item)
            self.health_of.ended(0.0 if self.own.lock_step else age_ns / 1e9)
        elif self.own.lock_step:
            for publisher, msg in self.answer:
                publisher.publish(msg)
        if self.tracing.behind:
            self.tracing.turn()
        return True

    def tune(self) -> None:
        """Work on with the newest settings, within the budget; between two inputs."""
        now, level, mind = self.made.now, self.queue.level, present(self.mind)
        self.tuned_to = now, level
        self.tuned = within_budget(now, level, mind)
        tune(mind, self.tuned, present(self.robot))
        self.tracing.note(Tuned(settings_of(self)))

    def may(self, item: Input) -> bool:
        """Tell whether all is there: in lock-step also the command that the last answer led to."""
        if not present(self.processor).may(item):
            return False
        answered_ns = self.episode.answered_ns
        return (not self.own.lock_step or item.stamp_ns == answered_ns
                or self.sensors.complete(item.stamp_ns, None if item.again else answered_ns))

    def work(self, item: Input) -> None:
        """Think, and say each thing as soon as it is thought; in trouble say what is safe."""
        answered_ns = self.episode.answered_ns
        if answered_ns is not None and item.stamp_ns < answered_ns:
            self.forget()       # time went back: a bag began again, or a clock was set
        self.episode.answered_ns, self.answer = item.stamp_ns, []
        try:
            self.say(present(self.processor).process(item))
            self.troubles.clear('input')
        except Exception as wrong:      # a frame that cannot be thought about is not the last one
            if not isinstance(wrong, AmiError):
                self.node.get_logger().error(traceback.format_exc())
            self.troubles.refuse('input', str(wrong) or repr(wrong))
            if self.plans is not None:
                self.say(self.plans.rescue(item))
            self.tracing.note(failed(self, item, str(wrong) or repr(wrong)))
            self.tracing.note(state_of(self) if self.tracing.on else None)
            self.node.beat()
        self.health_of.thoughts += 1

    def say(self, said: Said) -> None:
        """Publish one after the other."""
        for publisher, msg in said:
            publisher.publish(msg)
            if self.own.lock_step:
                self.answer.append((publisher, msg))

    def forget(self) -> None:
        """Forget what was before: the robot may be anywhere."""
        self.episode.answered_ns = self.episode.plan = None
        self.health_of.forget()
        present(self.mind).begin()
        self.tracing.note(Began(self.episode.run))
        if self.sensors.commands is not None:
            self.sensors.commands.clear()

    def begin(self, run: str) -> None:
        """Begin another run, with no goal yet."""
        self.episode = Episode(run, -1)
        self.forget()

    def follow(self, order: WantedGoal) -> None:
        """Take up a goal, or none, of the same run or of a new one; acknowledge it."""
        if order.run != self.episode.run:
            self.begin(order.run)
        if order.number != self.episode.number:
            self.episode.number = order.number
            self.troubles.clear('goal')
            try:
                present(self.processor).aim(order)
            except ValueError as wrong:
                if not isinstance(wrong, AmiError):
                    self.node.get_logger().error(traceback.format_exc())
                self.episode.number = -1        # not acknowledged
                self.troubles.refuse('goal', f'goal {wrong}')
            self.tracing.note(aimed(self, order))
        self.node.beat()
        present(self.processor).followed(order)
