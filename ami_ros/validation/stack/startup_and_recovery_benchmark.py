# SPDX-License-Identifier: Apache-2.0
"""Measures what a person waits for: a cold start, an idle robot's load, a mind that comes back."""

from collections.abc import Callable
import os
from pathlib import Path
import signal
import tempfile
import time

import rclpy
from std_srvs.srv import Trigger

from ami_ros.core.robot_processes import GUARDS, planners, RESPAWN_S
from ami_ros.core.share_directory import share
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.nodes.mind_settings import thinking_with
from ami_ros.nodes.run import Executor
from ami_ros.validation.stack.processes import claim_domain, Processes
from ami_ros.validation.stack.resource_usage import Usage

PATIENCE_S = 60.0
AGAIN_S = 2.0           # until it is asked again to be armed
MINE = (*GUARDS, *planners(True))       # what runs on a robot besides its drivers
ENDINGS = {'killed': signal.SIGKILL, 'frozen': signal.SIGSTOP}


class Stack:
    """A robot that is watched from outside; a context manager that leaves nothing running."""

    def __init__(self, logs: Path, world_seed: int, module: str):
        self.domain, self.lock = claim_domain()
        self.processes = Processes(self.domain, logs)
        self.world_seed, self.module = world_seed, module
        self.status: dict[str, str] = {}
        self.plan_s: float | None = None        # when the first plan came

    def __enter__(self):
        self.processes.__enter__()
        os.environ.update(self.processes.settings())
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.node = rclpy.create_node('stopwatch', context=self.context)
        self.spinner = Executor(context=self.context)
        self.spinner.add_node(self.node)
        self.node.create_subscription(*topics.STATUS.subscriber(self._status))
        self.node.create_subscription(*topics.PLAN.subscriber(self._plan))
        self.arming = self.node.create_client(*topics.ARM.client())
        self.moved = False
        self.node.create_subscription(*topics.TRUTH_STATE.subscriber(self._truth))
        self.files = (share('config/rover_node_parameters.yaml'),)
        self.processes.start('sim', {'world_seed': self.world_seed}, self.files)
        self.wait(lambda: self.moved, 'a body')
        return self

    def __exit__(self, *why):
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        self.processes.__exit__(*why)
        self.lock.close()

    def _status(self, msg) -> None:
        self.status = convert.health_from(msg)[0].values

    def _plan(self, _) -> None:
        if self.plan_s is None:
            self.plan_s = time.monotonic()

    def _truth(self, _) -> None:
        self.moved = True

    def start(self) -> float:
        """Start what runs on a robot; return when."""
        begun_s = time.monotonic()
        known = thinking_with(self.module)
        for name in MINE:
            self.processes.start(name, known if name == 'mind' else {}, self.files)
        return begun_s

    def wait(self, happened: Callable[[], object], what: str) -> float:
        """Spin until something is so; return when. RuntimeError says what never came."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            self.spinner.spin_once(timeout_sec=0.01)
            self.processes.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f'{what} did not come within {PATIENCE_S:g} s; the '
                                   f'configurator says {self.status}')
        return time.monotonic()

    def ready(self) -> float:
        """Wait until it can be armed; return when."""
        return self.wait(lambda: self.status.get('ready') == '1', 'that it can be armed')

    def arm(self) -> None:
        """Arm it, and wait until the mind is awake; again, where it was disarmed meanwhile."""
        asked_s = -AGAIN_S

        def armed() -> bool:
            nonlocal asked_s
            if time.monotonic() - asked_s > AGAIN_S and self.status.get('mode') != 'autonomous' \
                    and self.arming.service_is_ready():
                asked_s = time.monotonic()
                self.arming.call_async(Trigger.Request())
            return (self.status.get('mode') == 'autonomous'
                    and self.status.get('acknowledged') == '1')

        self.wait(armed, 'that it is armed')


def cold_start(stack: Stack) -> dict:
    """Start the three processes and arm them as soon as they can be."""
    begun_s = stack.start()
    ready_s = stack.ready()
    stack.arm()
    stack.wait(lambda: stack.plan_s is not None, 'a plan')
    assert stack.plan_s is not None
    return {'ready_s': round(ready_s - begun_s, 3),
            'first_plan_s': round(stack.plan_s - begun_s, 3)}


def revival(stack: Stack, how: str) -> float:
    """End the armed mind one way; return seconds until it can be armed again.

    What a launch file would do is done here: what ended is started again after RESPAWN_S.
    """
    mind = stack.processes.running['mind']
    begun_s = time.monotonic()
    os.kill(mind.pid, ENDINGS[how])
    stack.processes.respawn.discard('mind')
    stack.processes.running.pop('mind')
    stack.wait(lambda: mind.poll() is not None, 'that it ends')
    ended_s = time.monotonic()
    stack.wait(lambda: time.monotonic() - ended_s >= RESPAWN_S, 'the delay of a respawn')
    stack.processes.launch('mind')
    stack.wait(lambda: stack.status.get('mode') == 'idle', 'that it is disarmed')
    return stack.ready() - begun_s


def idle(stack: Stack, seconds: float) -> dict:
    """Let it be idle beside a body that senses; return what each process costs."""
    usage = Usage({name: stack.processes.running[name] for name in MINE})
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        stack.spinner.spin_once(timeout_sec=0.2)
        usage.look()
    cores = {name: said['cores'] for name, said in usage.report().items()}
    return {'seconds': seconds, 'cores': cores, 'cores_together': round(sum(cores.values()), 4)}


def measure(module: str, world_seed: int, repeats: int, idle_s: float,
            say: Callable[[str], object]) -> dict:
    """Measure all of it: cold starts, revivals by each ending, and an idle robot."""
    starts, resting = [], None
    revivals: dict[str, list] = {how: [] for how in ENDINGS}
    for repeat in range(repeats):
        with tempfile.TemporaryDirectory() as logs, Stack(Path(logs), world_seed, module) as stack:
            starts.append(cold_start(stack))
            say(f'cold start {repeat + 1} of {repeats}: {starts[-1]}\n')
            for how, took in revivals.items():
                took.append(round(revival(stack, how), 3))
                say(f'{how}: can be armed again after {took[-1]} s\n')
                stack.arm()
        if repeat == 0:
            with tempfile.TemporaryDirectory() as logs, \
                    Stack(Path(logs), world_seed, module) as stack:
                stack.start()
                stack.ready()
                resting = idle(stack, idle_s)
                say(f'idle: {resting}\n')
    return {'cold_start': starts, 'revival_s': revivals, 'idle': resting}
