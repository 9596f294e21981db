# SPDX-License-Identifier: Apache-2.0
"""Whether the clock of this machine agrees with those of others: stamps are compared."""

from dataclasses import dataclass
import re

from ami_ros.core.findings import Finding, good, UNCHECKED, WARN
from ami_ros.host.machine_interface import Host

OFFSET_S = 0.010        # a fifth of max_future_s in the shipped policy
SYNCHRONIZED = 'run/systemd/timesync/synchronized'
ITSELF = '7F7F0101'     # chrony's reference where it follows nobody but itself: 127.127.1.1
FIX = 'sudo apt install chrony; where the robot is several machines, see Clock in docs/jetson.md.'


@dataclass(frozen=True)
class Tracking:
    """What `chronyc tracking` says."""

    reference: str          # name or address; '' without one
    stratum: int            # 0: not synchronised
    offset_s: float         # system time minus that of the reference
    leap: str               # 'Normal', ..., 'Not synchronised'

    @property
    def synchronised(self) -> bool:
        """Tell whether it follows a clock that is not its own."""
        return (self.leap != 'Not synchronised' and 0 < self.stratum < 16
                and self.reference != ITSELF)


def tracking(said: str) -> Tracking | None:
    """Read the answer of chronyc; None where it is none."""
    pairs = {key.strip(): value.strip() for key, colon, value in
             (line.partition(':') for line in said.splitlines()) if colon}
    offset = re.match(r'([\d.]+) seconds (slow|fast) of', pairs.get('System time', ''))
    name = re.match(r'(\w+)(?: \((.*)\))?', pairs.get('Reference ID', ''))
    if offset is None or name is None or not pairs.get('Stratum', '').isdigit():
        return None
    sign = 1 if offset[2] == 'fast' else -1
    return Tracking(name[2] or name[1], int(pairs['Stratum']), sign * float(offset[1]),
                    pairs.get('Leap status', ''))


def clock(host: Host) -> list[Finding]:
    """Check that somebody keeps the clock, and how far it is off."""
    what, wanted = 'clock: synchronised', f'yes, within {1e3 * OFFSET_S:.0f} ms'
    seen = tracking(host.ask('chronyc -n tracking') or '')
    if seen is not None:
        where = f'chrony, {seen.reference}, stratum {seen.stratum}'
        if not seen.synchronised:
            return [Finding(WARN, what, f'no: {where}, {seen.leap.lower()}', wanted,
                            'See who is reachable: chronyc sources -v.')]
        off = f'{1e3 * seen.offset_s:+.3f} ms'
        if abs(seen.offset_s) > OFFSET_S:
            return [Finding(WARN, what, f'{off} ({where})', wanted,
                            'sudo chronyc makestep, while the robot stands.')]
        return [good(what, f'{off} ({where})', wanted)]
    said = host.ask('timedatectl show') or ''
    if 'NTPSynchronized=' in said:
        if 'NTPSynchronized=yes' in said:
            return [good(what, 'yes, says timedatectl; how far off it does not say', wanted)]
        return [Finding(WARN, what, 'no, says timedatectl', wanted, FIX)]
    if host.text(SYNCHRONIZED) is not None:
        return [good(what, 'timesyncd was, once since the start', wanted)]
    if host.each('etc/chrony/chrony.conf') or host.each('etc/chrony.conf'):
        return [Finding(UNCHECKED, what, 'chrony is installed and was not asked', wanted,
                        'chronyc tracking')]
    return [Finding(WARN if host.answers else UNCHECKED, what,
                    'nobody keeps this clock, as far as can be seen', wanted, FIX)]
