# SPDX-License-Identifier: Apache-2.0
"""
The loop in one function with a stopwatch: the calls that the nodes make, nothing between them.

Frames come at the pace of a camera, since a loop without pauses finds everything in the caches.
"""

import time
from typing import cast

from ami_ros.core.settings import ActorSettings, EnergySettings, WorldModelSettings
from ami_ros.core.types import Command, Frame, Plan, Verdict
from ami_ros.critic.critic import Critic
from ami_ros.inference import Options
from ami_ros.inference.background_engine_build import Growing
from ami_ros.inference.encoder_and_dynamics import mind, Networks
from ami_ros.modules.module import Module
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.validation import evaluate
from ami_ros.validation.evaluation_protocol import goal_drive
from ami_ros.validation.planners import WorldModelPlanner

PLAIN = Options()
STAGES = ('encode', 'plan', 'encode_plan', 'critic', 'camera_to_command')


class Stopwatch(WorldModelPlanner):
    """The mind, paced and timed; frames that nothing was searched for do not count."""

    def __init__(self, own, period_s: float):
        super().__init__(own)
        self.period_s, self.due_s = period_s, time.perf_counter()
        self.took_ms: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self.last_ms: dict[str, float] = {}

    def begin(self, seed: int, picture) -> None:
        """Find the way when the goal is given, as the nodes do, not within the first frame."""
        super().begin(seed, picture)
        assert self.goal is not None
        self.mind.actor.set_goal(self.goal)

    def decide(self, frame: Frame, commands: tuple[Command, ...]) -> Plan:
        """Wait for the camera; tick."""
        self.due_s = max(self.due_s + self.period_s, time.perf_counter() - self.period_s)
        time.sleep(max(0.0, self.due_s - time.perf_counter()))
        begun = time.perf_counter()
        latent = self.mind.see(frame)
        seen = time.perf_counter()
        belief = self.mind.believe(latent, commands)
        believed = time.perf_counter()
        plan = self.mind.plan(belief, commands, self.goal)
        planned = time.perf_counter()
        self.last_ms = {} if plan.iterations == 0 else {
            'encode': 1e3 * (seen - begun), 'plan': 1e3 * (planned - believed),
            'encode_plan': 1e3 * (planned - begun)}
        return plan

    def judged(self, seconds: float) -> None:
        """Take the critic's share."""
        if self.last_ms:
            critic = 1e3 * seconds
            self.last_ms |= {'critic': critic,
                             'camera_to_command': self.last_ms['encode_plan'] + critic}
            for stage, value in self.last_ms.items():
                self.took_ms[stage].append(value)


def timed(critic: Critic, watch: Stopwatch) -> Critic:
    """Have a critic tell how long each answer took."""
    judge = critic.judge

    def timing(*given) -> Verdict:
        begun = time.perf_counter()
        verdict = judge(*given)
        watch.judged(time.perf_counter() - begun)
        return verdict

    setattr(critic, 'judge', timing)    # noqa: B010 a method of this one object
    return critic


def one_function(module: Module, blocks: int, seed: int, seconds: float, backend: str = 'onnx',
                 options: Options = PLAIN) -> dict[str, list[float]]:
    """Drive episodes for so long; return the milliseconds of every frame, by stage.

    An engine that has to be built is waited for.
    """
    robot = find('rover')
    world = worlds.draw(evaluate.home(module))
    own = mind(module, robot, WorldModelSettings(), ActorSettings(), EnergySettings(),
               time.monotonic_ns, backend, options)
    for network in cast(Networks, own.encoder).opened.values():
        if isinstance(network, Growing):
            network.done.wait()
    policy, watch = evaluate.policy(), Stopwatch(own, evaluate.FRAME_S)
    begun = time.monotonic()
    with Simulator(world, robot, seed) as sim:
        while time.monotonic() - begun < seconds:
            evaluate.episode(sim, watch, timed(Critic(policy, robot), watch),
                             goal_drive(world, robot, blocks, seed), seed)
            seed += 1
    return watch.took_ms
