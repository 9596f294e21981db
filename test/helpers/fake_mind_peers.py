# SPDX-License-Identifier: Apache-2.0
"""Plays body, critic and configurator to a mind that runs in processes of its own."""

from pathlib import Path
import time

from ami_ros.core.types import Command
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
import numpy as np

FAKE = str(Path(__file__).parent / 'fake_mind.py')
NODES = ('mind', 'perception', 'world_model', 'actor')
NS = 10**9
PERIOD_NS = NS // 10
AGAIN_S = 5.0


def picture(seed):
    """Draw a picture that looks like no other."""
    bright = np.random.default_rng(seed).integers(0, 256, (2, 2, 3))
    return np.kron(bright, np.ones((32, 32, 1))).astype(np.uint8)


class Minded:
    """A bench with a mind on it, in one process or in three."""

    def __init__(self, bench, nodes=('mind',), **parameters):
        self.bench, self.planner = bench, nodes[-1]
        bench.processes.programs.update({name: [FAKE, name] for name in NODES})
        bench.offer(topics.CAMERA, topics.ODOMETRY, topics.IMU, topics.COMMAND, topics.GOAL)
        bench.hear(topics.PLAN, topics.DIAGNOSTICS, topics.ACTOR_STATE, topics.LATENT,
                   topics.BELIEF_STATE)
        for name in nodes:
            bench.start(name, autostart=True, **parameters)
        bench.met(topics.CAMERA, topics.ODOMETRY, topics.IMU, topics.COMMAND, topics.GOAL,
                  topics.PLAN, topics.DIAGNOSTICS)
        if len(nodes) > 1:      # also they among themselves
            inner = (topics.LATENT, topics.GOAL_LATENT, topics.BELIEF, topics.BELIEF_STATE)
            bench.until(lambda: all(bench.node.count_publishers(row.name)
                                    and bench.node.count_subscribers(row.name)
                                    for row in inner), 'the parts of the mind')

    def health(self):
        """What it said of itself last; of three, what the one that plans said."""
        name = self.planner
        said = [health for msg in self.bench.heard[topics.DIAGNOSTICS.name]
                for health in convert.health_from(msg) if health.name == f'/{name}']
        return said[-1] if said else convert.Health(name)

    def order(self, view, number, run='a'):
        """Give an order, again and again, until it is acknowledged."""
        msg = convert.goal_message(view, number, run, 0)

        def acknowledged():
            has = self.health().values
            if (has.get('run'), has.get('goal')) == (run, str(number)):
                return True
            self.bench.say(topics.GOAL, msg)
            return False

        self.bench.until(acknowledged, f'that the mind has goal {number} of run {run}')

    def sense(self, stamp, view=None, what=('odom', 'imu', 'camera')):
        """Publish what belongs to a frame, in this order."""
        at = stamp / NS
        for name in what:
            if name == 'odom':
                self.bench.say(topics.ODOMETRY, convert.odometry_message(
                    stamp, np.array([0.1 * at, 0.02 * at, 0.1 * np.sin(at)]),
                    np.array([0.1, 0.05])))
            elif name == 'imu':
                self.bench.say(topics.IMU, convert.imu_message(
                    stamp, np.array([0.0, 0.0, 0.04 * np.cos(at)]), np.zeros(3)))
            else:
                self.bench.say(topics.CAMERA, convert.image_message(
                    picture(stamp) if view is None else view, stamp))

    def plans(self, stamp):
        """List the plans that were made of a frame."""
        return [plan for plan in map(convert.plan_from, self.bench.heard[topics.PLAN.name])
                if plan.number == stamp]

    def plan(self, stamp):
        """Wait for the plan of a frame."""
        return self.bench.until(lambda: self.plans(stamp), f'a plan of frame {stamp}')[0]

    def answered(self, stamp, view, what):
        """Show a frame and wait for its plan; again, as the simulator does, what got no answer.

        That two processes have heard of each other does not mean that they hear each other yet.
        """
        shown = []

        def planned():
            if not shown or time.monotonic() - shown[-1] > AGAIN_S:
                self.sense(stamp, view, what)
                shown.append(time.monotonic())
            return self.plans(stamp)

        return self.bench.until(planned, f'a plan of frame {stamp}')[0]

    def command(self, stamp, values):
        """Let a command through."""
        self.bench.say(topics.COMMAND, convert.command_message(
            Command(np.asarray(values, float), stamp)))

    def drive(self, frames, begin=10 * NS):
        """Play frames in lock-step, the critic weakening a little; return the plans."""
        made = []
        for index in range(frames):
            stamp = begin + index * PERIOD_NS
            made.append(self.answered(stamp, picture(index), [
                ('odom', 'imu', 'camera'), ('camera', 'imu', 'odom')][index % 2]))
            self.command(stamp, 0.9 * made[-1].knots[0])
        return made


def same_plan(a, b):
    """Compare what plans say, but for when and in which run."""
    return a.knots.tobytes() == b.knots.tobytes() and (a.arrived, a.surprise, a.iterations) == (
        b.arrived, b.surprise, b.iterations)
