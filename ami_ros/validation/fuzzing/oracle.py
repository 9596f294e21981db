# SPDX-License-Identifier: Apache-2.0
"""Says when motion is allowed at all, from messages and files alone; knows nothing of the rules.

It is looser than the critic, never stricter: what it forbids no policy may let through.
"""

from collections import deque
import math

import numpy as np

NS = 1e9
MODES = ('idle', 'manual', 'autonomous', 'dry_run', 'stopped')
ROUNDING = 1e-6


def nanoseconds(stamp) -> int:
    """Of a builtin_interfaces/Time."""
    return stamp.sec * 10**9 + stamp.nanosec


def link(frame_id: str) -> str:
    """Take a namespace away."""
    return frame_id.split('/')[-1]


class Oracle:
    """Hears what the critic hears, as messages; `why_not` says what forbids a motion."""

    def __init__(self, robot: dict, shared: dict, rules: dict, foreign: bool):
        self.shared, self.rules, self.foreign = shared, rules, foreign
        self.sensors = {one['name']: one for one in robot['sensors']}
        self.plans: deque = deque(maxlen=4096)
        self.hands: deque = deque(maxlen=4096)
        self.taken = False
        self.permit: tuple[str, str, int, int] | None = None    # (mode, run, stamp, arrival)
        self.said: dict = {}        # name: (what is wrong, stamp, arrival, ahead)
        self.latched = False
        self.active: dict = {}
        self.last, self.last_ns = (0.0, 0.0), 0     # the newest that went out
        self.base, self.base_ns = (0.0, 0.0), 0     # and what went out before that instant

    def fresh(self, stamp_ns: int, came_ns: int, now: tuple[int, int], oldest: float,
              ahead: float = 0.0, rounding: float = ROUNDING) -> bool:
        """Tell whether it is young by both clocks."""
        future = max(self.shared['max_future_s'], ahead) + rounding
        return (-future <= (now[0] - stamp_ns) / NS <= oldest + rounding
                and -future <= (now[1] - came_ns) / NS <= oldest + rounding)

    # what it hears

    def on_plan(self, msg, now) -> None:
        """Keep a plan that can be read; one that takes the place of others takes them back."""
        start, run = nanoseconds(msg.header.stamp), None
        try:
            said = dict(name.split('=', 1) for name in list(msg.joint_names)[1:] if '=' in name)
            knot_s, run = float(said['knot_s']), said['run']
            knots = [(p.velocities[0].linear.x, p.velocities[0].angular.z)
                     for p in list(msg.points)[:-1]]
            known = knot_s, float(said['surprise'])
            good = (0 < knot_s < 10 and all(len(p.velocities) == 1 for p in msg.points) and knots
                    and np.isfinite(knots).all() and np.isfinite(known).all())
        except (KeyError, ValueError, IndexError):
            good = False
        if good:
            self.plans.append((start, now[1], run, knot_s, knots))
        elif self.plans and self.plans[-1][2] == run and start >= self.plans[-1][0]:
            self.plans.clear()

    def on_wish(self, msg, now, into: deque, oldest: float) -> bool:
        """Keep a hand or a foreign twist; return whether it is young without any doubt."""
        twist = getattr(msg, 'twist', msg)
        stamp = nanoseconds(msg.header.stamp) if hasattr(msg, 'header') else 0
        wish = twist.linear.x, twist.angular.z
        into.append((stamp or now[0], now[1], wish))
        return self.fresh(stamp or now[0], now[1], now, oldest, rounding=-ROUNDING)

    def on_teleop(self, msg, now) -> None:
        """Take a hand; in autonomous it ends that."""
        young = self.on_wish(msg, now, self.hands, self.shared['teleop_timeout_s'])
        if young and self.permit and self.permit[0] == 'autonomous':
            self.taken = True

    def on_foreign(self, msg, now) -> None:
        """Take another planner's twist."""
        self.on_wish(msg, now, self.plans, self.shared['max_plan_age_s'])

    def on_permit(self, msg, now) -> None:
        """Take what the configurator says; what cannot be read leaves only a stop standing."""
        status = next((s for s in msg.status if link(s.name) == 'configurator'), None)
        said = {pair.key: pair.value for pair in status.values} if status else {}
        if said.get('mode') in MODES and 'run' in said:
            self.permit = said['mode'], said['run'], nanoseconds(msg.header.stamp), now[1]
            self.taken = self.taken and said['mode'] == 'autonomous'
        elif self.permit and self.permit[0] != 'stopped':
            self.permit = None

    def on_reading(self, name: str, msg, now) -> None:
        """Take what a sensor says."""
        sensor = self.sensors.get(name, {'kind': 'e_stop', 'active': True})
        if sensor['kind'] in ('bumper', 'cliff', 'e_stop'):
            self.active[name] = msg.data == sensor['active']
            self.said[name] = '', now[0], now[1]
            if self.active[name] and sensor['kind'] == 'e_stop':
                self.latched = True
            return
        wrong = getattr(self, f'wrong_{sensor["kind"]}', lambda *_: '')(sensor, msg)
        self.said[name] = wrong, nanoseconds(msg.header.stamp), now[1]

    def wrong_LaserScan(self, sensor, msg) -> str:      # noqa: N802
        """Say what is wrong with a lidar."""
        ranges = np.asarray(msg.ranges, np.float32)
        low, high = np.float32(sensor['range_m'][0]), np.float32(sensor['range_m'][1])
        valid = ((ranges >= low) & (ranges <= high)) | (ranges == np.float32(sensor['no_return']))
        if link(msg.header.frame_id) != sensor['link']:
            return 'it is in another frame'
        if not (math.isfinite(msg.angle_min) and math.isfinite(msg.angle_increment)):
            return 'its angles are not finite'
        enough = ranges.size and valid.mean() >= self.shared['min_valid_beams'] - ROUNDING
        return '' if enough else 'too few beams are valid'

    def wrong_Odometry(self, sensor, msg) -> str:       # noqa: N802
        """Say what is wrong with odometry."""
        where, speed = msg.pose.pose, msg.twist.twist
        q = where.orientation
        told = (where.position.x, where.position.y, speed.linear.x, speed.angular.z)
        if not np.isfinite((*told, q.w, q.z, q.x, q.y)).all():
            return 'it is not finite'
        return 'it is in another frame' if (
            'fence' in self.rules and link(msg.header.frame_id) != 'odom') else ''

    def wrong_Imu(self, sensor, msg) -> str:            # noqa: N802
        """Say what is wrong with an IMU."""
        a, g = msg.linear_acceleration, msg.angular_velocity
        return '' if np.isfinite((a.x, a.y, a.z, g.x, g.y, g.z)).all() else 'it is not finite'

    def on_command(self, out, now_ns: int) -> None:
        """Note what went out; of two at one instant the second replaces the first."""
        if now_ns != self.last_ns:
            self.base, self.base_ns = self.last, self.last_ns
        self.last, self.last_ns = out, now_ns

    # what it says

    def why_not(self, v: float, w: float, now: tuple[int, int]) -> str:
        """Return why (v, w) must not go out, or ''."""
        if not (math.isfinite(v) and math.isfinite(w)):
            return 'it is not finite'
        limits = self.shared['max_speed_mps'], self.shared['max_turn_radps']
        if abs(v) > limits[0] + ROUNDING or abs(w) > limits[1] + ROUNDING:
            return f'it is beyond {limits}'
        if v == 0.0 and w == 0.0:
            return ''
        return (self.stopped(v, now) or self.silent(now) or self.too_quick((v, w), now[0])
                or self.unwanted(v, w, now))

    def stopped(self, v: float, now) -> str:
        """Say which stop stands."""
        if self.latched:
            return 'an emergency stop is latched'
        if self.permit and self.permit[0] == 'stopped':
            return 'the mode is stopped'
        for name, active in self.active.items():
            sensor = self.sensors.get(name, {'kind': 'e_stop'})
            ahead = sensor.get('side') == 'front' and v <= 0 and sensor['kind'] == 'bumper'
            if active and not ahead:
                return f'{name} is active'
        return ''

    def silent(self, now) -> str:
        """Say which required sensor does not speak, or speaks nonsense."""
        oldest = {'LaserScan': 'max_scan_age_s', 'PointCloud2': 'max_scan_age_s',
                  'Range': 'max_scan_age_s', 'Odometry': 'max_odometry_age_s',
                  'Imu': 'max_odometry_age_s', 'bumper': 'max_switch_age_s',
                  'cliff': 'max_switch_age_s', 'e_stop': 'max_switch_age_s',
                  'Image': 'max_view_age_s', 'CompressedImage': 'max_view_age_s'}
        for name, sensor in self.sensors.items():
            if sensor['required'] and sensor['kind'] in oldest:
                if name not in self.said:
                    return f'{name} never spoke'
                wrong, stamp, came = self.said[name]
                if wrong:
                    return f'{name}: {wrong}'
                if sensor['hz'] and not self.fresh(stamp, came, now,
                                                   self.shared[oldest[sensor['kind']]]):
                    return f'{name} is not fresh'
        return ''

    def too_quick(self, out, now_ns: int) -> str:
        """Say that speed was gained too fast."""
        gains = self.rules['acceleration']
        again = now_ns == self.last_ns
        base, since = (self.base, self.base_ns) if again else (self.last, self.last_ns)
        passed = min(max((now_ns - since) / NS, 0.0), 0.1)
        for now, was, most in zip(out, base, (gains['max_acceleration_mps2'],
                                                   gains['max_turn_acceleration_radps2'])):
            had = abs(was) if was * now > 0 else 0.0
            if abs(now) > had + most * passed + ROUNDING:
                return f'it gains from {base} to {out} in {passed:.4f} s'
        return ''

    def unwanted(self, v: float, w: float, now) -> str:
        """Say that nobody who may drive wants that."""
        hand_s, plan_s = self.shared['teleop_timeout_s'], self.shared['max_plan_age_s']
        for stamp, came, wish in self.hands:
            if self.fresh(stamp, came, now, hand_s) and weaker(v, w, wish):
                return ''
        if self.foreign:
            return '' if any(self.fresh(stamp, came, now, plan_s) and weaker(v, w, wish)
                             for stamp, came, wish in self.plans) else 'no twist wants that'
        if self.permit is None or self.permit[0] != 'autonomous':
            return 'no teleop command asks for that, and the motion enable is not given'
        if self.taken:
            return 'teleop drove, and the robot was not armed again'
        _, run, stamp, came = self.permit
        if not self.fresh(stamp, came, now, self.rules['motion_enable']['max_permit_age_s']):
            return 'the motion enable is not fresh'
        for start, came, of, knot_s, knots in self.plans:
            if of == run and self.fresh(start, came, now, plan_s,
                                        self.rules['input_timeout']['max_plan_lead_s']):
                index = max(0, (now[0] - start) // round(knot_s * NS))
                if index < len(knots) and weaker(v, w, knots[index]):
                    return ''
        return 'no plan of the permitted run wants that'


def weaker(v: float, w: float, wish) -> bool:
    """Tell whether a wish is at least as fast, the same way, on both axes."""
    return all(math.isfinite(want) and abs(out) <= abs(want) + ROUNDING
               and (out * want >= 0 or abs(out) < ROUNDING)
               for out, want in zip((v, w), wish))
