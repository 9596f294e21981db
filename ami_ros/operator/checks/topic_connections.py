# SPDX-License-Identifier: Apache-2.0
"""Who talks to whom: publishers, types, qualities of service, and the last metre to the wheels."""

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.critic.safety_policy.consistency import STAMPED
from ami_ros.operator.checks.observation import Channel, Endpoint, Observation, Qos, TYPES

COMMAND = 'cmd_vel'
TWISTS = {'TwistStamped': 'geometry_msgs/msg/TwistStamped', 'Twist': 'geometry_msgs/msg/Twist'}
ONLOOKERS = ('rosbag2', 'record', 'rviz', 'foxglove', 'rosbridge', 'plotjuggler', 'rqt', 'pilot',
             '_ros2cli', 'teleop')       # who listens to cmd_vel and moves nothing
OURS = ('critic', 'configurator', 'mind', 'perception', 'world_model', 'actor', 'sim', 'pilot')


def names(endpoints) -> str:
    """Name nodes, each once."""
    return ', '.join(dict.fromkeys(end.node or 'a node without a name' for end in endpoints))


def short(kind: str) -> str:
    """'sensor_msgs/msg/Image' to 'Image'."""
    return kind.rpartition('/')[2]


def clashes(offered: Qos, asked: Qos) -> list[str]:
    """Say why a publisher and a subscription never meet; DDS has it in 2.2.3 of its standard."""
    out = []
    if asked.reliable and not offered.reliable:
        out.append('best effort is offered, reliable is asked')
    if asked.latched and not offered.latched:
        out.append('volatile is offered, transient local is asked')
    if offered.deadline_s > asked.deadline_s:
        out.append(f'a deadline of {offered.deadline_s:g} s is offered, '
                   f'{asked.deadline_s:g} s is asked')
    if asked.manual and not offered.manual:
        out.append('automatic liveliness is offered, manual by topic is asked')
    if offered.lease_s > asked.lease_s:
        out.append(f'a lease of {offered.lease_s:g} s is offered, {asked.lease_s:g} s is asked')
    return out


def sensors(seen: Observation) -> list[Finding]:
    """Check each sensor: published, in the right type, and heard."""
    out = []
    for sensor in seen.robot.sensors:
        channel = seen.channels[sensor.name]
        bad = WRONG if sensor.required else WARN
        out += published(seen, channel, bad) + qualities(channel)
        if channel.talkers and not channel.readings and sensor.hz > 0:
            out.append(Finding(
                bad, f'{sensor.name}: heard', f'nothing in {seen.seconds:g} s, though '
                f'{names(channel.talkers)} publishes {channel.full}', f'{sensor.hz:g} Hz',
                'See whether the driver is at work; where it is, data does not come through: in '
                'containers share /dev/shm (--ipc=host) and the user, between machines look at '
                'firewalls and the Wi-Fi.'))
    return out


def published(seen: Observation, channel: Channel, bad: str) -> list[Finding]:
    """Check that somebody publishes it, in the type that we want."""
    what = channel_name(seen, channel)
    wrong = [p for p in channel.publishers if p.type != channel.type]
    out = [Finding(bad if not channel.talkers else WARN, f'{what}: type',
                   f'{short(p.type)} from {p.node}', short(channel.type),
                   advice(p.type, channel)) for p in wrong]
    if channel.talkers:
        return [*out, good(f'{what}: published', names(channel.talkers))]
    if wrong:
        return out
    where = seen.elsewhere.get(channel.name)
    if where:
        space = where[:-len(channel.name) - 1]
        fix = (f'{where} is there: ami-ros doctor --namespace {space.strip("/") or "/"}, or remap '
               f'the driver: --ros-args -r {where}:={channel.full}')
    else:
        fix = (f'Start its driver, or correct `topic` of {what} in the robot file; what is '
               'there: ros2 topic list -t')
    return [Finding(bad, f'{what}: published', f'nobody publishes {channel.full}',
                    short(channel.type), fix)]


def channel_name(seen: Observation, channel: Channel) -> str:
    """Return the sensor's name, or that of the topic."""
    return next((name for name, c in seen.channels.items() if c is channel), channel.name)


def advice(has: str, channel: Channel) -> str:
    """Say what to do about a type."""
    kind = next((kind for kind, known in TYPES.items() if known == has), None)
    if kind is not None:
        return (f'Name the topic that carries {short(channel.type)}, or write kind: {kind} in the '
                'robot file.')
    if {has, channel.type} == set(TWISTS.values()):
        return f'Let it publish {short(channel.type)}.'
    return f'Start a driver that publishes {short(channel.type)} on {channel.full}.'


def qualities(channel: Channel) -> list[Finding]:
    """Check every publisher against every subscription, and against what our nodes ask for."""
    out = []
    asking = [s for s in channel.subscribers if s.type == channel.type]
    if channel.asked is not None and not any(is_ours(s) for s in asking):
        asking.append(Endpoint('our nodes', channel.type, channel.asked))
    for talker in channel.talkers:
        for other in asking:
            why = clashes(talker.qos, other.qos)
            if not why:
                continue
            heeds = is_ours(other) or other.node == 'our nodes' or channel.name == COMMAND
            out.append(Finding(
                WRONG if heeds else WARN, f'{channel.name}: QoS',
                f'{talker.node} and {other.node} never meet: {"; ".join(why)}',
                'what is offered is at least what is asked',
                cure(talker, other, why[0])))
    return out


def is_ours(end: Endpoint) -> bool:
    """Tell whether a node is one of this package, by its name."""
    return end.node.rpartition('/')[2] in OURS


def cure(talker: Endpoint, other: Endpoint, why: str) -> str:
    """Say which side to change: never ours, whose qualities have reasons."""
    offers = {'best': ('reliable', 'best_effort'), 'volatile': ('transient_local', 'volatile'),
              'a': ('a shorter one', 'none')}
    more, less = offers.get(why.split()[0], ('what is asked', 'less'))
    if is_ours(talker):
        return f'Let {other.node} ask for {less}.'
    return f'Let {talker.node} offer {more}.'


def our_topics(seen: Observation) -> list[Finding]:
    """Check what people and other programs say to our nodes: goals, a hand, a foreign twist."""
    out = []
    for channel in seen.others.values():
        if channel.name == COMMAND:
            continue
        wrong = [p for p in channel.publishers if p.type != channel.type]
        out += [Finding(WRONG, f'{channel.name}: type', f'{short(p.type)} from {p.node}',
                        short(channel.type), advice(p.type, channel)) for p in wrong]
        out += qualities(channel)
    return out


def command(seen: Observation) -> list[Finding]:
    """Check the way to the wheels: one publisher, a base that listens, one type for both."""
    channel = seen.others[COMMAND]
    said = seen.robot.command_type
    listeners = [s for s in channel.subscribers
                 if not s.node.rpartition('/')[2].startswith(ONLOOKERS)]
    bad = WARN if any(short(s.type) == said for s in listeners) else WRONG
    out = []
    if not listeners:
        out.append(Finding(WRONG, f'{COMMAND}: heard', 'nobody listens', f'{said}, by the base',
                           f'Start the driver of the base, or remap it to {channel.full}.'))
    for end in listeners:
        kind = short(end.type)
        if kind not in TWISTS:
            out.append(Finding(bad, f'{COMMAND}: type', f'{end.node} wants {kind}', said,
                               f'Put a converter before {end.node}.'))
        elif kind != said:
            stamped = str(kind == 'TwistStamped').lower()
            out.append(Finding(
                bad, f'{COMMAND}: type', f'{end.node} wants {kind}, so it hears nothing', said,
                f'Write command_type: {kind} in the robot file, enable_stamped_cmd_vel: {stamped} '
                f'for {", ".join(STAMPED)} in the parameter file, and restart them.'))
    if listeners and not out:
        out.append(good(f'{COMMAND}: heard', f'by {names(listeners)}', said))
    return out + talkers(seen, channel) + qualities(channel)


def talkers(seen: Observation, channel: Channel) -> list[Finding]:
    """Check that the critic alone commands the wheels."""
    what, critic = f'{COMMAND}: sole publisher', f'{seen.namespace}/critic'
    others = [p for p in channel.publishers if p.node != critic]
    own = [p for p in channel.publishers if p.node == critic]
    if others:
        return [Finding(WRONG, what, names(channel.publishers), critic,
                        f'Remap {names(others)} to cmd_vel_manual or cmd_vel_smoothed, so that '
                        'the critic filters them: --ros-args -r cmd_vel:=cmd_vel_manual')]
    if len(own) > 1:
        return [Finding(WRONG, what, f'{len(own)} critics', critic, 'End all but one.')]
    if not own:
        return [Finding(UNCHECKED, what, 'nobody publishes yet', critic)]
    sends = short(own[0].type)
    if sends != seen.robot.command_type:
        return [Finding(WRONG, what, f'the critic sends {sends}', seen.robot.command_type,
                        'Write enable_stamped_cmd_vel: '
                        f'{str(seen.robot.command_type == "TwistStamped").lower()} for '
                        f'{", ".join(STAMPED)} in the parameter file, and restart them; or '
                        f'command_type: {sends} in the robot file, where the base takes that.')]
    return [good(what, critic)]
