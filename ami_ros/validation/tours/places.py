# SPDX-License-Identifier: Apache-2.0
"""The scenes of one world: as it is toured, as it is driven in, and as goal pictures show it."""

from dataclasses import dataclass, replace

from ami_ros.sim import scenes
from ami_ros.sim.camera_model.presets import Preset
from ami_ros.sim.scenes import changes
from ami_ros.sim.scenes.scene import Scene
from ami_ros.validation.tours.asked import Asked

CHANGE_SEED = 1         # draws what changes leave open, such as which furniture is moved


@dataclass(frozen=True)
class Places:
    """Three scenes of one plan, and the cameras of tour and legs."""

    toured: Scene
    driven: Scene
    pictured: Scene     # the light of a camera preset is not in it, and no people
    tour_camera: Preset
    camera: Preset

    @property
    def same(self) -> bool:
        """Tell whether the robot drives where and as it was toured."""
        return self.toured == self.driven and self.tour_camera == self.camera


def places(asked: Asked, seed: int) -> Places:
    """Draw a world and apply the changes."""
    scene = scenes.draw(asked.generator, seed)
    tour_camera = asked.preset(asked.tour_camera or asked.camera, seed)
    camera = asked.preset(asked.camera, seed)
    changed = changes.apply(scene, asked.changes, CHANGE_SEED)
    return Places(changes.apply(scene, tour_camera.change, CHANGE_SEED),
                  changes.apply(changed, camera.change, CHANGE_SEED),
                  replace(changed, people=()), tour_camera, camera)
