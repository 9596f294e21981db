# SPDX-License-Identifier: Apache-2.0
"""What to try, in order, when nothing of a robot is heard at all."""

from ami_ros.core.findings import Finding, WRONG
from ami_ros.operator.checks.observation import Observation, Surroundings

EVERYWHERE = 'SUBNET'       # of ROS_AUTOMATIC_DISCOVERY_RANGE; the default


def header(seen: Observation) -> str:
    """Say in one line who was asked, and by which way."""
    around = seen.around
    said = [f'robot {seen.robot.name}', f'namespace {seen.namespace or "/"}',
            f'{seen.seconds:g} s', f'RMW {around.rmw or "?"}',
            f'ROS_DOMAIN_ID {around.domain}', f'discovery {reach(around)}']
    if around.peers:
        said.append(f'peers {around.peers}')
    if around.profile:
        said.append(f'profile {around.profile}')
    return ', '.join(said)


def reach(around: Surroundings) -> str:
    """Say how far discovery goes."""
    if around.localhost_only == '1' and not around.discovery:
        return 'LOCALHOST (ROS_LOCALHOST_ONLY=1)'
    return around.discovery or f'{EVERYWHERE} (not set)'


def silent(seen: Observation) -> bool:
    """Tell whether nothing was heard: nobody publishes any topic of the robot."""
    channels = [*seen.channels.values(), *seen.others.values()]
    return not any(c.publishers or c.subscribers for c in channels)


def causes(seen: Observation) -> list[Finding]:
    """List the usual causes, the likeliest first; the first finding is what to do first."""
    around, out = seen.around, []

    def cause(what: str, measured: str, fix: str) -> None:
        out.append(Finding(WRONG, f'silence: {what}', measured, '', fix))

    if seen.elsewhere:
        there = next(iter(seen.elsewhere.values()))
        cause('namespace', f'{there} is there', 'ami-ros doctor --namespace NS, with its first '
              'part; ros2 topic list shows all.')
    cause('nothing runs', f'{len(seen.nodes)} other nodes in domain {around.domain}',
          'Start the drivers, or the simulator: ami-ros sim.')
    cause('domain', f'ROS_DOMAIN_ID is {around.domain} here',
          'On the robot: echo $ROS_DOMAIN_ID; export the same number here.')
    if reach(around).startswith(('LOCALHOST', 'OFF')):
        cause('discovery range', reach(around),
              'Where the robot is another machine: export ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET, '
              'on both; of Humble ROS_LOCALHOST_ONLY=0.')
    if 'zenoh' in around.rmw:
        cause('router', 'Zenoh finds nobody without a router',
              'ros2 run rmw_zenoh_cpp rmw_zenohd, on the robot, and connect to it: '
              'config/dds/zenoh.env.')
    cause('middleware', f'RMW is {around.rmw or "unknown"} here',
          'On the robot: echo $RMW_IMPLEMENTATION; take the same, different ones hear each other '
          'badly or not at all.')
    cause('network', 'multicast may not come through',
          'ros2 multicast receive here, ros2 multicast send on the robot; else export '
          'ROS_STATIC_PEERS=ADDRESS on both, or allow UDP 7400 to 7500 and up in the firewall; '
          'docker needs --net=host --ipc=host.')
    return out
