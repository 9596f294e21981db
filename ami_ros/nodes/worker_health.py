# SPDX-License-Identifier: Apache-2.0
"""Health of a planner node: how many inputs it worked on, how late, and what it waits for."""

from collections import deque
import time

import numpy as np

from ami_ros.core.rate_monitor import HealthSettings, Pulse
from ami_ros.mind import Mind
from ami_ros.modules.ordinary import ordinary
from ami_ros.nodes.convert import Health
from ami_ros.nodes.sensor_inputs import SensorInputs

LATELY = 100            # beliefs whose surprise is told


class WorkerHealth:
    """Counts over the life of a process, and what the worker is at; written by the worker."""

    def __init__(self):
        self.thoughts = 0
        self.late = 0                   # of these: were too much work for the time there was
        self.cut = 0                    # and those cut short, whatever took the time
        self.pulse = Pulse()
        self.stages_s: dict[str, float] = {}    # of the last input, where it has several
        self.afresh()

    def afresh(self) -> None:
        """Forget what the last activation left."""
        self.busy_s: float | None = None        # since when the worker is at an input
        self.surprises: deque[float] = deque(maxlen=LATELY)     # of the last beliefs

    def began(self) -> None:
        """Note that the worker is at an input now."""
        self.busy_s, self.stages_s = time.monotonic(), {}

    def ended(self, age_s: float) -> None:
        """Note that it is done with an input that was so old when it began."""
        begun_s, self.busy_s = self.busy_s, None
        self.pulse.beat(begun_s, age_s, time.monotonic() - begun_s, self.stages_s)

    def values(self, mind: Mind | None, limits: HealthSettings | None) -> dict[str, str]:
        """Say what was counted, and what is beyond the limits where there are any."""
        busy_s = self.busy_s
        return {'module': getattr(getattr(mind, 'encoder', None), 'module', ''),
                'thoughts': str(self.thoughts), 'late': str(self.late), 'cut': str(self.cut),
                'busy_s': f'{0.0 if busy_s is None else time.monotonic() - busy_s:.2f}',
                **self.surprised(mind), **self.pulse.said(time.monotonic(), limits)}

    def surprised(self, mind: Mind | None) -> dict[str, str]:
        """Say how surprised it was lately, and how much is ordinary for its module."""
        lately = list(self.surprises)
        if not lately:
            return {}
        manifest = getattr(mind.encoder, 'made_of', {}).get('manifest', {})
        half, most = np.percentile(lately, (50, 95))
        return {'surprise': f'half below {half:.2f}, 95 % below {most:.2f}',
                'surprise_ordinary': ordinary(manifest)}


def verdict(sensors: SensorInputs, active: bool) -> Health:
    """Say whether it works, what it cannot use, or what it waits for; without values."""
    queue, heard = sensors.queue, sensors.heard
    if not active:
        return Health('', 0, 'waiting to be activated')
    if sensors.troubles.now:
        return Health('', 2, '; '.join(sensors.troubles.now.values()))
    if not queue.silent:
        return Health('', 0, 'working')
    if queue.inputs.full:
        others = ', '.join(row.name for row in heard[:-1])
        return Health('', 2, f'{heard[-1].name} waits for messages of its time on {others}')
    return Health('', 2, f'waiting for {heard[-1].name}')
