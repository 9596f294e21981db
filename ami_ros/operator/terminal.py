# SPDX-License-Identifier: Apache-2.0
"""
A terminal that gives single keys and shows a few lines; without ROS, and without curses.

However the program ends (but for SIGKILL) the terminal is as it was: `restore` may be called at
any time and as often as one likes.
"""

import contextlib
import errno
import os
import re
import select
import sys
import termios
import textwrap

from ami_ros.core.errors import AmiError

ARROWS = {'A': 'up', 'B': 'down', 'C': 'right', 'D': 'left'}
SEQUENCE = re.compile(r'\x1b(?:[\[O][0-9;]*[A-Za-z~])')
UNFINISHED = re.compile(r'\x1b(?:[\[O][0-9;]*)?')
MOST_LINES = 12         # of one message, which came over the network
INDENT = ' ' * 8        # of a line that goes on, below what its first part says
HIDE, SHOW, UP, CLEAR_LINE, CLEAR_BELOW = '\x1b[?25l', '\x1b[?25h', '\x1b[{}A', '\x1b[K', '\x1b[J'


def keys_of(typed: str) -> tuple[list[str], str]:
    """Split what was typed into keys, and what may be the beginning of one more."""
    keys, at = [], 0
    while at < len(typed):
        if typed[at] == '\x1b':
            sequence = SEQUENCE.match(typed, at)
            if sequence is None:
                if UNFINISHED.fullmatch(typed, at):
                    break
                at += 1             # the escape key, and whatever follows it
                continue
            said = sequence[0]
            if len(said) == 3 and said[2] in ARROWS:
                keys.append(ARROWS[said[2]])
            at = sequence.end()
            continue
        keys.append(typed[at].lower())
        at += 1
    return keys, typed[at:]


def wrapped(line: str, width: int) -> list[str]:
    """Return a line in parts that fit; what cannot be printed, from the network, is a '?'."""
    clean = ''.join(c if c.isprintable() else '?' for c in line)
    if len(clean) <= width:
        return [clean]
    return textwrap.wrap(clean, max(width, 2 * len(INDENT)), subsequent_indent=INDENT,
                         drop_whitespace=False, max_lines=MOST_LINES, placeholder=' ...')


def fitted(lines: list[str], width: int, height: int) -> list[str]:
    """Wrap lines that are too long, and leave out the last where they are too many."""
    parts = [part[:width] for line in lines for part in wrapped(line, width)]
    return parts[:max(height, 1)]


class Terminal:
    """Keys in, lines out; ValueError where it is no terminal."""

    def __init__(self, source=None, target=None):
        self.source, self.target = source or sys.stdin, target or sys.stdout
        if not (self.source.isatty() and self.target.isatty()):
            raise AmiError('this needs a terminal to read keys from, and there is none; '
                           'give --joy to drive by a joystick without one')
        self.ended = False              # the terminal is gone, or said that nothing more comes
        self._before = None             # its settings
        self._rest = ''
        self._shown: list[str] = []

    def begin(self) -> None:
        """Give single keys from now on, unechoed; Ctrl-C and Ctrl-Z stay what they are."""
        self._rest, self._shown = '', []
        try:
            mode = termios.tcgetattr(self.source)
            if self._before is None:
                self._before = [*mode[:6], list(mode[6])]
            mode[0] &= ~termios.IXON        # Ctrl-S would hold up who writes, and so the robot
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self.source, termios.TCSANOW, mode)
        except termios.error as wrong:
            if wrong.args[0] == errno.EINTR:    # it was in the background, and is back
                self.begin()
                return
            self.ended = True
        self._write(HIDE)

    def restore(self) -> None:
        """Let the terminal be as it was, without the keys that nobody read."""
        if self._before is None:
            return
        before, self._before = self._before, None
        self._write(SHOW)
        with contextlib.suppress(termios.error):        # it may be gone
            termios.tcflush(self.source, termios.TCIFLUSH)
            termios.tcsetattr(self.source, termios.TCSANOW, before)

    def keys(self) -> list[str]:
        """Return the keys that were typed since, without waiting."""
        typed = b''
        try:
            while select.select([self.source], [], [], 0)[0] and not self.ended:
                some = os.read(self.source.fileno(), 1024)
                typed += some
                self.ended = not some
        except OSError:
            self.ended = True
        keys, self._rest = keys_of(self._rest + typed.decode('ascii', 'replace'))
        return keys

    def show(self, lines: list[str]) -> None:
        """Show lines in the place of those that were shown before."""
        try:
            width, height = os.get_terminal_size(self.target.fileno())
        except OSError:
            self.ended = True
            return
        lines = fitted(lines, (width or 80) - 1, (height or 24) - 1)
        if lines == self._shown:
            return
        text = UP.format(len(self._shown)) if self._shown else ''
        text += '\r' + ''.join(f'{line}{CLEAR_LINE}\n' for line in lines)
        if self._write(text + CLEAR_BELOW):
            self._shown = lines

    def _write(self, text: str) -> bool:
        """Write, unless the terminal is busy: who drives must not wait for it."""
        try:
            if not select.select([], [self.target], [], 0)[1]:
                return False
            self.target.write(text)
            self.target.flush()
        except OSError:
            self.ended = True
        return True
