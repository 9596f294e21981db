# SPDX-License-Identifier: Apache-2.0
"""
Detects a second critic of the same name by its heartbeat, and decides which one yields.

A critic that begins commands nothing until it has listened for `LISTEN_S`; one that then hears
another ends. Two that both command (a network that was split, a critic that was suspended) find
each other later: the one that began last ends, the other stops the robot until that is so.
"""

from dataclasses import dataclass
import time

from ami_ros.nodes.message_conversions import Health

LISTEN_S = 1.0          # two signs of life, and the time until their sender is discovered
NAMESAKE_S = 2.5        # so long where a node of its name publishes cmd_vel: it may be a dead one
LOST_S = 1.0            # one without a sign of life for so long has ended


@dataclass(frozen=True, order=True)
class Life:
    """One process of a critic; the smaller one began first."""

    born_ns: int            # wall time
    host: str
    pid: str

    def __str__(self) -> str:
        return f'process {self.pid} on {self.host.partition("/")[0]}'


class OtherCritics:
    """The others that command the wheels, as heard."""

    def __init__(self, name: str, who: dict[str, str]):
        self.name = name
        self.mine = Life(time.time_ns(), who['host'], who['pid'])
        self.heard: dict[Life, float] = {}      # when their last sign of life came, steady

    def said(self, commands: bool) -> dict[str, str]:
        """Return what a sign of life tells the others."""
        return {'born_ns': str(self.mine.born_ns), 'commands': str(int(commands))}

    def hear(self, health: Health, now_s: float) -> None:
        """Take a sign of life of anybody."""
        said = health.values
        if health.name != self.name or said.get('commands') != '1':
            return
        born = said.get('born_ns', '')
        life = Life(int(born) if born.isdecimal() else 0, said.get('host', ''),
                    said.get('pid', ''))
        if life != self.mine:
            self.heard[life] = now_s

    def other(self, now_s: float) -> str:
        """Name another one that commands the wheels now; '' where there is none."""
        self.heard = {life: at for life, at in self.heard.items() if now_s - at < LOST_S}
        return f'{self.name} ({min(self.heard)})' if self.heard else ''

    def began_first(self) -> bool:
        """Tell whether this one began before all others that are heard."""
        return all(self.mine < life for life in self.heard)
