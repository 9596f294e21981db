# SPDX-License-Identifier: Apache-2.0
"""Perception in a process of its own: pictures in, latents out."""

from time import perf_counter

import numpy as np

from ami_ros.agent.types import Frame
from ami_ros.images import codec
from ami_ros.nodes import convert, topics
from ami_ros.nodes.mind_settings import GROUPS as ALL
from ami_ros.nodes.mind_settings import open_mind
from ami_ros.nodes.run import run
from ami_ros.nodes.thinking import Input, Order, Said, Thinking

GROUPS = ALL['perception']
NOWHERE = np.zeros(3)       # perception does not ask where the body is
SAME_SHAPE = 0.02           # aspect ratios that differ less are the same, of ratios about 1


def fitted(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a picture to (width, height); ValueError when its shape is another one."""
    height, width = picture.shape[:2]
    if abs(width / height - size[0] / size[1]) > SAME_SHAPE * size[0] / size[1]:
        raise ValueError(f'picture is {width}x{height}; this module sees {size[0]}x{size[1]}, and '
                         'larger pictures of the same shape')
    return np.ascontiguousarray(codec.resize(picture, size))


def picture_of(msg, size: tuple[int, int]) -> np.ndarray:
    """Read a picture as the module wants it."""
    return fitted(convert.picture_from(msg), size)


class PerceptionNode(Thinking):
    """Converts in, sees, converts out."""

    def __init__(self, make_mind=open_mind):
        super().__init__('perception', make_mind)
        self.start()

    def configure(self) -> None:
        """Open the networks, and offer what they make."""
        super().configure()
        self.latents, self.goals = self.offer(topics.LATENT), self.offer(topics.GOAL_LATENT)
        self.states = self.offer(topics.SIGHT_STATE)

    def listen(self) -> None:
        """Hear orders and pictures."""
        self.hear_budget()
        self.hear(topics.GOAL, self.on_goal)
        self.hear(topics.CAMERA, self.on_picture)

    def on_goal(self, msg) -> None:
        """Take an order of the configurator."""
        try:
            self.take_order(Order(*convert.goal_from(msg)))
        except ValueError as wrong:
            self.refuse('goal', str(wrong))

    def on_picture(self, msg) -> None:
        """Take a picture; what is in it is the worker's."""
        self.take_in(convert.nanoseconds(msg.header.stamp), msg)

    def follow(self, order: Order) -> None:
        """See a goal, each time that it is asked for: it may be the answer that got lost."""
        super().follow(order)
        z = np.zeros(0, np.float32)
        if order.value is not None and order.number == self.goal > 0:
            z = self.mind.encoder.encode(fitted(order.value, self.mind.encoder.size))
        if order.number == self.goal:
            self.goals.publish(convert.vector_message(z, 0, f'{order.run}/{order.number}'))

    def aim(self, order: Order) -> None:
        """Refuse a goal that cannot be seen."""
        if order.value is not None:
            fitted(order.value, self.mind.encoder.size)

    def think(self, item: Input) -> Said:
        """See."""
        begun = perf_counter()
        picture = picture_of(item.value, self.mind.encoder.size)
        latent = self.mind.see(Frame(picture, NOWHERE, NOWHERE, item.stamp_ns, item.stamp_ns,
                                     self.run))
        seen = perf_counter()
        yield self.latents, convert.vector_message(latent.z, item.stamp_ns, self.run)
        if self.states.get_subscription_count():
            yield self.states, convert.state_message({'encode_ms': 1e3 * (seen - begun)},
                                                     item.stamp_ns, self.run)


def main(args: list[str] | None = None) -> int:
    """Run the node."""
    return run(PerceptionNode, args)
