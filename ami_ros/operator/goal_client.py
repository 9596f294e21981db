# SPDX-License-Identifier: Apache-2.0
"""
Follows one goal from a person's side: given, taken or refused, then driving, arrived or failed.

It hears no more than everybody does, `configurator/status`. Time is seconds of a steady clock.
"""

PATIENCE_S = 10.0       # with a robot that is to be found, and with an answer
AGAIN_S = 1.5           # a picture may be lost where two have only just met: it is given again
STALE_S = 1.0           # a status this much after the picture knows of it; it comes each 0.5 s
SILENT_S = 3.0          # without a status
GIVEN = 'ami-ros mode autonomous'


class GoalClient:
    """One goal. `over` is '' until it is 'taken', 'arrived', or 'failed'; `why` says more."""

    def __init__(self, now_s: float, wait: bool):
        self.wait = wait                        # until it is reached, not only until it is taken
        self.over = self.why = ''
        self.number = ''                        # of the goal, once it is taken
        self.task = ''
        self._before: dict[str, str] | None = None      # the status that the picture came into
        self._given_s: float | None = None      # first
        self._put_s = self._heard_s = self._begun_s = now_s
        self._puts = 0                          # how often it was given: each may count as a goal

    @property
    def news(self) -> str:
        """Return how it goes, in a few words; '' before it is taken."""
        return f'goal {self.number}: {self.task}' if self.number and not self.over else ''

    def may_give(self, now_s: float) -> bool:
        """Tell whether the picture should be given now, for the first time or again."""
        if self.over or self.number or self._before is None:
            return False
        return self._given_s is None or now_s - self._put_s > AGAIN_S

    def given(self, now_s: float) -> None:
        """Know that the picture was published."""
        self._put_s, self._puts = now_s, self._puts + 1
        if self._given_s is None:
            self._given_s = now_s

    def on_status(self, said: dict[str, str], now_s: float) -> None:
        """Take what the configurator says of itself."""
        self._heard_s = now_s
        if self.over:
            return
        if self._given_s is None:
            self._before = said
            if said.get('mode') not in ('autonomous', 'dry_run'):
                self._end('failed', f'the mode is {said.get("mode")}, a goal needs autonomous '
                          f'or dry_run: {GIVEN}')
        elif not self.number:
            self._look_for_answer(said, now_s)
        if self.number and not self.over:
            self._follow(said)

    def _look_for_answer(self, said: dict[str, str], now_s: float) -> None:
        was = self._before
        assert was is not None and self._given_s is not None
        if said.get('goals') != was.get('goals'):
            self.number = said.get('goals', '')
        elif said.get('goal') == '0' and said.get('reason') and (
                said['reason'] != was.get('reason') or now_s - self._given_s > STALE_S):
            self._end('failed', f'refused: {said["reason"]}')

    def _follow(self, said: dict[str, str]) -> None:
        """See how a goal goes that was taken."""
        goal, self.task = said.get('goal', '0'), said.get('task', '')
        if goal != self.number and goal in self._mine():
            self.number = goal          # the picture came twice
        if goal == self.number:
            if self.task == 'arrived':      # a dry run keeps the goal
                self._end('arrived', f'goal {goal}: arrived')
            elif not self.wait and said.get('acknowledged') == '1':
                dry = '; nothing moves in dry_run' if said.get('mode') == 'dry_run' else ''
                self._end('taken', f'goal {goal}: taken{dry}')
        elif goal != '0':
            self._end('failed', f'goal {self.number}: goal {goal} took its place')
        elif self.task == 'arrived' and said.get('reason') == f'goal {self.number} arrived':
            self._end('arrived', f'goal {self.number}: arrived')
        else:
            reason = said.get('reason', '').removeprefix(f'goal {self.number} failed: ')
            self._end('failed', f'goal {self.number}: {reason or "it is over"}')

    def _mine(self) -> list[str]:
        first = int((self._before or {}).get('goals', '0')) + 1
        return [str(number) for number in range(first, first + self._puts)]

    def tick(self, now_s: float) -> None:
        """Lose patience."""
        if self.over:
            return
        if self._before is None and now_s - self._begun_s > PATIENCE_S:
            self._end('failed', 'no message came on configurator/status; is the robot running in '
                      'this namespace and ROS domain?')
        elif self._before is not None and now_s - self._heard_s > SILENT_S:
            self._end('failed', f'the configurator sent no status for {SILENT_S:g} s; the state '
                      'of the goal is unknown')
        elif not self.number and now_s - self._begun_s > 2 * PATIENCE_S:
            self._end('failed', 'goal/image has no subscriber')
        elif self.number and not self.wait and self._given_s is not None \
                and now_s - self._given_s > 2 * PATIENCE_S:
            self._end('failed', f'goal {self.number}: the planner did not acknowledge it')

    def _end(self, how: str, why: str) -> None:
        self.over, self.why = how, why
