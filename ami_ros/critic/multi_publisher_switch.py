# SPDX-License-Identifier: Apache-2.0
"""
Decides whether a switch that several programs publish is still pressed.

One that says pressed is believed at once. The switch is free again when every publisher has said
so after the last message that said pressed: a second publisher that never was pressed releases
nothing. Middleware that names no publisher with a message still numbers the messages of each one,
upwards. In one queue, a number that is not above all of a row of numbers is of another publisher
than that row; so the rows that the numbers need are counted (Dilworth: as many as the longest run
of numbers in which none is above the one before), and as many publishers have spoken at least.
"""

from collections.abc import Callable, Sequence


class MultiPublisherSwitch:
    """The publishers of one switch, as heard through one or several subscriptions (queues)."""

    def __init__(self, identities: Callable[[], frozenset] = frozenset):
        """`identities` names the publishers that there are now; one that restarted is another."""
        self.identities = identities
        self.pressed = False
        self.missing = ''       # who has not said that it is free; '' where nobody is waited for
        self._rows: list[int] = []      # the newest number of each row, all since it was pressed
        self._of: frozenset = frozenset()   # the publishers when the first of them came

    def hear(self, pressed: bool, number: int | None, queue: int, publishers: Sequence[int]
             ) -> bool:
        """Take one message; return whether the switch counts as pressed.

        `number`: of the message among those of its publisher; None where it is not known.
        `queue`: through which subscription it came. `publishers`: how many each subscription has,
        the most reliable one first. Messages say that the switch is free only through the first
        subscription that has all publishers: each queue keeps its own order, two do not.
        """
        if pressed:
            self.pressed, self._rows = True, []
            self.missing = ''
            return True
        if not self.pressed:
            return False
        everybody = max(publishers)
        if queue != list(publishers).index(everybody):
            return True
        if not self._rows:
            self._of = self.identities()
        spoken = self._spoken(number) if number is not None else 1
        if spoken >= everybody > 1 and self.identities() != self._of:
            spoken, self._rows = 0, []      # one of the rows may be of one that has gone
        self.pressed = spoken < everybody
        self.missing = (f'{spoken} of {everybody} publishers are known to have said since that it '
                        'is free' if self.pressed else '')
        return self.pressed

    def _spoken(self, number: int) -> int:
        """Put a number into the row that it is least above; return how many rows there are."""
        below = [row for row in self._rows if row < number]
        if below:
            self._rows.remove(max(below))
        self._rows.append(number)
        return len(self._rows)
