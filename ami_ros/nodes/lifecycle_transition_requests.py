# SPDX-License-Identifier: Apache-2.0
"""Requests lifecycle transitions of the planner nodes, and terminates a process that hangs."""

from collections.abc import Callable
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal

from lifecycle_msgs.srv import ChangeState
from rclpy.node import Node

from ami_ros.configurator.supervisor import Supervisor, Transition
from ami_ros.nodes.lifecycle import here, started, STEPS

ANSWER_S = 30.0         # for a transition; networks are loaded in one
AGAIN_S = 0.4           # until a transition is asked for again that does not seem to begin
BEFORE = {'configure': 'unconfigured', 'activate': 'inactive', 'deactivate': 'active'}
AFTER = {'configure': 'inactive', 'activate': 'active', 'deactivate': 'inactive'}


@dataclass
class Asked:
    """A requested transition; the request may have been repeated."""

    what: str
    since_s: float
    put_s: float = 0.0          # when last
    futures: list = field(default_factory=list)


class TransitionRequests:
    """Requests transitions of supervised nodes, and passes the answers to the supervisor."""

    def __init__(self, node: Node, supervisor: Supervisor):
        self.node, self.supervisor = node, supervisor
        self.steps = {name: node.create_client(ChangeState, f'{name}/change_state')
                      for name in supervisor.wards}
        self.asked: dict[str, Asked] = {}           # transitions that are not answered yet

    def step(self, act: Transition, now_s: float) -> None:
        """Request a transition of a node."""
        if not self.steps[act.name].service_is_ready():     # it has only just come up: soon
            self.supervisor.wards[act.name].asked = ''
            return
        self.asked[act.name] = asked = Asked(act.what, now_s)
        self.put(act.name, asked, now_s)

    def put(self, name: str, asked: Asked, now_s: float) -> None:
        """Send the request, for the first time or again."""
        request = ChangeState.Request()
        request.transition.id, request.transition.label = STEPS[asked.what], asked.what
        asked.futures.append(self.steps[name].call_async(request))
        asked.put_s = now_s

    def hear_answers(self, now_s: float) -> None:
        """Collect the answers; a transition without an answer failed.

        A request to a process that has just started may be lost, or arrive seconds later. It is
        sent again while the heartbeats of the process report the old state.
        """
        for name, asked in list(self.asked.items()):
            ward = self.supervisor.wards[name]
            answers = [future.result().success for future in asked.futures if future.done()]
            if not ward.asked:                  # that process ended meanwhile
                pass
            elif True in answers or ward.state == AFTER[asked.what]:
                self.supervisor.on_answer(name, True, now_s)
            elif len(answers) == len(asked.futures) or now_s - asked.since_s > ANSWER_S:
                self.supervisor.on_answer(name, False, now_s)
            else:
                if ward.state == BEFORE[asked.what] and now_s - asked.put_s > AGAIN_S:
                    self.put(name, asked, now_s)
                continue
            for future in asked.futures:
                if not future.done():
                    self.steps[name].remove_pending_request(future)
            del self.asked[name]

    def close(self) -> None:
        """Destroy the clients."""
        for client in self.steps.values():
            self.node.destroy_client(client)


def end(act: Transition, log: Callable[[str], None]) -> None:
    """Kill a process that sends no heartbeat, if it still runs and is the same process."""
    pid, host, since = act.life
    if host != here() or not pid.isdigit() or started(int(pid)) != since or not since:
        return              # it ended by itself, or runs on another machine
    try:
        if act.name.rpartition('/')[2] not in Path(f'/proc/{pid}/cmdline').read_text():
            log(f'process {pid} claims to be {act.name}, but its command line does not name it; '
                'the process is not terminated')
            return
        os.kill(int(pid), signal.SIGKILL)
        log(f'{act.name}, process {pid}, was terminated')
    except OSError as why:
        log(f'{act.name}, process {pid}, cannot be terminated: {why}')
