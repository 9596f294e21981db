# SPDX-License-Identifier: Apache-2.0
"""What was seen of one strike: the simulator's truth, and what the robot said of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TruthSample:
    """What is true of the body at an instant."""

    at_ns: int              # wall time
    x_m: float              # room frame
    y_m: float
    speed_mps: float
    told_mps: float         # forward speed that the wheels are told; 0 after the base's timeout
    rest_s: float           # for how long they have been told nothing but rest; 0: they are not
    silence_s: float        # for how long nobody has told them anything
    touching: bool          # anything but the floor, since the last look


@dataclass(frozen=True)
class Statement:
    """A verdict, or what a node says of itself."""

    at_ns: int              # when it came, wall time
    by: str                 # 'verdict', or the name of the node
    text: str               # the sentence
    rule: str = ''          # of a verdict
    action: str = ''        # of a verdict
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class Trace:
    """One strike."""

    struck_ns: int
    restored_ns: int = 0
    ended_ns: int = 0       # until then it was watched whether it drives on by itself
    looks: list[TruthSample] = field(default_factory=list)
    said: list[Statement] = field(default_factory=list)

    def during(self) -> list[TruthSample]:
        """Return the looks while the fault lasted."""
        return [look for look in self.looks if self.struck_ns <= look.at_ns < self.restored_ns]

    def before(self) -> TruthSample | None:
        """Return the last look before the strike."""
        return next((look for look in reversed(self.looks) if look.at_ns < self.struck_ns), None)

    def after(self) -> list[TruthSample]:
        """Return the looks after the cause was gone."""
        return [look for look in self.looks if look.at_ns >= self.restored_ns]
