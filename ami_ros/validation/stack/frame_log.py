# SPDX-License-Identifier: Apache-2.0
"""What a session says of each frame: its picture, plan, verdict, times and the truth."""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from rclpy.node import Node

from ami_ros.core.types import Plan
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.sim.simulator_interface import Truth


@dataclass
class FrameTrace:
    """What was seen of one frame; the parts come in any order."""

    view: np.ndarray | None = None      # (H, W, 3) uint8
    plan: Plan | None = None
    place: np.ndarray | None = None     # (3,) believed, learned map
    pose: np.ndarray | None = None      # (3,) true, room frame
    rule: str = ''                      # of the critic, where it objected
    level: int = 0                      # of the budget; 0: all the thought that is wanted
    stages_ms: dict[str, float] = field(default_factory=dict)   # encode, plan, ..., critic


class FrameLog:
    """Hears what is said, by frame; `looks` are the truth, `status` is the configurator's."""

    def __init__(self, node: Node):
        self.ticks: dict[int, FrameTrace] = {}
        self.looks: deque[tuple[int, Truth]] = deque()
        self.status: dict[str, str] = {}
        for row, heard in ((topics.PLAN, self.on_plan), (topics.VERDICT, self.on_verdict),
                           (topics.ACTOR_STATE, self.on_state),
                           (topics.BELIEF_STATE, self.on_state),
                           (topics.SIGHT_STATE, self.on_state), (topics.LATENCY, self.on_state),
                           (topics.STATUS, self.on_status), (topics.TRUTH_STATE, self.on_look)):
            row = replace(row, qos=topics.RELIABLE_100)     # every one counts here
            node.create_subscription(*row.subscriber(heard))
        node.create_subscription(*topics.CAMERA.subscriber(self.on_view))

    def tick(self, frame_ns: int) -> FrameTrace:
        return self.ticks.setdefault(frame_ns, FrameTrace())

    def on_view(self, msg) -> None:
        self.tick(convert.nanoseconds(msg.header.stamp)).view = convert.picture_from(msg)

    def on_plan(self, msg) -> None:
        plan = convert.plan_from(msg)
        tick = self.tick(plan.number)
        tick.plan, tick.level = plan, int(self.status.get('budget', '0'))

    def on_verdict(self, msg) -> None:
        verdict = convert.verdict_from(msg)
        tick = self.tick(verdict.number)
        tick.rule = verdict.rule or tick.rule
        took_ms = float(convert.health_from(msg)[0].values.get('judge_ms', 'nan'))
        tick.stages_ms.setdefault('critic_ms', took_ms)     # the first is the answer

    def on_state(self, msg) -> None:
        values, frame_ns, _ = convert.state_from(msg)
        tick = self.tick(frame_ns)
        tick.stages_ms.update((k, v) for k, v in values.items() if k.endswith('_ms'))
        if 'place.x_m' in values:
            tick.place = np.array([values[f'place.{axis}'] for axis in ('x_m', 'y_m', 'yaw_rad')])

    def on_status(self, msg) -> None:
        for health in convert.health_from(msg):
            self.status = health.values

    def on_look(self, msg) -> None:
        said, now_ns, _ = convert.state_from(msg)
        pose = np.array([said['x_m'], said['y_m'], said['yaw_rad']])
        self.looks.append((now_ns, Truth(pose, said['speed_mps'], said['touching'] > 0)))
