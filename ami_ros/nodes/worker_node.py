# SPDX-License-Identifier: Apache-2.0
"""
Shared parts of the planner nodes: callbacks receive, one worker computes and publishes.

Real time: only the newest input is worked on, whatever else came is dropped. Lock-step: an input
waits for all that belongs to it, nothing is dropped, and who asks again gets the same answer.
Networks are opened when it is configured; it hears and thinks only while it is active.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
import gc
import time
import traceback

import numpy as np
from rclpy.publisher import Publisher

from ami_ros.core.compute_budget import Level, LEVELS
from ami_ros.core.rate_monitor import Pulse
from ami_ros.mind import Mind
from ami_ros.modules.ordinary import ordinary
from ami_ros.nodes import convert, parameters, topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.mind_settings import GROUPS, open_mind, tune
from ami_ros.nodes.sensor_inputs import SensorInputs
from ami_ros.nodes.trace_mind import about_mind, aimed, failed, settings_of, state_of
from ami_ros.nodes.trace_publisher import TracePublisher
from ami_ros.nodes.worker import Slot, Worker
from ami_ros.recording.records import Began, Tuned
from ami_ros.robots.find import find

STATUS_S = 0.5          # what is said of oneself on diagnostics
SILENT_S = 2.0          # without any input it is said what is waited for
MATCH_EVERY = 10        # times that are told: topics of another type are looked for, besides
LATELY = 100            # beliefs whose surprise is told
NS = 10**9
Said = Iterator[tuple[Publisher, object]]


@dataclass(frozen=True, slots=True, eq=False)
class Input:
    """What a worker works on next."""

    stamp_ns: int       # of the frame that it belongs to
    value: object
    run: str
    steady_ns: int      # when it came
    period_ns: int      # until the next one is due; 0 where nobody knows
    again: bool         # it came before: whoever waits for an answer lost something


@dataclass(frozen=True, slots=True, eq=False)
class WantedGoal:
    """What the configurator wants: a goal, or none, in a run."""

    value: object       # picture or latent of the goal; None: no goal
    number: int
    run: str


class WorkerNode(SensorInputs):
    """A node with a mind and one worker. A child says in `think` what it makes of an input."""

    def __init__(self, name: str, make_mind: Callable[[dict], Mind] = open_mind):
        super().__init__(name)
        self.make_mind = make_mind
        self.made = parameters.declare(self, GROUPS[name])
        self.own = self.made['']
        self.mind: Mind | None = None
        self.worker: Worker | None = None
        self.stuck = False              # a worker did not end: this process cannot begin again
        self.offered: list[Publisher] = []
        self.thoughts = 0
        self.late = 0                   # of these: were too much work for the time there was
        self.cut = 0                    # and those cut short, whatever took the time
        self.pulse = Pulse()
        self.stages_s: dict[str, float] = {}    # of the last input, where it has several
        self.tracing = TracePublisher(self, lambda: [state_of(self)] if self.mind else [])
        self.afresh()

    def afresh(self) -> None:
        """Know nothing of what was before: no run, no input, no trouble."""
        self.deaf()
        self.inputs: Slot[Input] = Slot()
        self.orders: Slot[WantedGoal] = Slot()
        self.run, self.goal = '', 0
        self.newest_ns: int | None = None           # of what came in
        self.periods_ns: tuple[int, ...] = ()       # between the last few that came in
        self.answered_ns: int | None = None
        self.answer: list[tuple[Publisher, object]] = []
        self.level, self.pictures = LEVELS[0], 0    # how much thought, and inputs so far
        self.busy_s: float | None = None            # since when the worker is at an input
        self.surprises: deque[float] = deque(maxlen=LATELY)     # of the last beliefs
        self.looked_s = self.last_s = time.monotonic()
        self.looks = 0

    def start(self) -> None:
        """Come up by itself as far as it was told to; a supervisor does the rest.

        Every mode wants the module opened, and a first request to a new process may be on its way
        for seconds (measured: 0.8 to 1.9 s): DDS looks for lost messages every 3 s only.
        """
        if self.own.autostart:
            self.rise()
        elif self.own.autoconfigure:
            self.trigger_configure()

    def configure(self) -> None:
        """Open the robot file and the networks, and offer what they make."""
        self.robot = find(self.own.robot)
        self.mind = self.make_mind(self.made)
        if about := getattr(self.mind.encoder, 'about', ''):
            self.get_logger().info(f'networks: {about}')
        self.tuned, self.tuned_to = self.made.now, (None, None)     # what it works with, of what
        about_mind(self)

    def tune(self) -> None:
        """Work on with the newest settings, within the budget; between two inputs."""
        now, level = self.tuned_to = self.made.now, self.level
        self.tuned = self.within(dict(now), level)
        tune(self.mind, self.tuned, self.robot)
        self.tracing.note(Tuned(settings_of(self)))

    def within(self, made: dict, level: Level) -> dict:
        """Return what a level of thought leaves of the settings."""
        return made

    def activate(self) -> None:
        """Forget what was before; subscribe, and think in a thread of its own."""
        self.afresh()
        self.mind.begin()
        self.tracing.note(Began(''))
        self.tracing.look(time.monotonic())     # who records shall have its first thought
        self.listen()
        gc.collect()
        gc.freeze()         # what was made is not looked at again
        self.worker = Worker(self.step, STATUS_S)
        self.worker.start()

    def listen(self) -> None:
        """Subscribe."""
        raise NotImplementedError

    def deactivate(self) -> None:
        """Think no more; a worker that does not end is told as an error."""
        worker, self.worker = self.worker, None
        if worker is not None and not worker.stop():
            self.stuck = True
            raise RuntimeError('the worker is still at a picture; this process has to end')
        self.tracing.close()

    def cleanup(self) -> None:
        """Give networks and publishers back."""
        self.mind = None
        offered, self.offered = self.offered, []
        for publisher in offered:
            self.destroy_lifecycle_publisher(publisher)

    def sound(self) -> bool:
        """Tell whether it can begin again."""
        return not self.stuck

    def offer(self, row: topics.Topic) -> Publisher:
        """Publish to a topic, while active."""
        publisher = self.create_lifecycle_publisher(*row.publisher())
        self.offered.append(publisher)
        return publisher

    def hear_budget(self) -> None:
        """Listen to how much thought a plan may cost."""
        if not self.own.lock_step:
            Managed.hear(self, topics.BUDGET, self.on_budget)

    def on_budget(self, msg) -> None:
        """Look at fewer pictures, or at all of them; a child may spend less on each besides."""
        values, _, _ = convert.state_from(msg)
        self.level = Level(values.get('candidates', 1.0), values.get('horizon', 1.0),
                           max(1, round(values.get('every', 1.0))))

    def wake_if_waiting(self) -> None:
        """Let the worker look again; in real time it waits for nothing but inputs."""
        if self.own.lock_step and self.inputs.full:
            self.worker.wake()

    def take_in(self, stamp_ns: int, value: object, run: str = '') -> None:
        """Leave an input for the worker."""
        self.last_s = time.monotonic()
        again, passed_ns = stamp_ns == self.newest_ns, stamp_ns - (self.newest_ns or stamp_ns)
        self.newest_ns = stamp_ns
        if passed_ns > 0:
            self.periods_ns = (*self.periods_ns[-2:], passed_ns)
            self.pictures += 1
        if self.pictures % self.level.every and not again:
            return
        self.inputs.put(Input(stamp_ns, value, run, time.monotonic_ns(),
                              min(self.periods_ns, default=0), again))
        self.worker.wake()

    def take_order(self, order: WantedGoal) -> None:
        """Leave an order for the worker."""
        self.orders.put(order)
        self.worker.wake()

    def step(self) -> bool:
        """Do one thing; return whether there was one. The worker's."""
        if time.monotonic() - self.looked_s >= STATUS_S:
            self.look_around()
        self.between()
        if self.made.now is not self.tuned_to[0] or self.level is not self.tuned_to[1]:
            self.tune()
        if self.tracing.behind:
            self.tracing.turn()
        order = self.orders.take()
        if order is not None:
            self.follow(order)
            return True
        item = self.inputs.take(self.may)
        if item is None:
            return self.tracing.turn()
        if item.stamp_ns != self.answered_ns:
            self.busy_s = begun_s = time.monotonic()
            self.stages_s = {}
            age_ns = self.get_clock().now().nanoseconds - item.stamp_ns
            self.work(item)
            self.busy_s = None
            self.pulse.beat(begun_s, 0.0 if self.own.lock_step else age_ns / 1e9,
                            time.monotonic() - begun_s, self.stages_s)
        elif self.own.lock_step:
            for publisher, msg in self.answer:
                publisher.publish(msg)
        return True

    def between(self) -> None:
        """Do what may only be done between two inputs; the worker's."""

    def space(self, mind: Mind) -> str:
        """Name the latent space of a mind."""
        return getattr(mind.encoder, 'made_of', {}).get('manifest', {}).get('latent_space')

    def notes(self) -> list[str]:
        """Say what a person should know though all goes on."""
        return self.eye.notes() if self.eye is not None else []

    def may(self, item: Input) -> bool:
        """Tell whether all is there: in lock-step also the command that the last answer led to."""
        if not self.own.lock_step or item.stamp_ns == self.answered_ns:
            return True
        if self.body is not None and self.body.at(item.stamp_ns) is None:
            return False
        return (self.commands is None or item.again or self.answered_ns is None
                or self.commands.has(self.answered_ns))

    def work(self, item: Input) -> None:
        """Think, and say each thing as soon as it is thought; in trouble say what is safe."""
        if self.answered_ns is not None and item.stamp_ns < self.answered_ns:
            self.forget()       # time went back: a bag began again, or a clock was set
        self.answered_ns, self.answer = item.stamp_ns, []
        try:
            self.say(self.think(item))
            self.troubles.pop('input', None)
        except Exception as wrong:      # a frame that cannot be thought about is not the last one
            if not isinstance(wrong, ValueError):
                self.get_logger().error(traceback.format_exc())
            self.refuse('input', str(wrong) or repr(wrong))
            self.say(self.rescue(item))
            self.tracing.note(failed(self, item, str(wrong) or repr(wrong)))
            self.tracing.note(state_of(self) if self.tracing.on else None)
            self.beat()
        self.thoughts += 1

    def say(self, said: Said) -> None:
        """Publish one after the other."""
        for publisher, msg in said:
            publisher.publish(msg)
            if self.own.lock_step:
                self.answer.append((publisher, msg))

    def think(self, item: Input) -> Said:
        """Yield what is to be published, in order; ValueError says what is wrong with it."""
        raise NotImplementedError

    def rescue(self, item: Input) -> Said:
        """Yield what is to be published in the place of a thought that failed."""
        return iter(())

    def forget(self) -> None:
        """Forget what was before: the robot may be anywhere."""
        self.answered_ns = None
        self.surprises.clear()
        self.mind.begin()
        self.tracing.note(Began(self.run))
        if self.commands is not None:
            self.commands.clear()

    def begin(self, run: str) -> None:
        """Begin another run, with no goal yet."""
        self.run, self.goal = run, -1
        self.forget()

    def follow(self, order: WantedGoal) -> None:
        """Take up a goal, or none, of the same run or of a new one; acknowledge it."""
        if order.run != self.run:
            self.begin(order.run)
        if order.number != self.goal:
            self.goal = order.number
            self.troubles.pop('goal', None)
            try:
                self.aim(order)
            except ValueError as wrong:
                self.goal = -1          # not acknowledged
                self.refuse('goal', f'goal {wrong}')
            self.tracing.note(aimed(self, order))
        self.beat()

    def aim(self, order: WantedGoal) -> None:
        """Make the goal one's own; ValueError says what is wrong with it."""

    def look_around(self) -> None:
        """See, now and then, whether what it waits for comes as another type."""
        self.looked_s, self.looks = time.monotonic(), self.looks + 1
        if self.silent or self.troubles or self.looks % MATCH_EVERY == 0:
            self.match()

    @property
    def silent(self) -> bool:
        """Tell whether nothing has come to think about for a while."""
        return time.monotonic() - self.last_s > SILENT_S

    def health(self) -> convert.Health:
        """Say how it stands."""
        busy_s = self.busy_s
        notes = self.notes()
        values = {'module': getattr(getattr(self.mind, 'encoder', None), 'module', ''),
                  'run': self.run, 'goal': str(self.goal), 'thoughts': str(self.thoughts),
                  'late': str(self.late), 'cut': str(self.cut),
                  'dropped': str(self.inputs.dropped),
                  'busy_s': f'{0.0 if busy_s is None else time.monotonic() - busy_s:.2f}'}
        values |= self.surprised()
        values |= self.pulse.said(time.monotonic(),
                                  None if self.own.lock_step else self.made['health'])
        if notes:
            values['notes'] = '; '.join(notes)
        level, message = 0, 'thinking'
        if self.worker is None:
            message = 'waiting to be activated'
        elif self.troubles:
            level, message = 2, '; '.join(self.troubles.values())
        elif self.silent:
            level, message = 2, f'waiting for {self.heard[-1].name}'
            if self.inputs.full:
                others = ', '.join(row.name for row in self.heard[:-1])
                message = f'{self.heard[-1].name} waits for what belongs to it, of {others}'
        return convert.Health('', level, message, values)

    def surprised(self) -> dict[str, str]:
        """Say how surprised it was lately, and how much is ordinary for its module."""
        lately = list(self.surprises)
        if not lately:
            return {}
        manifest = getattr(self.mind.encoder, 'made_of', {}).get('manifest', {})
        half, most = np.percentile(lately, (50, 95))
        return {'surprise': f'half below {half:.2f}, 95 % below {most:.2f}',
                'surprise_ordinary': ordinary(manifest)}

    def turn(self) -> float:
        """See that the worker lives; return how long there is nothing else to do."""
        if self.worker is not None and self.worker.died_of is not None:
            raise self.worker.died_of
        return 0.1
