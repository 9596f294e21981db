# SPDX-License-Identifier: Apache-2.0
"""
The topics that this package itself publishes between its nodes: none of them is a sensor.

A recording holds them beside the sensors, and some have a sensor's type: the picture of a goal is
an Image. The table of the nodes says the same with types and rates; a test compares the two.
"""

from ami_ros.recording.message_reader import is_of

OWN = (
    'goal/image', 'joy', 'cmd_vel_manual', 'e_stop', 'cmd_vel_smoothed',
    'perception/latent', 'perception/goal', 'perception/state', 'world_model/belief',
    'world_model/state', 'actor/state', 'actor/plan', 'critic/verdict', 'configurator/goal',
    'configurator/status', 'configurator/budget', 'diagnostics', 'trace', 'trace/records',
    'trace/metadata', 'sim/truth/pose', 'sim/truth/contact', 'sim/truth/state', 'sim/latency')
COMMAND = 'cmd_vel'         # what went to the wheels


def is_own(topic: str) -> bool:
    """Tell whether a topic is one of the package's own, in any namespace."""
    return any(is_of(topic, name) for name in OWN)
