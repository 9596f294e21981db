# SPDX-License-Identifier: Apache-2.0
"""
Switches to another active set of modules while the robot drives, between two frames.

The pointer file of the store is looked at between inputs: it is the order, so that who activates
or rolls back needs no ROS. The new set is verified, opened, held to its golden inputs and given
the goal beside the old one, by a thread that is nice; the worker only changes over. A set that
fails is told in the health's notes, and the old one thinks on.
"""

from collections.abc import Callable
from dataclasses import dataclass
import os
import threading

from ami_ros.core.types import Goal
from ami_ros.mind import Mind
from ami_ros.modules import active_set
from ami_ros.perception.camera_preprocessor import CameraPreprocessor

NICE = 10               # of the thread that opens: what drives comes first


@dataclass(frozen=True)
class Other:
    """A mind that could take over, with the eye that it sees through."""

    mind: Mind
    eye: CameraPreprocessor
    order: object       # that its goal was made of; None: no goal
    goal: Goal | None


class HotSwap:
    """Watches for a mind node; `look` and `take` are its worker's."""

    def __init__(self, worker, adopt: Callable[[Mind, CameraPreprocessor, Goal | None], None]):
        self.worker, self.adopt = worker, adopt
        self.path = active_set.folder(worker.own.module_store_dir) / active_set.FILE
        self.known = self.stamp()
        self.wrong = ''             # why the set that is active is not the one that thinks
        self.old: Mind | None = None
        self.thread: threading.Thread | None = None
        self.other: Other | None = None

    def stamp(self) -> tuple[int, ...] | None:
        """Tell one pointer file from the next without reading it."""
        try:
            about = os.stat(self.path)
        except OSError:
            return None
        return about.st_ino, about.st_mtime_ns, about.st_size

    def look(self) -> None:
        """Begin to open what was activated meanwhile, if anything was."""
        if self.busy or (now := self.stamp()) == self.known:
            return
        self.known, self.other = now, None
        self.begin(self.open)

    @property
    def busy(self) -> bool:
        """Tell whether the thread is at it."""
        return self.thread is not None and self.thread.is_alive()

    def begin(self, work) -> None:
        """Have a thread do it, and tell what goes wrong."""
        def safely() -> None:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
            try:
                work()
                self.wrong = ''
            except Exception as why:    # whatever it is, the old one thinks on
                self.wrong = f'the active set of modules was not loaded: {why}'
                self.worker.node.get_logger().error(self.wrong)
        self.thread = threading.Thread(target=safely, name='swap', daemon=True)
        self.thread.start()

    def open(self) -> None:
        """Open the active set's mind, and aim it."""
        mind = self.worker.make_mind(self.worker.made)
        if said(mind) == said(self.worker.mind):
            return
        mind.begin()
        self.aim(mind, self.worker.sensors.eye.through(mind.encoder.contract))

    def aim(self, mind: Mind, eye: CameraPreprocessor) -> None:
        """Give it the goal that there is now."""
        order = self.worker.episode.order
        goal = None
        if order is not None:
            goal = mind.goal(eye.goal(order.value), order.number)
            mind.actor.set_goal(goal)
        self.other = Other(mind, eye, order, goal)

    def take(self) -> None:
        """Change over, if all is ready and the goal is still the one it was made ready for."""
        other, worker = self.other, self.worker
        if other is None or self.busy:
            return
        self.other = None
        if other.order is not worker.episode.order:       # the goal changed meanwhile
            self.begin(lambda: self.aim(other.mind, other.eye))
            return
        self.old, eye = worker.mind, worker.sensors.eye
        other.mind.go_on_from(self.old, space(self.old) == space(other.mind))
        # it may have slept meanwhile, and have opened another eye for the same kind of camera
        same_eye = eye.contract == other.eye.contract
        self.adopt(other.mind, eye if same_eye else other.eye, other.goal)
        worker.node.get_logger().info(f'the planner now uses {said(other.mind)}')
        self.begin(self.give_back)

    def give_back(self) -> None:
        """Let the one before go; that takes time, which is the thread's."""
        self.old = None


def said(mind: Mind) -> str:
    """Name the module that a mind was made of."""
    return getattr(mind.encoder, 'module', '')


def space(mind: Mind) -> str | None:
    """Name the latent space of a mind."""
    return getattr(mind.encoder, 'made_of', {}).get('manifest', {}).get('latent_space')
