# SPDX-License-Identifier: Apache-2.0
"""Remembers the last seconds for rules that look back, and hands them out frozen.

It notes what happened and judges nothing: which of it is too much is for the rules to say. All
times are of the steady clock; in lock-step that is ROS time.
"""

from collections import deque
from dataclasses import dataclass, replace
import math

import numpy as np

from ami_ros.core.types import (
    CameraArrivals,
    Command,
    Imu,
    Memory,
    Odometry,
    OdometryStep,
    Plan,
    RepeatCount,
    Scan,
    ScanLayout,
    TiltEstimate,
    Track,
    Verdict,
    View,
)
from ami_ros.critic.dead_reckoning import Reckoning
from ami_ros.critic.scan_history import ScanHistory
from ami_ros.critic.scan_odometry_comparison import ScanMotions
from ami_ros.critic.zone_hysteresis import alike
from ami_ros.robots.robot import Robot
from ami_ros.robots.sensor import PICTURES

LONGEST_S = 60.0            # nothing older is remembered
TRACK_S = 10.0              # and of the way, nothing older than this
TRACK_EVERY_S = 0.05
LOOKED_S = 6.0              # pictures; longer than any window of a policy
LEAST_JUMP_S = 0.02         # less is how finely a clock is told
LEAST = (0.02, 0.10)        # m/s, rad/s; slower is no direction
KNOCK_MPS2 = 30.0           # three times gravity: no lean, but something that hit it
GAP_S = 0.5                 # an IMU that was silent for longer begins anew
FARTHEST_M = 10.0           # of one reading in the sum: one that leaps must not spoil it for ever
LEAST_HITS = 3              # beams; fewer may be dust
SURE_PICTURES = 3           # in a row of one size say which size the camera has
STANDS_S = 1.0              # odometry that says for so long that the robot stands is not frozen
MOST = 512                  # of one kind, so that no flood fills the memory
ZONES = ('stop_zone', 'time_to_collision', 'slow_zone')
NO_FAULT = ('guard', 'motion_enable')   # stops that no one has to wonder about


@dataclass
class LastReading:
    """What a sensor said last, and where the robot was when it first said that."""

    content: bytes
    stamp_ns: int
    pose: np.ndarray | None
    same: RepeatCount


class History:
    """Notes what comes and what goes out."""

    def __init__(self, robot: Robot, filter_s: float):
        self.limits = robot.limits
        self.filter_s = filter_s            # of the IMU's acceleration; 0 is none
        self.turns = {s.name: robot.body.turn(s.link) for s in robot.sensors_of('Imu')}
        self.cameras: dict[str, deque] = {
            s.name: deque(maxlen=MOST) for s in robot.sensors_of(*PICTURES)}
        self.shapes: dict[str, tuple[int, ...]] = {
            s.name: s.size_px[::-1] for s in robot.sensors_of(*PICTURES) if s.size_px}
        # of each camera: how many pictures had that size, another size, how many in a row had it
        self.sizes: dict[str, tuple[int, tuple[int, ...], int]] = dict.fromkeys(
            self.shapes, (SURE_PICTURES, (), 0))
        self.sightings = ScanHistory()
        self.reckoning = Reckoning(robot)
        self.scan_motions = ScanMotions(tuple(
            s.name for s in robot.sensors_of('LaserScan', 'PointCloud2') if s.required))
        self.first_scans: dict[str, ScanLayout] = {}    # by sensor
        self.met: dict[str, int] = {}       # sensor: when its newest scan came that hit something
        self.said: dict[str, LastReading] = {}
        self.leaning: dict[str, tuple[np.ndarray, int, int]] = {}   # up, since, last, both ns
        self.jumps: deque = deque(maxlen=MOST)
        self.arrivals: deque = deque(maxlen=MOST)
        self.reversals: deque = deque(maxlen=MOST)
        self.misses: deque = deque(maxlen=MOST)
        self.stops: deque = deque(maxlen=MOST)
        self.disputes: deque[tuple[float, float]] = deque(maxlen=32)
        self.tracks: deque[Track] = deque(maxlen=MOST)
        self.plan: Plan | None = None
        self.pose: np.ndarray | None = None     # the newest that is a place
        self.odometry: Odometry | None = None
        self.stands_s = 0.0                     # so long its twist says that the robot stands
        self.leaps: deque[OdometryStep] = deque(maxlen=MOST)
        self.sums = np.zeros(4)             # told m, rad, moved m, rad
        self.clocks: tuple[int, int] | None = None
        self.pauses: deque[tuple[int, float]] = deque(maxlen=8)
        self.last = self.before = Command(np.zeros(2), 0)
        self.standing: dict[str, tuple[float, float]] = {}
        self.heading = [0.0, 0.0]           # signs of the newest that were fast enough
        self.moving = False

    def on_scan(self, scan: Scan) -> None:
        """Compare it with the one before; a view without any echo is always the same."""
        content = np.asarray(scan.ranges).tobytes() if (scan.ranges < math.inf).any() else b''
        self.compare(scan.name, content, scan.stamp_ns)
        self.sightings.on_scan(scan)
        self.scan_motions.on_scan(scan)
        if np.count_nonzero((scan.ranges > 0) & (scan.ranges < math.inf)) >= LEAST_HITS:
            self.met[scan.name] = scan.received_steady_ns
        if scan.name not in self.first_scans and len(scan.angles):
            self.first_scans[scan.name] = ScanLayout(
                scan.name, len(scan.angles), float(scan.angles[0]), float(scan.angles[-1]))

    def on_view(self, view: View) -> None:
        """Compare it with the one before, and count it.

        Where the robot file says no size, the first picture does; unless, before as many agreed
        with it, `SURE_PICTURES` in a row are of another size.
        """
        self.compare(view.name, view.fingerprint.encode(), view.stamp_ns)
        size = self.shapes.setdefault(view.name, view.shape)
        agree, other, count = self.sizes.get(view.name, (0, (), 0))
        if agree < SURE_PICTURES and view.shape == size:
            self.sizes[view.name] = agree + 1, (), 0
        elif agree < SURE_PICTURES:
            count = count + 1 if view.shape == other else 1
            self.sizes[view.name] = agree, view.shape, count
            if count == SURE_PICTURES:
                self.shapes[view.name] = view.shape
                self.sizes[view.name] = count, (), 0
        came = self.cameras.setdefault(view.name, deque(maxlen=MOST))
        came.append(view.received_steady_ns)
        while len(came) > 1 and came[1] < came[-1] - LOOKED_S * 1e9:
            came.popleft()

    def on_odometry(self, odometry: Odometry) -> None:
        """Add to the way; what is not finite is as if it had not come.

        To stop for it is for `input_validity`. If it ended the comparisons over time, one such
        message before each other one would end them for good.
        """
        pose, came = np.asarray(odometry.pose, float), odometry.stamp_ns
        if not (np.isfinite(pose).all() and np.isfinite(odometry.twist).all()):
            self.compare(odometry.name, b'', came)
            return
        was, self.odometry = self.odometry, odometry
        moved, turned, passed, goes_on = 0.0, 0.0, 0.0, True
        if self.pose is not None and was is not None:
            moved, turned = apart(pose, self.pose)
            passed = max(0.0, (came - was.stamp_ns) / 1e9)
            self.sums[2:] += min(moved, FARTHEST_M), turned
            if moved > 2 * self.limits[0] * passed or turned > 2 * self.limits[1] * passed:
                self.leaps.append(OdometryStep(odometry.name, odometry.received_steady_ns, passed,
                                               moved,
                                       turned))
                goes_on = False
        self.sightings.on_odometry(odometry, goes_on)
        self.reckoning.on_odometry(odometry, goes_on)
        self.scan_motions.on_odometry(odometry, goes_on)
        said = self.said.get(odometry.name)
        self.compare(odometry.name, b'', came)
        if said is not None and self.pose is not None and moved == turned == 0.0:
            self.went_nowhere(odometry, said.same, passed)
        self.pose = pose

    def went_nowhere(self, odometry: Odometry, same: RepeatCount, passed_s: float) -> None:
        """Add up how far its twist says that the robot went while its place is the same.

        One reading adds no more than the robot can do, and none where its twist is no number;
        while the twist says that the robot stands, the place may be the same.
        """
        v, w = (min(abs(float(value)), most) if math.isfinite(value) else 0.0
                for value, most in zip(odometry.twist, self.limits, strict=True))
        passed_s = min(passed_s, GAP_S)
        moves = v >= LEAST[0] or w >= LEAST[1]
        self.stands_s = 0.0 if moves else self.stands_s + passed_s
        if self.stands_s > STANDS_S:
            return
        now = self.said[odometry.name]
        now.same = replace(now.same, moved_m=same.moved_m + v * passed_s,
                           turned_rad=same.turned_rad + w * passed_s)

    def on_imu(self, imu: Imu) -> None:
        """Smooth what it feels, in base_link; after a knock, or what is no number, begin anew."""
        self.compare(imu.name, b'', imu.stamp_ns)
        turn = self.turns.get(imu.name)
        if turn is not None:
            rate = sum(a * b for a, b in zip(turn[2].tolist(), imu.spin.tolist(), strict=True))
            self.reckoning.on_imu(imu.name, imu.stamp_ns, rate)
        felt = None if turn is None else turn @ imu.acceleration
        if felt is None or not np.linalg.norm(felt) < KNOCK_MPS2:      # so that NaN fails too
            self.leaning.pop(imu.name, None)
            return
        now = imu.received_steady_ns
        up, since, last = self.leaning.get(imu.name, (felt, now, now))
        passed = (now - last) / 1e9
        if not 0 <= passed <= GAP_S:
            up, since, passed = felt, now, 0.0
        blend = 1 - math.exp(-passed / self.filter_s) if self.filter_s else 1.0
        self.leaning[imu.name] = up + blend * (felt - up), since, now

    def compare(self, name: str, content: bytes, stamp_ns: int) -> None:
        """Note whether a sensor says the very same again."""
        was = self.said.get(name)
        repeats = was.same.repeats + 1 if was is not None and was.stamp_ns == stamp_ns else 0
        if was is None or not content or was.content != content or was.pose is None \
                or self.pose is None:
            self.said[name] = LastReading(content, stamp_ns, self.pose,
                                          RepeatCount(name, repeats, 0.0, 0.0))
            return
        moved, turned = apart(self.pose, was.pose)
        same = RepeatCount(name, repeats, max(moved, was.same.moved_m),
                        max(turned, was.same.turned_rad))
        self.said[name] = LastReading(content, stamp_ns, was.pose, same)

    def on_plan(self, plan: Plan, steady_ns: int) -> None:
        """Compare it with the one before, at the first instant of which both speak."""
        self.arrivals.append(steady_ns)
        was, self.plan = self.plan, plan
        if was is None or (was.run, was.goal, was.source) != (plan.run, plan.goal, plan.source):
            self.disputes.clear()
            return
        at = max(was.start_ns, plan.start_ns)
        try:
            (v, w), (old_v, old_w) = plan.at(at), was.at(at)
            self.disputes.appendleft((abs(float(v - old_v)), abs(float(w - old_w))))
        except Exception:       # one of them is no plan: `input_validity` says so
            self.disputes.clear()

    def look(self, now_ns: int, steady_ns: int, last: Command, last_steady_ns: int) -> Memory:
        """Return what there is to remember at this instant."""
        if self.clocks is not None:
            left = ((now_ns - self.clocks[0]) - (steady_ns - self.clocks[1])) / 1e9
            if abs(left) >= LEAST_JUMP_S:
                self.jumps.append((steady_ns, left))
        self.clocks = now_ns, steady_ns
        if last.stamp_ns != self.last.stamp_ns:
            self.went_out(last, last_steady_ns, steady_ns)
            self.reckoning.went_out(last, last_steady_ns)
        for times in (self.jumps, self.arrivals, self.reversals, self.misses, self.stops):
            outdate(times, steady_ns, LONGEST_S)
        while self.leaps and self.leaps[0].steady_ns < steady_ns - TRACK_S * 1e9:
            self.leaps.popleft()
        while self.tracks and self.tracks[0].steady_ns < steady_ns - TRACK_S * 1e9:
            self.tracks.popleft()
        return Memory(
            self.before, tuple(said.same for said in self.said.values()),
            tuple(TiltEstimate(name, tuple(up.tolist()), (steady_ns - since) / 1e9)
                  for name, (up, since, _) in self.leaning.items()),
            tuple(self.jumps), tuple(self.disputes), tuple(self.arrivals),
            tuple(self.reversals), tuple(self.misses), tuple(self.stops), tuple(self.tracks),
            tuple(self.leaps), self.sightings.look(),
            tuple(CameraArrivals(name, self.shapes.get(name, ()), tuple(came))
                  for name, came in self.cameras.items()), tuple(self.standing.items()),
            self.reckoning.look(now_ns, steady_ns), tuple(self.reckoning.sent),
            tuple(self.first_scans.values()), self.scan_motions.look(),
            tuple(self.met.items()), pauses=tuple(self.pauses))

    def went_out(self, command: Command, sent_ns: int, steady_ns: int) -> None:
        """Note a command that is over now: for how long it held, and where it turned."""
        self.before, self.last = self.last, command
        held = min(max((steady_ns - sent_ns) / 1e9, 0.0), GAP_S)
        self.sums[:2] += command.values * held
        for axis, (value, least) in enumerate(zip(command.values.tolist(), LEAST, strict=True)):
            if abs(value) >= least:
                if value * self.heading[axis] < 0:
                    self.reversals.append(steady_ns)
                self.heading[axis] = value
        due = not self.tracks or steady_ns - self.tracks[-1].steady_ns >= TRACK_EVERY_S * 1e9
        if due:
            self.tracks.append(Track(steady_ns, *self.sums.tolist()))

    def judged(self, verdict: Verdict, steady_ns: int, speed_mps: float,
               asks: tuple[float, float] | None = None) -> None:
        """Note that what moved was stopped, and at how many m/s; and which zones stand.

        One that slows alone stands as well, where its name is slow_zone; one that stopped stands
        until a motion that is like the one it stopped was let through.
        """
        stopped, asks = verdict.action == 'stop', asks or (0.0, 0.0)
        for zone in ZONES if any(asks) else ():
            was = self.standing.get(zone)
            holds = stopped and verdict.rule == zone or (
                zone == 'slow_zone' and zone in verdict.touched)
            if holds and (was is None or not alike(asks, was)):
                self.standing[zone] = asks
            elif was is not None and not (holds or stopped) and alike(asks, was):
                del self.standing[zone]
        if stopped and self.moving and verdict.rule not in NO_FAULT:
            self.stops.append(steady_ns)
            if verdict.rule in ZONES:
                self.misses.append((steady_ns, abs(speed_mps)))
        self.moving = bool(verdict.command.values.any())


def apart(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return how far two poses are apart, m and rad."""
    turn = math.remainder(math.remainder(one[2], 2 * math.pi)     # first: their difference may
                          - math.remainder(other[2], 2 * math.pi), 2 * math.pi)     # overflow
    return math.hypot(one[0] - other[0], one[1] - other[1]), abs(turn)


def outdate(times: deque, steady_ns: int, seconds: float) -> None:
    """Forget what is older; of pairs the first is the time."""
    oldest = steady_ns - seconds * 1e9
    while times and (times[0] if isinstance(times[0], int) else times[0][0]) < oldest:
        times.popleft()
