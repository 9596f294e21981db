# SPDX-License-Identifier: Apache-2.0
"""
Supervises the nodes: starts and restarts the planner, takes goals, modes, cancels; reports status.

It is a process of its own and loads no network, so that it survives a crash of the planner, which
it restarts. It activates itself. Its decisions are in ami_ros/configurator/configurator.py.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
import math
import time
import uuid

import numpy as np

from ami_ros.configurator.configurator import Configurator, ConfiguratorSettings
from ami_ros.core.durable_state import KeptStop, state_folder_or_temporary
from ami_ros.core.stack import planners
from ami_ros.critic.rules.required_sensors import heard
from ami_ros.host.heat import Thermometer
from ami_ros.host.watts import Wattmeter
from ami_ros.nodes import convert, parameters, topics
from ami_ros.nodes.lifecycle import Managed
from ami_ros.nodes.narrowing import of_kind, present
from ami_ros.nodes.run import run
from ami_ros.nodes.transition_requests import end, TransitionRequests
from ami_ros.perception.camera_contract import of_robot
from ami_ros.perception.camera_preprocessor import CameraPreprocessor
from ami_ros.robots.find import find

TICK_S = 0.1            # the permit of an armed robot, and how soon anything is noticed
STATUS_S = 0.5          # the status otherwise, and a goal that the mind did not acknowledge yet
HEAT_S = 1.0            # how warm the machine is
MODES = {               # service: the mode that it asks for
    topics.ARM: 'autonomous', topics.DISARM: 'idle', topics.MANUAL: 'manual',
    topics.DRY_RUN: 'dry_run', topics.STOP: 'stopped'}
GROUPS = {'': ConfiguratorSettings}


class ConfiguratorNode:
    """Converts in, asks the configurator, converts out."""

    def __init__(self):
        self.node = Managed('configurator', self)
        self.made = parameters.declare(self.node, GROUPS)
        self.settings = of_kind(self.made[''], ConfiguratorSettings)
        self.picture: np.ndarray | None = None      # of the goal
        self._mine: Configurator | None = None      # while it is configured
        self.requests: TransitionRequests | None = None
        self.told_s = self.handed_s = 0.0
        if self.settings.autostart:
            self.node.rise()

    @property
    def mine(self) -> Configurator:
        """Return what decides; it is there while the node is configured."""
        return present(self._mine)

    def configure(self) -> None:
        """Open the robot file, determine the nodes to supervise, and restore a stored stop."""
        robot = find(self.settings.robot)
        # goal pictures may be of the camera's size
        self.eye = CameraPreprocessor(robot, of_robot(robot))
        self.heat, self.watts = Thermometer(), Wattmeter()
        self.infos = [replace(topics.CAMERA_INFO, name=sensor.topic)
                      for sensor in robot.sensors_of('CameraInfo')[:1]]
        space = self.node.get_namespace().rstrip('/')
        names = planners(self.settings.use_composition)
        self._mine = Configurator(self.settings, uuid.uuid4().hex[:8],
                                  tuple(f'{space}/{name}' for name in names), f'{space}/critic')
        self.required = {sensor.name for sensor in heard(robot) if sensor.required}
        folder, homeless = state_folder_or_temporary(self.settings.state_dir,
                                                     self.node.get_namespace())
        if homeless:
            self.node.get_logger().error(homeless)
        self.kept = KeptStop(folder)
        was = self.kept.found()
        self.keeps = bool(was)
        if was:
            self.mine.restore(was)
            self.node.get_logger().warning(f'the configurator starts in mode stopped: {was}')
        if self.kept.wrong:
            self.node.get_logger().error(self.kept.wrong)
        self.goals = self.node.create_publisher(*topics.GOAL.publisher())
        self.statuses = self.node.create_publisher(*topics.STATUS.publisher())
        self.budgets = self.node.create_publisher(*topics.BUDGET.publisher())
        self.requests = TransitionRequests(self.node, self.mine.supervisor)

    def activate(self) -> None:
        """Subscribe, offer the services, and start to supervise the nodes."""
        active = self.node.active
        for row, take in ((topics.GOAL_IMAGE, self.on_goal),
                           (topics.DIAGNOSTICS, self.on_diagnostics),
                           (topics.PLAN, self.on_plan), (topics.VERDICT, self.on_verdict)):
            active.hear(row, take)
        for row in self.infos:
            active.hear_once(row, self.eye.on_info)

        def ask(mode: str) -> tuple[bool, str]:
            return self.mine.ask(mode, time.monotonic())
        for service, mode in MODES.items():
            active.serve(service, self.asking(partial(ask, mode)))
        active.serve(topics.RESET, self.asking(self.mine.reset))
        active.serve(topics.CANCEL, self.asking(lambda: (True, self.mine.cancel())))
        active.serve(topics.NEW_EPISODE, self.asking(lambda: (True, self.mine.begin())))
        active.tick(TICK_S, self.on_time)
        active.tick(HEAT_S, self.on_heat)

    def deactivate(self) -> None:
        """Disarm the robot and publish the new status."""
        if self._mine is not None:
            self.mine.ask('idle', time.monotonic())
            self.hand_over()
            self.say()

    def cleanup(self) -> None:
        """Release the publishers and the list of supervised nodes."""
        for name in ('heat', 'watts'):
            meter = self.__dict__.pop(name, None)
            if meter is not None:
                meter.close()
        if self.requests is not None:
            self.requests.close()
        for name in ('goals', 'statuses', 'budgets'):
            publisher = self.__dict__.pop(name, None)
            if publisher is not None:
                self.node.destroy_publisher(publisher)
        self._mine = self.requests = None

    def asking(self, ask: Callable[[], tuple[bool, str]]) -> Callable:
        """Make the answer of a service."""
        def answer(_, response):
            response.success, response.message = ask()
            self.follow_up()
            return response
        return answer

    def on_goal(self, msg) -> None:
        """Take a new goal, at any time; one that cannot be one ends the old one as well."""
        try:
            picture = self.eye.goal(convert.picture_from(msg))
        except ValueError as wrong:
            self.node.get_logger().error(f'goal {wrong}')
            self.mine.refuse(f'goal {wrong}')
        else:
            if self.mine.give(time.monotonic()):
                self.picture = picture
            else:
                self.node.get_logger().error(self.mine.reason)
        self.follow_up()

    def on_diagnostics(self, msg) -> None:
        """Take signs of life."""
        for health in convert.health_from(msg):
            self.mine.on_beat(health.name, health.level, health.message, health.values,
                              time.monotonic())
        self.follow_up()

    def on_plan(self, msg) -> None:
        """See whether the robot declares that it is there."""
        try:
            plan = convert.plan_from(msg)
        except ValueError:
            return              # the critic says what is wrong with it
        self.mine.on_plan(plan.arrived, plan.goal, plan.run, plan.start_ns)
        self.follow_up()

    def on_verdict(self, msg) -> None:
        """See what the critic does."""
        try:
            verdict = convert.verdict_from(msg)
        except ValueError as wrong:
            self.node.get_logger().error(str(wrong), throttle_duration_sec=5.0)
            return
        lost = tuple(name for name in verdict.silent if name in self.required)
        self.mine.on_verdict(verdict.action, verdict.rule, verdict.reason, verdict.source,
                             time.monotonic(), verdict.latch, lost)
        self.follow_up()

    def on_time(self) -> None:
        """Let the supervisor act, and say how it stands as often as it is needed."""
        now_s = time.monotonic()
        if self.made[''] is not self.settings:
            self.settings = of_kind(self.made[''], ConfiguratorSettings)
            self.mine.tune(self.settings)
        present(self.requests).hear_answers(now_s)
        for act in self.mine.tick(now_s):
            if act.what == 'end':
                end(act, self.node.get_logger().error)
            else:
                present(self.requests).step(act, now_s)
        news, self.mine.supervisor.news = self.mine.supervisor.news, []
        for sentence in news:
            self.node.get_logger().warning(sentence)
        self.follow_up()
        armed = self.mine.mode in ('autonomous', 'dry_run')
        if armed and not self.mine.acknowledged and now_s - self.handed_s >= STATUS_S:
            self.hand_over()
        if armed or now_s - self.told_s >= STATUS_S:
            self.say()

    def on_heat(self) -> None:
        """Say whether heat or power slows the machine down: plans are then late for no other.

        And what it draws, where the board tells: a recording knows from it what a drive cost.
        """
        heat, watts = self.heat.read(), self.watts.read()
        drawn = {} if math.isnan(watts) else {'power_w': f'{watts:.3f}'}
        health = convert.Health(f'{self.node.get_namespace().rstrip("/")}/machine',
                                int(heat.throttled), heat.text,
                                {'throttled': str(int(heat.throttled)),
                                 'hottest_c': f'{heat.hottest_c:.1f}', **drawn})
        self.node.diagnostics.publish(convert.health_message(health, self.now_ns()))

    def follow_up(self) -> None:
        """Tell everybody at once when something changed."""
        if self.mine.changed:
            self.mine.changed = False
            if not self.mine.goal:
                self.picture = None
            if not self.mine.acknowledged:
                self.hand_over()
            self.say_budget()
            self.say()
            self.keep()

    def keep(self) -> None:
        """Have a stop outlive this process; told after it was done, since a disk may be slow."""
        stopped = self.mine.mode == 'stopped'
        if stopped != self.keeps:
            self.keeps = stopped
            self.kept.keep(self.mine.reason or 'it was stopped' if stopped else '')
            if self.kept.wrong:
                self.node.get_logger().error(self.kept.wrong)

    def hand_over(self) -> None:
        """Publish run and goal."""
        self.handed_s = time.monotonic()
        self.goals.publish(convert.goal_message(self.picture, self.mine.goal, self.mine.run,
                                                self.now_ns()))

    def say(self) -> None:
        """Publish the status, which is also the critic's permit."""
        self.told_s = time.monotonic()
        health = self.health()
        self.statuses.publish(convert.health_message(convert.Health(
            self.node.get_fully_qualified_name(), health.level, health.message, health.values),
            self.now_ns()))

    def say_budget(self) -> None:
        """Publish how much thought a plan may cost."""
        level = self.mine.budget.now
        self.budgets.publish(convert.state_message(
            {'candidates': level.candidates, 'horizon': level.horizon,
             'every': float(level.every)}, self.now_ns()))

    def health(self) -> convert.Health:
        """Say how it stands."""
        if self._mine is None:
            return convert.Health('', 0, 'not configured')
        values = self.mine.status(time.monotonic())
        planner = self.mine.supervisor.wards[self.mine.planner]
        values['mind'] = planner.message
        wrong = self.kept.wrong
        level = 1 if values['waits_for'] or wrong or self.mine.task == 'failed' else 0
        message = wrong or self.mine.reason or values['waits_for'] or self.mine.mode
        return convert.Health('', level, message, values)

    def now_ns(self) -> int:
        """Return ROS time."""
        return self.node.get_clock().now().nanoseconds


def configurator_node() -> Managed:
    """Make the node."""
    return ConfiguratorNode().node


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(configurator_node, args)
