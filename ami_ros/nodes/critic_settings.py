# SPDX-License-Identifier: Apache-2.0
"""Parameters of the critic node, and the check that they fit the robot file and the policy."""

from dataclasses import dataclass
from typing import ClassVar

from rclpy.node import Node

from ami_ros.core.errors import AmiError
from ami_ros.core.findings import WARN, WRONG
from ami_ros.core.rate_monitor import HealthSettings
from ami_ros.core.settings import setting, Settings
from ami_ros.critic.safety_policy.consistency import together, TWISTS, wrong
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.robots.robot import Robot

INPUTS = ('plan', 'twist')


@dataclass(frozen=True)
class NodeSettings(Settings):
    """How it runs; what it allows stands in the policy file alone."""

    NAMED: ClassVar[tuple[str, ...]] = ('robot', 'safety_policy')

    robot: str = setting('', 'name', reason='Robot file (required)')
    safety_policy: str = setting(
        '', 'path',
        reason='Safety policy file with the rule parameters (required); a relative path starts '
               'at the share folder of the package')
    state_dir: str = setting(
        '', 'folder',
        reason='Folder that keeps the latch and the audit log across a restart; empty means '
               '~/.ros/ami_ros and the namespace')
    lock_step: bool = setting(
        False, '-', reason='Use the stamps of the frames as the clock instead of wall time')
    enable_stamped_cmd_vel: bool = setting(
        True, '-', reason='Publish TwistStamped commands; false publishes Twist')
    use_realtime_priority: bool = setting(
        True, '-', reason='Request a real-time priority; a refusal is reported')
    command_source: str = setting(
        'plan', 'name',
        reason='Source of the command: plan uses actor/plan; twist uses cmd_vel_smoothed of '
               'another planner')

    def __post_init__(self):
        """Check what is not a range."""
        super().__post_init__()
        if self.command_source not in INPUTS:
            raise AmiError(f'no command_source {self.command_source!r}; there are: '
                           f'{", ".join(INPUTS)}')
        if self.lock_step and self.command_source != 'plan':
            raise AmiError('lock_step needs command_source: plan; a twist names no frame to '
                           'answer')


@dataclass(frozen=True)
class CriticHealthSettings(HealthSettings):
    """The same of the critic, which ticks whether or not there is a plan."""

    min_rate_hz: float = setting(
        45.0, 'Hz', 0.0, 1000.0, 'Warn if the critic rate falls below this', live=True)
    max_jitter_ms: float = setting(
        10.0, 'ms', 0.0, 10000.0,
        'Warn if the standard deviation of the period exceeds this', live=True)
    max_age_ms: float = setting(
        250.0, 'ms', 0.0, 10000.0,
        'Warn if the median age of the frame behind the evaluated plan exceeds this', live=True)
    max_load: float = setting(
        0.3, '1', 0.0, 1.0, 'Warn if the share of time spent evaluating exceeds this', live=True)


GROUPS = {'': NodeSettings, 'health': CriticHealthSettings}


def check_together(node: Node, robot: Robot, policy: Policy, stamped: bool) -> None:
    """Refuse numbers of robot file and policy that do not fit together; warn of the others.

    A simulated base takes what it was told, so another type of command is only a warning.
    """
    found = together(robot, policy, {'critic': {'enable_stamped_cmd_vel': stamped}})
    what = wrong([one for one in found if one.what != TWISTS])
    if what:
        raise AmiError(f'{node.get_fully_qualified_name()}: {what}')
    for one in found:
        if one.level in (WARN, WRONG):
            node.get_logger().warning(f'{one.measured}; it needs {one.wanted}: {one.fix}')
