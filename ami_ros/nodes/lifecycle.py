# SPDX-License-Identifier: Apache-2.0
"""
A lifecycle node whose transitions may fail: each failure is told, and can be left again.

rclpy swallows an exception in a transition, or dies of it, and manages nothing but publishers.
What a node does is its `Work`: `configure`, `activate`, `deactivate` and `cleanup`; subscriptions
and timers that it makes in `active` are undone when it deactivates, whatever else goes wrong.

| transition with an error | result | state afterwards |
|---|---|---|
| configure | FAILURE; its steps are undone | unconfigured |
| activate | FAILURE; its steps are undone | inactive |
| deactivate, cleanup | ERROR; all steps are undone | unconfigured |
| shutdown | SUCCESS; the error is reported | finalized; the process exits and can be restarted |
"""

from collections.abc import Callable
import os
from pathlib import Path
import socket
import traceback
from typing import Protocol

from lifecycle_msgs.msg import State, Transition
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

from ami_ros.core.errors import AmiError
from ami_ros.nodes import message_conversions as convert
from ami_ros.nodes import parameters, topics
from ami_ros.nodes.run import first_line, IDLE_S

BEAT_S = 0.25           # a sign of life each
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR
STEPS = {'configure': Transition.TRANSITION_CONFIGURE, 'activate': Transition.TRANSITION_ACTIVATE,
         'deactivate': Transition.TRANSITION_DEACTIVATE,
         'cleanup': Transition.TRANSITION_CLEANUP}


def here() -> str:
    """Name the place in which process numbers mean something: this boot, this container."""
    try:
        boot = Path('/proc/sys/kernel/random/boot_id').read_text()[:8]
        return f'{boot}/{os.readlink("/proc/self/ns/pid")}'
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str:
    """Tell when a process began, in ticks since boot; '' where there is none of this number."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]
    except (OSError, IndexError):
        return ''


def alive() -> dict[str, str]:
    """Say which process this is, so that a supervisor on the same machine could end it."""
    return {'pid': str(os.getpid()), 'host': here(), 'started': started(os.getpid())}


class Work(Protocol):
    """What a node does in its transitions; what raises is told as `Managed` says."""

    def configure(self) -> None:
        """Make what costs time: networks, publishers."""

    def activate(self) -> None:
        """Begin to work; subscriptions and timers by `Managed.active`."""

    def deactivate(self) -> None:
        """Leave the world safe, and work no more."""

    def cleanup(self) -> None:
        """Give back what `configure` made; it may have been made by half."""

    def health(self) -> convert.Health:
        """Say how it stands: level, message, values."""


class ActiveScope:
    """Subscriptions, services and timers that a node has only while it is active."""

    def __init__(self, node: LifecycleNode, steady: Clock):
        self.node, self.steady = node, steady
        self.undo: list[Callable] = []      # newest last

    def hear(self, row: topics.Topic, callback: Callable) -> None:
        """Listen to a topic."""
        heard = self.node.create_subscription(*row.subscriber(callback))
        self.undo.append(lambda: self.node.destroy_subscription(heard))

    def hear_once(self, row: topics.Topic, callback: Callable) -> None:
        """Listen to a topic until something came."""
        heard: list = []

        def first(msg) -> None:
            if heard:
                self.node.destroy_subscription(heard.pop())
                callback(msg)

        heard.append(self.node.create_subscription(*row.subscriber(first)))
        self.undo.append(lambda: heard and self.node.destroy_subscription(heard.pop()))

    def serve(self, row: topics.Service, callback: Callable) -> None:
        """Answer a service."""
        served = self.node.create_service(*row.server(callback))
        self.undo.append(lambda: self.node.destroy_service(served))

    def tick(self, every_s: float, callback: Callable) -> None:
        """Call something by the steady clock."""
        timer = self.node.create_timer(every_s, callback, clock=self.steady)
        self.undo.append(lambda: self.node.destroy_timer(timer))

    def taken(self) -> list[Callable]:
        """Return what undoes each, newest first, and forget them."""
        undo, self.undo = self.undo, []
        return undo[::-1]


class Managed(LifecycleNode):
    """A node that a supervisor configures and activates, and that gives signs of life."""

    def __init__(self, name: str, work: Work, turn: Callable[[], float] = lambda: IDLE_S):
        """`turn` is called between callbacks; it returns how long there is nothing to do."""
        super().__init__(name, **parameters.FROM_FILE)
        self.work, self.turn = work, turn
        self.failed = ''            # why the last transition did not work
        self.broken = False         # the work cannot begin again: this process has to end
        self._rising = False
        self._who = alive()
        self.diagnostics = self.create_publisher(*topics.DIAGNOSTICS.publisher())
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.active = ActiveScope(self, steady)
        self.create_timer(BEAT_S, self.beat, clock=steady)
        keep_wrong_requests_from_killing(self)

    @property
    def state(self) -> str:
        """Return 'unconfigured', 'inactive', 'active', 'finalized', or that of a transition."""
        return self._state_machine.current_state[1]

    @property
    def done(self) -> bool:
        """Tell whether it is over: the process should end."""
        return self._state_machine.current_state[0] == State.PRIMARY_STATE_FINALIZED

    def beat(self) -> None:
        """Give a sign of life, with how it stands."""
        try:
            said = self.work.health()
        except Exception as bug:        # a sign of life must not end one
            said = convert.Health('', 2, f'it cannot say how it stands: {bug!r}')
        level, message = said.level, said.message
        if self.failed:
            level, message = 2, self.failed
        health = convert.Health(self.get_fully_qualified_name(), level, message,
                                {'state': self.state, **self._who, **said.values})
        self.diagnostics.publish(
            convert.health_message(health, self.get_clock().now().nanoseconds))

    # transitions, as rclpy calls them

    def on_configure(self, state):
        """Configure, or remain unconfigured."""
        return self._go('configure', lambda: super(Managed, self).on_configure(state),
                        self.work.configure, self._clean)

    def on_activate(self, state):
        """Activate, or remain inactive."""
        return self._go('activate', lambda: super(Managed, self).on_activate(state),
                        self.work.activate, self._rest)

    def on_deactivate(self, state):
        """Deactivate; where that fails, undo all there is."""
        return self._go('deactivate', lambda: super(Managed, self).on_deactivate(state),
                        self._rest, None)

    def on_cleanup(self, state):
        """Clean up; where that fails, undo all there is."""
        return self._go('cleanup', lambda: super(Managed, self).on_cleanup(state),
                        self._clean, None)

    def on_shutdown(self, state):
        """End for good, whatever goes wrong."""
        self._quietly(self._rest)
        self._quietly(self._clean)
        return SUCCESS

    def on_error(self, state):
        """Undo all there is, so that one can begin again."""
        self._quietly(self._rest)
        self._quietly(self._clean)
        return FAILURE if self.broken else SUCCESS

    # how

    def _go(self, name: str, publishers: Callable, work: Callable, undo: Callable | None):
        try:
            if name in ('configure', 'activate'):
                publishers()
            work()
            if name in ('deactivate', 'cleanup'):
                publishers()
        except Exception as why:
            said, self.failed = self.failed, f'{name} failed: {first_line(why)}'
            if said == self.failed:         # a supervisor asks again and again
                self.get_logger().error(self.failed)
            elif not (self._rising and isinstance(why, AmiError)):    # that is said at the end
                self.get_logger().error(f'{self.failed}\n{traceback.format_exc()}')
            if undo is not None:
                self._quietly(undo)
                self._quietly(lambda: self._silence(name))
            return FAILURE if undo is not None else ERROR
        self.failed = ''
        return SUCCESS

    def _silence(self, name: str) -> None:
        """Take back what the publishers were told before the work failed."""
        if name == 'activate':
            LifecycleNode.on_deactivate(self, None)

    def _rest(self) -> None:
        """Deactivate; what activation made is undone in any case."""
        try:
            self.work.deactivate()
        finally:
            for one in self.active.taken():
                self._quietly(one)

    def _clean(self) -> None:
        self.work.cleanup()

    def _quietly(self, work: Callable) -> None:
        """Do it; what goes wrong is told, and stops nothing else from being undone."""
        try:
            work()
        except Exception as why:
            self.get_logger().error(f'a transition could not be undone: {first_line(why)}\n'
                                    f'{traceback.format_exc()}')

    def rise(self) -> None:
        """Configure and activate by itself, for who has no supervisor; ValueError says why not."""
        self._rising = True
        if self.trigger_configure() != SUCCESS or self.trigger_activate() != SUCCESS:
            raise AmiError(self.failed.partition(': ')[2])
        self._rising = False

    def stop(self) -> None:
        """End: called once, when the process was asked to."""
        if self.state == 'active':
            self._quietly(self._rest)
        if not self.done:
            self._quietly(self._clean)


def keep_wrong_requests_from_killing(node: Managed) -> None:
    """Answer a transition that does not exist from here; rclpy before 8 dies of it."""
    service = node._service_change_state
    answer = service.callback

    def safely(request, response):
        try:
            return answer(request, response)
        except Exception as why:
            asked = request.transition.label or request.transition.id
            node.get_logger().warning(f'transition {asked!r} is not possible in state '
                                      f'{node.state}: {first_line(why)}')
            response.success = False
            return response

    service.callback = safely
