# SPDX-License-Identifier: Apache-2.0
"""The nouns of the mind, in flow order; every field says shape, unit and what it refers to.

Axes of a command are the robot's own: (v, w), forward speed in m/s and yaw rate in rad/s
(REP-103: x forward, y left, counter-clockwise positive). A place is (x, y, yaw) in metres and
radians. `*_ns` is ROS time, `*_steady_ns` the steady clock: the two are never compared.
"""

from dataclasses import dataclass, field
import math

import numpy as np

STILL = (0.0, 0.0)
MODES = ('idle', 'manual', 'autonomous', 'dry_run', 'stopped')      # of the configurator


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One look at the world: a camera picture and the body readings that belong to it."""

    image: np.ndarray       # (H, W, 3) uint8 rgb, as the module's camera contract asks
    body: np.ndarray        # (3,) float32: odometry v m/s and w rad/s, gyro yaw rate rad/s
    odometry: np.ndarray    # (3,) float64: x m, y m, yaw rad, odom frame; only differences count
    stamp_ns: int           # capture time
    number: int = 0         # counts up within a run
    run: str = ''           # stamps repeat after a reset, run ids do not


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """What perception makes of a frame."""

    z: np.ndarray           # (D,) float32, unitless
    frame: Frame


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What the robot takes to be so now: predicted with what was executed, corrected by sight."""

    z: np.ndarray           # (D,) float32, unitless
    body: np.ndarray        # (3,) float32: v m/s, w rad/s, yaw rate rad/s
    place: np.ndarray       # (3,) float64: x m, y m, yaw rad in the module's own learned map
    odometry: np.ndarray    # (3,) float64: odometry at stamp_ns, odom frame
    stamp_ns: int           # stamp of the newest Frame folded in
    surprise: float         # |z_seen - z_predicted| over its held-out spread; 1 is ordinary
    disagreement: float     # spread of the dynamics heads over its held-out mean; 1 is ordinary
    number: int = 0
    run: str = ''
    contradiction: float = 0.0  # between view and believed place, in shares of the gates of the
    #                             world model; above 1 the view says that the robot is elsewhere
    # distance of the last second's latents to the training data over its held-out threshold; above
    # 1 the images are unlike what the module learned; NaN where the module has no threshold
    out_of_distribution: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """A picture to drive to, as the modules see it."""

    z: np.ndarray           # (D,) float32
    place: np.ndarray       # (3,) float64, the module's learned map
    number: int = 0
    image: np.ndarray | None = None     # (H, W, 3) uint8 thumbnail for people


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Knots of constant twist, from start_ns on; after the last knot the plan says stop."""

    knots: np.ndarray       # (H, 2) float64: v m/s, w rad/s
    knot_s: float           # how long a knot is held
    start_ns: int           # ROS time at which knot 0 begins
    number: int = 0         # of the frame it was made from
    run: str = ''
    goal: int = 0           # number of the goal it serves
    arrived: bool = False   # the robot itself declares that it is there
    surprise: float = 1.0   # of the belief it was made from
    energies: tuple[tuple[str, float], ...] = ()    # of the chosen sequence, by term
    imagined: np.ndarray | None = None              # (H, 3) places, learned map, for people
    iterations: int = 0     # search iterations that were finished before the deadline
    source: str = 'mind'    # who drives: 'mind', 'teleop' (a person's), 'twist' (somebody else's)
    disagreement: float = 1.0   # of the belief it was made from
    out_of_distribution: float = math.nan   # likewise; NaN where nobody knows

    def at(self, now_ns: int) -> tuple[float, float]:
        """Return (v, w) for an instant; stop after the last knot; never renewed by lateness.

        Before start_ns the first knot holds: the gap is the latency that was planned for.
        """
        index = max(0, (now_ns - self.start_ns) // max(1, round(self.knot_s * 1e9)))
        return tuple(self.knots[index]) if index < len(self.knots) else STILL

    @property
    def called(self) -> str:
        """What a sentence calls it: plan, hand or twist."""
        return 'plan' if self.source == 'mind' else self.source


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What one sensor sees around it in the plane, mounted at (x, y) with yaw."""

    ranges: np.ndarray      # (R,) float64 m; a valid no-return is +inf, anything else invalid NaN
    angles: np.ndarray      # (R,) float64 rad, in the sensor's own axes
    mount: tuple[float, float, float]   # x m, y m, yaw rad of the sensor in base_link
    stamp_ns: int
    received_steady_ns: int
    name: str = 'scan'      # of the sensor, in the robot file
    required: bool = True   # no motion without it; what another one sees counts as well


@dataclass(frozen=True, slots=True, eq=False)
class Odometry:
    """Dead reckoning: pose in odom, twist in base_link."""

    pose: np.ndarray        # (3,) float64: x m, y m, yaw rad
    twist: np.ndarray       # (2,) float64: v m/s, w rad/s
    stamp_ns: int
    received_steady_ns: int
    name: str = 'odom'      # of the sensor, in the robot file
    frame: str = 'odom'     # of the pose


@dataclass(frozen=True, slots=True, eq=False)
class Imu:
    """A reading of an IMU that the robot does not move without."""

    spin: np.ndarray        # (3,) float64 rad/s, in the sensor's own axes
    acceleration: np.ndarray    # (3,) float64 m/s^2, in the sensor's own axes
    stamp_ns: int
    received_steady_ns: int
    name: str = 'imu'       # of the sensor, in the robot file


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture as the critic knows it: whether it is one, not what it shows."""

    name: str               # of the camera, in the robot file
    stamp_ns: int           # capture time
    received_steady_ns: int
    shape: tuple[int, ...]  # height, width in px; () where only decoding would tell
    fingerprint: str        # of a grid of its pixels: the same picture has the same
    spread: float | None    # grey levels of 255, standard deviation; None as for shape


@dataclass(frozen=True, slots=True, eq=False)
class Switch:
    """What a bumper, an edge detector or an emergency stop says."""

    name: str               # of the sensor, in the robot file
    kind: str               # 'bumper', 'cliff' or 'e_stop'
    active: bool            # pressed, at an edge, stopped
    stamp_ns: int           # when it came: a Bool bears no stamp
    received_steady_ns: int
    side: str = ''          # of the robot: front, back, left or right; '' is all around
    waits_for: str = ''     # why it still counts as active though a message said free


@dataclass(frozen=True, slots=True, eq=False)
class Permit:
    """What the configurator said last: whose plans may move the robot."""

    mode: str               # one of MODES; or it was autonomous, until 'teleop': a hand drove,
    #                         'reset': a latch was opened
    run: str                # whose plans 'autonomous' is about
    stamp_ns: int
    received_steady_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """A body twist as the critic let it through."""

    values: np.ndarray      # (2,) float64: v m/s, w rad/s
    stamp_ns: int           # when it was sent


@dataclass(frozen=True, slots=True, eq=False)
class RepeatCount:
    """How long a sensor has been saying the very same."""

    name: str               # of the sensor
    repeats: int            # messages in a row that bore a stamp which was there before
    moved_m: float          # how far odometry was from where this content first came
    turned_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class CameraArrivals:
    """How a camera has been heard since the critic began."""

    name: str               # of the camera
    shape: tuple[int, ...]  # as the robot file says, else of its first picture; () not known
    arrivals: tuple[int, ...]   # of its newest pictures, oldest first; steady times


@dataclass(frozen=True, slots=True, eq=False)
class TiltEstimate:
    """Where an IMU feels up, smoothed."""

    name: str               # of the sensor
    up: tuple[float, float, float]      # m/s^2 in base_link; at rest and level (0, 0, 9.81)
    for_s: float            # how long it has been listened to without a gap


@dataclass(frozen=True, slots=True, eq=False)
class OdometryStep:
    """How far odometry went between two readings."""

    name: str               # of the sensor
    steady_ns: int          # when the second came
    passed_s: float         # between their stamps
    moved_m: float
    turned_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What was asked of the wheels up to an instant, and what odometry says came of it."""

    steady_ns: int
    told_m: float           # sums since the critic began: of v * t, with its sign
    told_rad: float
    moved_m: float          # of the way, without signs
    moved_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class Reckoned:
    """Sums at one odometry reading of what twist, pose, gyros and commands tell; by differences.

    Ways are along the robot's own x axis, with their sign; `path` is without signs.
    """

    steady_ns: int          # when the reading came
    stamp_ns: int
    twist_m: float
    twist_rad: float
    pose_m: float
    side_m: float           # of the pose, across the robot: wheels do not go there
    pose_rad: float
    path_m: float           # of the pose
    path_rad: float
    command_m: float        # of the commands that went out, with the lag of the wheels
    command_rad: float
    command_path_m: float
    command_path_rad: float
    gyros: tuple[tuple[str, float], ...] = ()   # name of the IMU, rad


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A command that went out, and what the wheels did at that instant if they follow the lag."""

    steady_ns: int
    v_mps: float            # commanded
    w_radps: float
    wheels_mps: float
    wheels_radps: float
    wheels_m: float         # sums since the critic began
    wheels_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class ScanLayout:
    """Number and directions of the beams of a scan."""

    name: str               # of the sensor
    beams: int
    first_rad: float        # of the first and the last beam, in the sensor's own axes
    last_rad: float


@dataclass(frozen=True, slots=True, eq=False)
class ScanMotion:
    """What comparisons of scans with the motion of odometry have said."""

    name: str               # of the sensor
    agreed: bool = False    # once, since the critic began or was reset
    contradictions: int = 0     # in a row, the newest comparisons that told anything
    beams: int = 0          # of the newest of these: that could tell
    votes: int = 0          # and of those, that fit another motion better
    instead: str = ''       # which


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A scan, and where odometry says that it was taken."""

    scan: Scan
    pose: tuple[float, float, float]    # x m, y m, yaw rad of base_link in odom


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What the critic remembers of the last seconds, for rules that look back; steady times."""

    before: Command | None = None               # what went out before Situation.last
    sameness: tuple[RepeatCount, ...] = ()
    leans: tuple[TiltEstimate, ...] = ()
    jumps: tuple[tuple[int, float], ...] = ()   # when, and s by which ROS time left steady time
    disputes: tuple[tuple[float, float], ...] = ()  # newest first: m/s, rad/s between two plans
    arrivals: tuple[int, ...] = ()              # of plans
    reversals: tuple[int, ...] = ()             # when what went out changed its direction
    misses: tuple[tuple[int, float], ...] = ()  # when a zone stopped it, and at how many m/s
    stops: tuple[int, ...] = ()                 # when a rule stopped what moved
    tracks: tuple[Track, ...] = ()              # oldest first
    leaps: tuple[OdometryStep, ...] = ()                # those beyond twice the full speed
    sightings: tuple[tuple[Sighting, ...], ...] = ()    # of each lidar, the newest first
    cameras: tuple[CameraArrivals, ...] = ()
    # zones that stand, and the (v, w) that each stands against
    standing: tuple[tuple[str, tuple[float, float]], ...] = ()
    reckoned: tuple[Reckoned, ...] = ()         # of the last seconds, oldest first
    sent: tuple[Sent, ...] = ()                 # of the last second, oldest first
    first_scans: tuple[ScanLayout, ...] = ()    # of each sensor
    scan_motions: tuple[ScanMotion, ...] = ()   # of each sensor that has moved far enough
    met: tuple[tuple[str, int], ...] = ()       # sensor, and when its newest scan came that hit
    # when the critic ran again after it had been suspended, and for how many seconds it had
    pauses: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Everything the critic may look at, frozen at one instant."""

    now_ns: int
    now_steady_ns: int
    plan: Plan | None
    plan_steady_ns: int             # when that plan arrived
    scans: tuple[Scan, ...]         # the newest of each sensor that came, however old
    odometry: Odometry | None
    last: Command                   # the last command that went out
    last_steady_ns: int             # when it went out
    permit: Permit | None = None    # the newest that came, however old
    switches: tuple[Switch, ...] = ()   # the newest of each that came, however old
    imus: tuple[Imu, ...] = ()      # the newest of each that came, however old
    silent: tuple[str, ...] = ()    # names of sensors that say nothing young, for people
    memory: Memory = Memory()
    views: tuple[View, ...] = ()    # the newest of each camera that came, however old
    # why the newest plan and the newest permit were refused; '' where they were taken
    refused_plan: str = ''
    refused_permit: str = ''

    @property
    def sensed(self) -> tuple[Scan | Odometry | Switch | Imu | View, ...]:
        """Everything that sensors said."""
        told = () if self.odometry is None else (self.odometry,)
        return *self.scans, *told, *self.imus, *self.switches, *self.views


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The last word: what may go to the wheels, and why."""

    command: Command
    action: str                     # 'go', 'slow' or 'stop'
    rule: str = ''                  # which rule had the last word; '' where none objected
    reason: str = ''                # one sentence for a person, with value and limit
    touched: tuple[str, ...] = ()   # every rule that weakened the command, in order
    ages: tuple[tuple[str, float], ...] = field(default=())     # seconds, by input
    number: int = 0                 # of the frame that the plan came from
    plan_start_ns: int = 0
    goal: int = 0
    run: str = ''
    source: str = ''                # who drove, as in Plan; '' where nobody did
    mode: str = ''                  # of the newest permit; '' where none has come
    silent: tuple[str, ...] = ()    # names of sensors that said nothing young
    latch: bool = False             # it holds until somebody resets it
    release: str = ''               # what would let the robot move again
