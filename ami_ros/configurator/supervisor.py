# SPDX-License-Identifier: Apache-2.0
"""
Starts nodes in order, monitors their heartbeats, and terminates nodes that hang.

It is level-triggered: each sign of life says in which state a node is, and whatever is not as it
is wanted gets the next step towards it. So a node that was started again by somebody else comes
back to the wanted state by the same few lines, and nothing has to be remembered about how.
"""

from dataclasses import dataclass, field
import math

NEXT = {            # state: the step towards 'active', the step towards 'inactive'
    'unconfigured': ('configure', 'configure'),
    'inactive': ('activate', ''),
    'active': ('', 'deactivate'),
}
RANK = {'unconfigured': 0, 'inactive': 1, 'active': 2}
PATIENCE_S = {'configure': 20.0, 'configuring': 20.0}   # networks are loaded there
CHANGING_S = 3.0        # patience with a node that is in any other transition
NAP_S = 0.3             # between two ticks: who slept so long listens before it judges others
# A sleep in which messages were lost is repaired late: Fast DDS delivers nothing newer of such a
# topic until the sender's next heartbeat, one each 3 s (measured: silent for up to 3.1 s).
REPAIR_S = 4.0
AGAIN_S = (0.5, 1.0, 2.0, 5.0)      # after so many failures in a row, until it is asked again


@dataclass(frozen=True)
class Transition:
    """What the supervisor wants to be done to a node: a transition, or 'end'."""

    what: str       # 'configure', 'activate', 'deactivate', 'cleanup', 'end'
    name: str
    life: tuple[str, str, str] = ('', '', '')   # pid, host, started: of whom to end


@dataclass
class ManagedNode:
    """A node that is watched over, as it last said that it is."""

    name: str
    state: str = ''                     # '' where nothing was heard, or not any more
    life: tuple[str, str, str] = ('', '', '')
    seen_s: float = -math.inf
    level: int = 0
    message: str = ''
    values: dict[str, str] = field(default_factory=dict)
    asked: str = ''                     # a transition that was not answered yet
    asked_s: float = -math.inf
    failures: int = 0                   # in a row
    again_s: float = -math.inf          # not asked before
    ended: bool = False                 # this life was told to end

    @property
    def rank(self) -> int:
        """How far up it is; -1 where nobody knows."""
        return RANK.get(self.state, -1)


class Supervisor:
    """Watches nodes, in the order in which they are brought up."""

    def __init__(self, names: tuple[str, ...], heartbeat_timeout_s: float,
                 processing_timeout_s: float):
        self.wards = {name: ManagedNode(name) for name in names}
        self.heartbeat_timeout_s, self.processing_timeout_s = (heartbeat_timeout_s,
                                                               processing_timeout_s)
        self._tick_s: float | None = None
        self.slept_s = 0.0          # before this tick, where that was too long to judge anybody
        self._woke_s = -math.inf    # from a sleep in which messages may have been lost
        self.news: list[str] = []           # what happened, in sentences, until somebody reads it
        self.fallen: list[str] = []         # names of those that were lost, likewise

    def on_beat(self, name: str, level: int, message: str, values: dict[str, str],
                now_s: float) -> None:
        """Take a sign of life; of others than one's wards it is ignored."""
        ward = self.wards.get(name)
        if ward is None:
            return
        life = values.get('pid', ''), values.get('host', ''), values.get('started', '')
        if life != ward.life:
            if ward.life[0] and ward.state:         # it was there a moment ago
                self._fall(ward, 'ended and was started again')
            if ward.life[0]:
                self.news.append(f'{name} sends heartbeats again')
            ward.life, ward.ended, ward.asked, ward.failures = life, False, '', 0
            ward.again_s = -math.inf
        if ward.ended:
            return          # the last words of somebody who was told to end
        ward.state, ward.seen_s = values.get('state', ''), now_s
        ward.level, ward.message, ward.values = level, message, values

    def on_answer(self, name: str, worked: bool, now_s: float) -> None:
        """Hear how a transition went."""
        ward = self.wards[name]
        asked, ward.asked = ward.asked, ''
        if worked:
            ward.failures = 0
            ward.state = {'configure': 'inactive', 'activate': 'active',
                          'deactivate': 'inactive'}.get(asked, ward.state)
            return
        ward.failures += 1
        ward.again_s = now_s + AGAIN_S[min(ward.failures, len(AGAIN_S)) - 1]
        self.news.append(f'transition {asked or "unknown"} of {name} failed {ward.failures} '
                         'times in a row')

    def tick(self, wanted: str, now_s: float) -> list[Transition]:
        """Say what to do so that all come to the wanted state, 'active' or 'inactive'."""
        slept_s, self._tick_s = now_s - (now_s if self._tick_s is None else self._tick_s), now_s
        self.slept_s = slept_s if slept_s > NAP_S else 0.0
        for ward in self.wards.values():        # what they said meanwhile was not heard yet
            ward.seen_s += self.slept_s
        if self.slept_s > self.heartbeat_timeout_s:
            self._woke_s = now_s
        acts = [act for ward in self.wards.values() for act in self._watch(ward, now_s)]
        return acts + self._step(wanted, now_s)

    def patience_s(self, now_s: float) -> float:
        """Return how long anybody may be silent now: longer while it may be its own fault."""
        woken = now_s - self._woke_s < REPAIR_S
        return max(self.heartbeat_timeout_s, REPAIR_S) if woken else self.heartbeat_timeout_s

    def ready(self) -> bool:
        """Tell whether all are configured, so that they can be activated at once."""
        return all(ward.rank >= RANK['inactive'] for ward in self.wards.values())

    def all(self, state: str) -> bool:
        """Tell whether all are in a state."""
        return all(ward.state == state for ward in self.wards.values())

    def missing(self) -> str:
        """Say in one sentence who is not ready, and why; '' where all are."""
        said = []
        for ward in self.wards.values():
            if ward.rank >= RANK['inactive']:
                continue
            how = f'is {ward.state}' if ward.state else 'gives no sign of life; is it running?'
            why = f' ({ward.message})' if ward.state and ward.level and ward.message else ''
            said.append(f'{ward.name} {how}{why}')
        return ', '.join(said)

    def _watch(self, ward: ManagedNode, now_s: float) -> list[Transition]:
        if not ward.state or ward.ended:
            return []
        silent_s = now_s - ward.seen_s
        changing = ward.asked or (ward.state if ward.state.endswith('ing') else '')
        busy_s = number(ward.values.get('busy_s'))
        patience_s = self.patience_s(now_s)
        if changing:
            patience_s = max(patience_s, PATIENCE_S.get(changing, CHANGING_S))
        if silent_s > patience_s:
            why = f'sent no heartbeat for {silent_s:.1f} s'
        elif busy_s > self.processing_timeout_s and not changing:
            why = f'has been processing one image for {busy_s:.1f} s'
        else:
            return []
        self._fall(ward, why)
        ward.ended = True
        return [Transition('end', ward.name, ward.life)] if ward.life[0] else []

    def _fall(self, ward: ManagedNode, why: str) -> None:
        ward.state, ward.asked = '', ''
        self.news.append(f'{ward.name} {why}')
        self.fallen.append(ward.name)

    def _step(self, wanted: str, now_s: float) -> list[Transition]:
        """Ask one of them for one transition: nobody goes before those that it stands on."""
        wards = list(self.wards.values())
        if any(ward.asked for ward in wards):
            return []
        for state, steps in NEXT.items():       # all configure, then all activate
            step = steps[wanted == 'inactive']
            if not step or step == 'activate' and not self.ready():
                continue
            for ward in reversed(wards) if step == 'deactivate' else wards:
                if ward.state != state:
                    continue
                if now_s < ward.again_s:        # its turn, but not yet: the others wait for it
                    return []
                ward.asked, ward.asked_s = step, now_s
                return [Transition(step, ward.name, ward.life)]
        return []


def number(text: str | None) -> float:
    """Read a number; what is none, or not finite, is 0."""
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
