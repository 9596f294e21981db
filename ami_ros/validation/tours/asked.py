# SPDX-License-Identifier: Apache-2.0
"""What an evaluation with a tour is asked to do, checked as a whole."""

from dataclasses import dataclass

from ami_ros.core.errors import AmiError
from ami_ros.sim import scenes
from ami_ros.sim.camera_model import presets
from ami_ros.sim.engines import ENGINES
from ami_ros.sim.scenes import scene_changes as changes
from ami_ros.sim.scenes.seed_allocation import PUBLISHED, RESERVED, TRAINING, TUNING

CAMERA = 'webcam'       # preset where none is named: a camera with auto-exposure and noise
LEGS = (50, 200)        # actions of a leg where --mission names none
ALLOWED = (TUNING, PUBLISHED)
KEPT = ((RESERVED, 'reserved for tests by others'), (TRAINING, 'for training'))


@dataclass(frozen=True)
class Asked:
    """Worlds, tour, legs and planner; the same values give the same figures but for times."""

    generator: str
    first_world: int
    worlds: int
    minutes: float                      # of the tour
    goal_steps: int = 0                 # actions of a goal drive; 0: legs
    legs: tuple[int, int] = LEGS        # fewest and most actions of the shortest way of a leg
    mission: int = 0                    # legs in a row without a reset; 0: each begins anew
    episodes: int = 1                   # legs, or missions, in each world
    seed: int = 1000                    # of the first episode
    changes: str = ''                   # of the scene, between the tour and the legs
    camera: str = CAMERA                # preset; 'random' draws one for each world
    tour_camera: str = ''               # preset during the tour; '': as `camera`
    engine: str = 'pybullet'
    planner: str = 'oracle'
    module: str = ''
    robot: str = 'rover'
    settings: tuple[tuple[str, str], ...] = ()      # ('energy.map', '0')
    backend: str = 'onnx'
    precision: str = 'float32'

    def __post_init__(self):
        """Check it as a whole; ValueError says what is wrong."""
        scenes.known(self.generator)
        changes.parse(self.changes)
        for camera in (self.camera, self.tour_camera or self.camera):
            if camera != 'random':
                presets.find(camera)
        if self.engine not in ENGINES:
            raise AmiError(f'no engine {self.engine!r}; there are: {", ".join(ENGINES)}')
        if not 0 < self.minutes <= 600:     # so that NaN fails too
            raise AmiError(f'a tour of {self.minutes:g} minutes cannot be driven; above 0 and '
                           'up to 600 minutes are allowed')
        if self.worlds < 1 or self.episodes < 1:
            raise AmiError(f'{self.worlds} worlds with {self.episodes} episodes each cannot be '
                           'driven; at least one of each is needed')
        if self.goal_steps and self.mission:
            raise AmiError('the legs of a mission are no goal drives; use either --goal-steps '
                           'or --mission')
        if not 0 < self.legs[0] <= self.legs[1]:
            raise AmiError(f'legs of {self.legs[0]} to {self.legs[1]} actions cannot be drawn; '
                           'the first number must be above 0 and at most the second')
        check_worlds(self.first_world, self.worlds)

    @property
    def seeds(self) -> range:
        """World seeds."""
        return range(self.first_world, self.first_world + self.worlds)

    def preset(self, name: str, seed: int) -> presets.Preset:
        """Return the camera of one world."""
        return presets.find(f'random({seed})' if name == 'random' else name)


def check_worlds(first: int, count: int) -> None:
    """Check that all world seeds are for tuning, or all for published figures."""
    last = first + count - 1
    if any(first in seeds and last in seeds for seeds in ALLOWED):
        return
    why = next((f'; {seeds.start} to {seeds.stop - 1} are {use}' for seeds, use in KEPT
                if first < seeds.stop and last >= seeds.start), '')
    allowed = ' or '.join(f'from {seeds.start} to {seeds.stop - 1}' for seeds in ALLOWED)
    raise AmiError(f'world seeds {first} to {last} cannot be used: they must be {allowed}{why}')
