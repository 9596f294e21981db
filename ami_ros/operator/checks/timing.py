# SPDX-License-Identifier: Apache-2.0
"""How often readings come, what their stamps say, and whose clock these were taken from."""

from datetime import datetime, timezone
import math

import numpy as np

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.operator.checks.observation import Channel, Observation, STAMPED, TopicSample
from ami_ros.operator.checks.topic_connections import names
from ami_ros.robots.sensor import Sensor

SLOW, FAST = 0.8, 1.25      # shares of hz between which a rate is as the robot file has it
FAILING = 0.5               # below this share a required sensor is wrong
GAPS = 3.0                  # periods without a reading that are worth a word
EXTRA_S = 1.0               # so long may be silent what no motion needs
MOST = 0.95
SEGMENT_BYTES = 512 * 1024       # of shared memory that a participant of Fast DDS has by itself
FUTURE_S = 0.05             # where no policy says what clocks may differ
LATE_S = 0.25               # where no policy says how old a reading may be
OTHER_CLOCK_S = 1.0         # no driver takes so long: somebody's clock is off
SIMULATED_NS = 10**9 * 86400 * 365      # stamps of the first year after 1970 are simulated time
MS = 1e3
FIXES = 'chronyc tracking, on both machines; docs/jetson.md, Clock'


def all_sensors(seen: Observation) -> list[Finding]:
    """Check rate and stamps of every sensor that speaks."""
    out = []
    together = held_up(seen)
    for sensor in seen.robot.sensors:
        channel = seen.channels[sensor.name]
        if not channel.readings or sensor.kind not in STAMPED:
            continue
        gap_s = math.inf if sensor.name in together else longest_s(seen, sensor)
        out += rate(seen, sensor, channel, gap_s) + stamps(sensor, channel)
        if any(r.stamp_ns for r in channel.readings):
            out += offset(seen, sensor, channel)
    if together:
        out.append(Finding(
            WARN, 'sensors: silence', f'{", ".join(together)} are silent at the same moment, for '
            f'{MS * min(together.values()):.0f} ms and more', 'no silence at all',
            'This computer or the network pauses at times, not the drivers; see top and '
            'ami-ros host.'))
    return out


def limit_s(seen: Observation, sensor: Sensor) -> float:
    """Return how old the policy lets a reading of this sensor be, s."""
    if seen.policy is None:
        return LATE_S
    keys = {'Odometry': 'max_odometry_age_s', 'Image': 'max_view_age_s',
            'CompressedImage': 'max_view_age_s', 'CameraInfo': 'max_plan_age_s'}
    return float(getattr(seen.policy.shared, keys.get(sensor.kind, 'max_scan_age_s')))


def longest_s(seen: Observation, sensor: Sensor) -> float:
    """Return how long it may be silent: what the policy allows, or a second for an extra."""
    return max(GAPS / sensor.hz, limit_s(seen, sensor) if sensor.required else EXTRA_S)


def held_up(seen: Observation) -> dict[str, float]:
    """Return who was silent too long at the moment when most others were, and for how long."""
    gaps = {}
    for sensor in seen.robot.sensors:
        came = [r.steady_ns / 1e9 for r in seen.channels[sensor.name].readings]
        if len(came) >= 3:
            gaps[sensor.name] = max(zip(came, came[1:]), key=lambda pair: pair[1] - pair[0])
    names = [s.name for s in seen.robot.sensors if s.name in gaps
             and gaps[s.name][1] - gaps[s.name][0] > longest_s(seen, s)]
    for name in names:
        begin, end = gaps[name]
        among = {other: gaps[other][1] - gaps[other][0] for other in names
                 if gaps[other][0] < end and begin < gaps[other][1]}
        if len(among) >= max(3, len(gaps) / 2):
            return among
    return {}


def starved(seen: Observation, channel: Channel) -> bool:
    """Tell whether pictures are larger than what Fast DDS has for them without a profile."""
    look = channel.readings[-1].said
    large = isinstance(look, TopicSample) and 3 * look.size[0] * look.size[1] > SEGMENT_BYTES
    return large and 'fastrtps' in seen.around.rmw and not seen.around.profile


def rate(seen: Observation, sensor: Sensor, channel: Channel, longest: float) -> list[Finding]:
    """Check the mean rate and the longest silence, by the steady clock."""
    what, wanted = f'{sensor.name}: rate', f'{sensor.hz:g} Hz'
    came = np.array([r.steady_ns for r in channel.readings]) / 1e9
    if len(came) < 3:
        return [Finding(WRONG if sensor.required else WARN, what, f'{len(came)} readings', wanted,
                        'See whether its driver stumbles.')]
    gaps = np.diff(came)
    hz, worst = 1 / gaps.mean(), gaps.max()
    said = f'{hz:.1f} Hz, longest silence {MS * worst:.0f} ms'
    if hz < SLOW * sensor.hz and starved(seen, channel):
        return [Finding(WRONG if sensor.required else WARN, what, f'{said}, in images that do '
                        'not fit in the shared memory of Fast DDS', wanted,
                        f'For {names(channel.talkers)} and every node, before they start: export '
                        'FASTRTPS_DEFAULT_PROFILES_FILE=.../config/dds/fastdds.xml (FASTDDS_... '
                        'from Kilted on); config/dds says why.')]
    if hz < SLOW * sensor.hz:
        bad = WRONG if sensor.required and hz < FAILING * sensor.hz else WARN
        return [Finding(bad, what, said, wanted,
                        f'Let the driver give {sensor.hz:g} Hz, or write hz: {hz:.0f} for '
                        f'{sensor.name} in the robot file; is the machine too busy (top)?')]
    if hz > FAST * sensor.hz:
        return [Finding(WARN, what, said, wanted,
                        f'Write hz: {hz:.0f} for {sensor.name} in the robot file.')]
    if worst > longest:
        stops = '; the robot stops in each such silence' if sensor.required else ''
        return [Finding(WARN, what, said, f'no silence over {MS * longest:.0f} ms',
                        'Something holds it up now and then: look at cable, hub, Wi-Fi and load'
                        f'{stops}.')]
    return [good(what, said, wanted)]


def stamps(sensor: Sensor, channel: Channel) -> list[Finding]:
    """Check that stamps are there, and that each is newer than the one before."""
    what, bad = f'{sensor.name}: stamps', WRONG if sensor.required else WARN
    said = np.array([r.stamp_ns for r in channel.readings])
    who = names(channel.talkers)
    if not said.any():
        return [Finding(bad, what, 'all are zero', 'when it was measured',
                        f'Let {who} fill header.stamp; the critic takes zero for very old.')]
    if not said.all():
        return [Finding(bad, what, f'{int((said == 0).sum())} of {len(said)} are zero',
                        'when it was measured', f'Let {who} fill header.stamp always.')]
    step = np.diff(said)
    if len(channel.talkers) > 1 and (step <= 0).any():
        return [Finding(bad, what, f'{len(channel.talkers)} publishers speak at once: {who}',
                        'one', 'End all but one of them.')]
    if (step < 0).any():
        return [Finding(bad, what, f'{int((step < 0).sum())} of {len(said)} go back in time',
                        'each newer than the one before',
                        f'See whether {who} runs twice, replays a loop, or its clock jumps.')]
    if (step == 0).any():
        return [Finding(bad, what, f'{int((step == 0).sum())} of {len(said)} are said twice',
                        'each newer than the one before',
                        f'Let {who} stamp each reading when it is measured.')]
    if len(said) < 2:
        return [Finding(UNCHECKED, what, 'not compared: one message came', 'two or more')]
    return [good(what, 'each is newer than the one before')]


def offset(seen: Observation, sensor: Sensor, channel: Channel) -> list[Finding]:
    """Check what lies between a stamp and its arrival: delay, or the difference of two clocks."""
    what, who = f'{sensor.name}: clock', names(channel.talkers)
    bad = WRONG if sensor.required else WARN
    late = np.array([r.arrived_ns - r.stamp_ns for r in channel.readings if r.stamp_ns]) / 1e9
    middle, worst = float(np.median(late)), float(np.quantile(late, MOST))
    last = next(r for r in reversed(channel.readings) if r.stamp_ns)
    both = f'it stamps {moment(last.stamp_ns)}, here it is {moment(last.arrived_ns)}'
    ahead = seen.policy.shared.max_future_s if seen.policy else FUTURE_S
    limit = limit_s(seen, sensor)
    if last.stamp_ns < SIMULATED_NS:
        if seen.clock_talkers:      # everybody lives in simulated time, or should
            return []
        return [Finding(bad, what, f'simulated time: {both}', 'time of day',
                        f'Nobody publishes /clock: set use_sim_time of {who} to false, or start '
                        'the simulator.')]
    if middle < -ahead:
        return [Finding(bad, what, f'{-middle:.3f} s ahead of ours: {both}',
                        f'at most {MS * ahead:.0f} ms ahead',
                        f'Synchronise the machine of {who} with this one: {FIXES}.')]
    if middle > OTHER_CLOCK_S:
        return [Finding(bad, what, f'{middle:.3f} s behind ours: {both}',
                        f'at most {MS * limit:.0f} ms',
                        f'Synchronise the machine of {who} with this one: {FIXES}; or end what '
                        'queues its messages.')]
    said = f'{MS * middle:.0f} ms from stamp to arrival, {MS * worst:.0f} of the slowest twentieth'
    if middle > limit:
        return [Finding(bad, what, said, f'at most {MS * limit:.0f} ms',
                        'Let the driver send at once and queue nothing (depth 1); the critic '
                        'stops the robot for readings as old.')]
    if worst > limit:
        return [Finding(WARN, what, said, f'at most {MS * limit:.0f} ms',
                        'Now and then it comes late: look at load and Wi-Fi.')]
    return [good(what, said, f'at most {MS * limit:.0f} ms')]


def moment(ns: int) -> str:
    """Write a time of day, or seconds where it is none."""
    if ns < SIMULATED_NS:
        return f'{ns / 1e9:.3f} s'
    return datetime.fromtimestamp(ns / 1e9, timezone.utc).strftime('%H:%M:%S.%f')[:-3] + ' UTC'


def sim_time(seen: Observation) -> list[Finding]:
    """Check that all nodes go by the same clock, and that there is one."""
    what = 'time: use_sim_time'
    follow = [node for node, said in seen.sim_time.items() if said]
    apart = [node for node, said in seen.sim_time.items() if not said]
    if follow and not seen.clock_talkers:
        return [Finding(WRONG, what, f'{", ".join(follow)} follow /clock, which nobody publishes',
                        'false on a robot',
                        'Start with use_sim_time:=false, or start the simulator; their timers '
                        'stand still.')]
    if len(seen.clock_talkers) > 1:
        return [Finding(WRONG, what, f'/clock comes from {", ".join(seen.clock_talkers)}', 'one',
                        'End all but one.')]
    simulated = seen.clock_ns is not None and seen.clock_ns < SIMULATED_NS
    if simulated and apart:
        return [Finding(WRONG, what, f'{", ".join(apart)} do not follow /clock', 'true for all',
                        'Start with use_sim_time:=true.')]
    if follow and apart:
        return [Finding(WARN, what, f'{", ".join(follow)} follow /clock, {", ".join(apart)} do '
                        'not', 'all the same', 'Start all with the same use_sim_time.')]
    if not seen.sim_time:
        return [Finding(UNCHECKED, what, 'no node answered')]
    return [good(what, 'all follow /clock' if follow else 'nobody follows /clock')]
