# SPDX-License-Identifier: Apache-2.0
"""Asks the configurator for something, as a person does, or hears how the robot stands."""

import time

from std_srvs.srv import Trigger

from ami_ros.core.types import Verdict
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import topics
from ami_ros.operator.run_until_done import NOBODY, Once, POLL_S, until_done

AGAIN_S = 3.0           # an answer may be lost where two have only just met: it is asked again
RELEASED = 'released: '     # how the critic says that it let go of something
CRITIC_S = 5.0          # after the status; the critic tells each 0.5 s, once it is found
ASKS = {
    'idle': topics.DISARM, 'manual': topics.MANUAL, 'autonomous': topics.ARM,
    'dry_run': topics.DRY_RUN, 'stop': topics.STOP, 'reset': topics.RESET,
    'cancel': topics.CANCEL, 'new episode': topics.NEW_EPISODE}


class Asking(Once):
    """Puts one question, until it is answered."""

    def __init__(self, row: topics.Service):
        super().__init__('mode')
        self.row = row
        self.client = self.create_client(*self.row.client())
        self.futures: list = []
        self.put_s = float('-inf')

    @property
    def answer(self) -> Trigger.Response | None:
        """Return the first answer that came."""
        return next((future.result() for future in self.futures if future.done()), None)

    @property
    def done(self) -> bool:
        """Tell whether there is an answer, or no hope."""
        return self.answer is not None or self.waited

    def turn(self) -> float:
        """Ask, once there is somebody."""
        now_s = time.monotonic()
        if self.client.service_is_ready() and now_s - self.put_s > AGAIN_S:
            self.put_s = now_s
            self.futures.append(self.client.call_async(Trigger.Request()))
        return POLL_S


class StatusListener(Once):
    """Waits for what configurator and critic say."""

    def __init__(self):
        super().__init__('mode')
        self.said: dict[str, str] | None = None
        self.verdict: Verdict | None = None
        self.said_s = 0.0
        self.create_subscription(*topics.STATUS.subscriber(self.on_status))
        self.create_subscription(*topics.VERDICT.subscriber(self.on_verdict))

    @property
    def done(self) -> bool:
        """Tell whether both spoke, or there is no hope."""
        if self.said is None:
            return self.waited
        return self.verdict is not None or time.monotonic() - self.said_s > CRITIC_S

    def on_status(self, msg) -> None:
        """Take what the configurator says."""
        for health in convert.health_from(msg):
            self.said = health.values
            self.said_s = self.said_s or time.monotonic()

    def on_verdict(self, msg) -> None:
        """Take what the critic decided."""
        try:
            self.verdict = convert.verdict_from(msg)
        except ValueError as wrong:
            self.get_logger().error(str(wrong))


def ask(what: str, ros: list[str]) -> tuple[bool, str]:
    """Ask for a mode, a stop, a reset; return whether it was done, and what was answered.

    A person's reset means all that holds the robot: what the critic latched, and a stop.
    """
    if what != 'reset':
        return put(ASKS[what], ros)
    granted, said = put(topics.CRITIC_RESET, ros)
    if not granted:
        return False, f'the critic refuses: {said}'
    try:
        let_go, more = put(topics.RESET, ros)
    except RuntimeError as nobody:      # a critic alone, beside nav2 for one
        let_go, more = False, str(nobody)
    return let_go or said.startswith(RELEASED), f'{said}; {more}'


def put(row: topics.Service, ros: list[str]) -> tuple[bool, str]:
    """Put a question; return whether it was done, and what was answered."""
    node: Asking = until_done(lambda: Asking(row), ros)
    if node.answer is None:
        raise RuntimeError(f'nobody answers on {node.row.name}; {NOBODY}')
    return node.answer.success, node.answer.message


def hear(ros: list[str]) -> tuple[dict[str, str], Verdict | None]:
    """Return the values of the configurator's status, and the critic's newest verdict."""
    node: StatusListener = until_done(StatusListener, ros)
    if node.said is None:
        raise RuntimeError(f'no message came on configurator/status; {NOBODY}')
    return node.said, node.verdict
