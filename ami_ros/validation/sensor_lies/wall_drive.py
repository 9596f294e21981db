# SPDX-License-Identifier: Apache-2.0
"""One drive at a wall, under one lie, with the truth beside it.

All times are whole steps of 5 ms, as in the campaign of hostile plans: the critic ticks at 50 Hz,
scans come at 20 Hz and odometry at 10 to 50 Hz, 5 to 15 ms later than they are stamped. What is
honest is not exact: noise as in the simulator, odometry off by up to 5 %, the lag off by 5 %.
"""

from dataclasses import asdict, dataclass, replace
import heapq
import math

import numpy as np

from ami_ros.core.types import Imu, Odometry, Permit, Plan, Scan, View
from ami_ros.critic.critic import Critic
from ami_ros.critic.footprint_sweep import Box
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.robots.robot import Robot
from ami_ros.sim.furnished_room import World
from ami_ros.sim.sensors import DeadReckoning, Noise
from ami_ros.validation.adversarial.room_geometry import Ground
from ami_ros.validation.adversarial.vehicle import STEP_NS, STEP_S, Vehicle, VehicleState
from ami_ros.validation.sensor_lies.lie_definitions import Lie, Teller

BEGIN_NS = 10**9            # no stamp is zero
DRIVE_S = 5.0               # less where a latch holds the robot at rest
TICK_STEPS, SCAN_STEPS, IMU_STEPS, PLAN_STEPS = 4, 10, 5, 20    # 50, 20, 40 and 10 Hz
REST_STEPS = 60             # the robot stands 0.3 s before it drives
ODOMETRY_STEPS = (4, 5, 10, 20)     # 50, 40, 20 and 10 Hz
LAGS_S = (0.08, 0.12)       # as the robot file says it; the true one is off by up to OFF
OFF = 0.05                  # share by which odometry and lag are calibrated wrongly, at most
LATE_STEPS = (1, 3)         # scans and odometry come 5 to 15 ms after their stamps
TOUCH_M = 0.0005            # nearer than this it touches
MOVED_MPS = 0.02            # a touch at less is none
GRAVITY_MPS2 = 9.80665
MANNERS = ('ahead', 'ahead', 'backwards', 'arc')
EMPTY = World(0, (), (1.0, 1.0, 1.0))
# stops that obstacles explain; any other rule that stops has noticed the lie
OF_OBSTACLES = ('stop_zone', 'time_to_collision', 'moving_obstacle')


@dataclass
class Outcome:
    """What came of a drive."""

    lie: str
    index: int
    manner: str
    contact: bool = False
    contact_mps: float = 0.0    # of the fastest part of the robot
    nearest_m: float = math.inf
    rule: str = ''              # that noticed the lie first
    reason: str = ''
    stopped_s: float | None = None      # from the beginning of the lie until that stop
    way_m: float = 0.0          # driven after the lie began


class Drive:
    """Drives at the wall of an empty room until it touches it, or for DRIVE_S."""

    def __init__(self, lie: Lie, seed: int, index: int, policy: Policy, robot: Robot):
        # the same drive under every lie: lies can be compared, and with the honest one
        self.rng, noise_rng, lie_rng = (np.random.default_rng([seed, index, salt])
                                        for salt in (1, 2, 3))
        rng, self.lie = self.rng, lie
        self.robot = replace(robot, actuation_lag_s=float(rng.choice(LAGS_S)), sensors=tuple(
            replace(s, required=True) if s.kind == 'Imu' else s for s in robot.sensors))
        self.critic = Critic(policy, self.robot)
        self.ground = Ground(EMPTY, Box.around(robot.body.footprint))
        manner = MANNERS[index % len(MANNERS)]
        self.out = Outcome(lie.name, index, manner)
        speed, away = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.3, 1.5))
        turn = float(rng.uniform(0.3, 1.0) * rng.choice((-1, 1))) if manner == 'arc' else 0.0
        self.wish = (-speed if manner == 'backwards' else speed, turn)
        yaw = float(rng.uniform(-0.3, 0.3)) + (math.pi if manner == 'backwards' else 0.0)
        true = replace(robot, actuation_lag_s=self.robot.actuation_lag_s
                       * float(rng.uniform(1 - OFF, 1 + OFF)))
        self.car = Vehicle(true,
                           VehicleState(self.ground.half_m - robot.radius_m - away, 0.0, yaw))
        body, self.noise = robot.body, Noise()
        self.reckoning = DeadReckoning(body.wheel_radius_m, body.track_m, self.noise, noise_rng)
        self.reckoning.scale = self.reckoning.scale * rng.uniform(1 - OFF, 1 + OFF, 2)
        self.reckoning.update(0.0, 0.0, 0.0)
        self.noise_rng, self.odometry_steps = noise_rng, int(rng.choice(ODOMETRY_STEPS))
        begins = REST_STEPS + round(float(rng.uniform(-0.2, 0.8)) * away / speed / STEP_S)
        self.begin_ns = BEGIN_NS + max(begins, 0) * STEP_NS
        self.teller = Teller(lie, self.begin_ns, lie_rng)
        beams, mount = robot.lidar_beams, robot.body.mount(robot.lidar.link)
        self.angles = -math.pi + 2 * math.pi * np.arange(beams) / beams
        self.mount = mount[0], mount[1], mount[5]
        self.coming: list[tuple[int, int, str, object]] = []    # (step, order, method, reading)
        self.step, self.order, self.told = 0, 0, (0.0, 0.0)
        self.safe_steps = 0         # for so long it can touch nothing

    @property
    def now_ns(self) -> int:
        """Return what both clocks say."""
        return BEGIN_NS + self.step * STEP_NS

    def drive(self) -> Outcome:
        """Drive; return what came of it."""
        while self.step < round(DRIVE_S / STEP_S) and not (self.out.contact or self.held()):
            self.sense()
            while self.coming and self.coming[0][0] <= self.step:
                *_, method, reading = heapq.heappop(self.coming)
                getattr(self.critic, method)(reading)
            if self.step % TICK_STEPS == 0:
                self.judge()
            self.go()
        self.out.nearest_m = round(self.out.nearest_m, 4)
        self.out.way_m = round(self.out.way_m, 4)
        return self.out

    def held(self) -> bool:
        """Tell whether the robot stands and a latch holds it, so that nothing more can happen."""
        return bool(self.critic.latch.closed) and self.car.pace < MOVED_MPS / 10

    def sense(self) -> None:
        """Take what is due, and let it be told as the lie has it."""
        at, now = self.step, self.now_ns
        if at % PLAN_STEPS == 0:
            self.critic.on_permit(Permit('autonomous', 'a', now, now))
            self.critic.on_view(View(self.robot.camera.name, now, now,
                                     self.robot.camera_size[::-1], str(at), 60.0))
            wish = self.wish if at >= REST_STEPS else (0.0, 0.0)
            self.critic.on_plan(Plan(np.tile(wish, (8, 1)), 0.25, now, at // PLAN_STEPS + 1,
                                     'a', 1), now)
        if at % self.odometry_steps == 0:
            radius = self.robot.body.wheel_radius_m
            if at:
                self.reckoning.update(self.car.rims[0] / radius, self.car.rims[1] / radius,
                                      self.odometry_steps * STEP_S)
            self.send('odometry', Odometry(self.reckoning.pose.copy(), self.reckoning.twist.copy(),
                                           now, now, self.robot.odometry.name))
        if at % SCAN_STEPS == 0:
            self.send('scan', self.scan())
        if at % IMU_STEPS == 0:
            self.send('imu', self.imu())

    def send(self, what: str, reading) -> None:
        """Let the critic hear a reading a little later."""
        late = int(self.rng.integers(*LATE_STEPS, endpoint=True))
        reading = replace(self.teller.tell(what, reading),
                          received_steady_ns=self.now_ns + late * STEP_NS)
        self.order += 1
        heapq.heappush(self.coming, (self.step + late, self.order, f'on_{what}', reading))

    def scan(self) -> Scan:
        """Sweep the lidar."""
        (x, y, yaw), s, (low, high) = self.mount, self.car.state, self.robot.lidar_range_m
        origin = complex(s.x, s.y) + complex(x, y) * complex(math.cos(s.yaw), math.sin(s.yaw))
        true, _ = self.ground.rays(origin, self.angles + yaw + s.yaw, 0.0)
        ranges = np.maximum(true + self.noise_rng.normal(0, self.noise.lidar_m, true.size), low)
        return Scan(np.where(true > high, np.inf, ranges), self.angles, self.mount, self.now_ns,
                    self.now_ns, self.robot.lidar.name)

    def imu(self) -> Imu:
        """Feel gravity and the turn."""
        noise, rng = self.noise, self.noise_rng
        turn = np.array([0.0, 0.0, self.car.twist[1] * self.lie.grip])
        up = np.array([0.0, 0.0, GRAVITY_MPS2])
        return Imu(turn + rng.normal(0, noise.gyro_radps, 3),
                   up + rng.normal(0, noise.accel_mps2, 3), self.now_ns, self.now_ns,
                   self.robot.sensors_of('Imu')[0].name)

    def judge(self) -> None:
        """Ask the critic, and note when it noticed the lie."""
        verdict, out = self.critic.judge(self.now_ns, self.now_ns), self.out
        self.told = tuple(verdict.command.values.tolist())
        begun_s = (self.now_ns - self.begin_ns) / 1e9
        asked = begun_s >= 0 and self.step >= REST_STEPS and not out.rule
        if asked and verdict.action == 'stop' and verdict.rule not in OF_OBSTACLES:
            out.rule, out.reason, out.stopped_s = verdict.rule, verdict.reason, round(begun_s, 3)

    def go(self) -> None:
        """Let 5 ms pass, and look whether it touches."""
        was, out, grip = self.car.state, self.out, self.lie.grip
        self.car.drive(self.told, 1)
        s = self.car.state
        if grip < 1:        # the wheels turn, the robot goes less far
            s = s._replace(**{key: getattr(was, key) + grip * (getattr(s, key) - getattr(was, key))
                              for key in ('x', 'y', 'yaw')})
            self.car.state = s
        self.step += 1
        if self.now_ns > self.begin_ns:
            out.way_m += math.hypot(s.x - was.x, s.y - was.y)
        self.safe_steps -= 1
        if self.safe_steps > 0:
            return
        gap = float(self.ground.clearance(np.array([complex(s.x, s.y)]), np.array([s.yaw]),
                                          np.zeros(1)).min())
        fastest = self.robot.max_speed_mps + self.robot.radius_m * self.robot.max_turn_radps
        self.safe_steps = int(gap / fastest / STEP_S)
        out.nearest_m = min(out.nearest_m, gap)
        pace = self.car.pace * grip
        if gap <= TOUCH_M and pace > MOVED_MPS:
            out.contact, out.contact_mps = True, round(pace, 4)


def driven(lie: Lie, seed: int, index: int, policy: Policy, robot: Robot) -> dict:
    """Drive once; return the outcome as JSON writes it."""
    return asdict(Drive(lie, seed, index, policy, robot).drive())
