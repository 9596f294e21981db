# SPDX-License-Identifier: Apache-2.0
"""Judges what was seen of a fault against its row, and sums repeats up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
import math
import re

import numpy as np

from ami_ros.validation.fault_injection.fault_definitions import Named, Row
from ami_ros.validation.fault_injection.trace import Statement, Trace

NS = 1e9
FULL_SHARE = 0.9        # of the policy's top speed: a fault strikes a robot that is this fast
STANDS_MPS = 0.02       # slower than this is rest
GAP_S = 0.5             # without truth for longer, nobody knows what happened


class Unseen(RuntimeError):
    """The truth of a strike was not seen; the text says what is missing."""


@dataclass
class Outcome:
    """What one strike came to."""

    speed_at_strike_mps: float
    time_to_zero_s: float | None        # until the wheels are told rest, and nothing else since
    time_to_slow_s: float | None        # until they are told no more than at_most_mps, for good
    time_to_pause_s: float | None       # until they are first told rest
    time_to_named_s: float | None
    time_to_stand_s: float | None       # until the body itself rests
    distance_after_m: float             # driven from the strike until the cause was gone
    top_speed_mps: float                # of the body, after the bound
    longest_silence_s: float            # without a command to the wheels, while the fault lasted
    collisions: int                     # of those that began after the strike
    latched: bool | None                # rested until a person acted; None: it never rested
    goes_on: bool                       # is driving at the end of the fault
    verdict_named_the_cause: bool
    named: str                          # the sentence that did, or the last stop of the critic
    recovered: bool = False             # drove at full speed again, after all that people do
    recovery_s: float | None = None     # from the end of the cause until then
    truth_gap_s: float = 0.0            # longest time without a look while the fault lasted
    load: float = 0.0                   # of the machine, processes that want to run, over a minute
    why_not: list[str] = field(default_factory=list)


def judge(trace: Trace, row: Row, numbers: Mapping[str, float]) -> Outcome:
    """Measure one strike and say what is not as expected; recovery is seen later."""
    during, before = trace.during(), trace.before()
    if not during or before is None:
        raise Unseen(f'{row.name}: the truth of {len(trace.looks)} looks does not reach from '
                         'before the strike into the fault')
    bound_s, most = row.bound_s(numbers), row.most_mps(numbers)
    by_ns = trace.struck_ns + (bound_s or 0.0) * NS
    late = [look.speed_mps for look in during if look.at_ns >= by_ns]
    named_s, sentence = naming(trace, row.named)
    out = Outcome(
        speed_at_strike_mps=before.speed_mps, time_to_zero_s=zero_s(trace),
        time_to_slow_s=None if most is None else slow_s(trace, most),
        time_to_pause_s=pause_s(trace), time_to_named_s=named_s,
        time_to_stand_s=stand_s(trace), distance_after_m=way_m(trace),
        top_speed_mps=max(late, default=0.0),
        longest_silence_s=max(look.silence_s for look in during), collisions=collisions(trace),
        latched=latched(trace), goes_on=during[-1].rest_s == 0.0,
        verdict_named_the_cause=named_s is not None, named=sentence, truth_gap_s=gap_s(trace))
    out.why_not = complaints(out, row, bound_s, most)
    return out


def complaints(out: Outcome, row: Row, bound_s: float | None, most: float | None) -> list[str]:
    """Return what is not as expected, a sentence each."""
    wrong = []

    def in_time(seconds: float | None, what: str) -> None:
        if seconds is None:
            wrong.append(f'{what}: never')
        elif bound_s is not None and not seconds <= bound_s:
            wrong.append(f'{what}: later than {bound_s:.3f} s')

    if row.expected == 'stop':
        in_time(out.time_to_zero_s, 'the wheels are told rest for good')
    if most is not None:
        in_time(out.time_to_slow_s, f'the wheels are told {most:.3f} m/s or less for good')
    if row.pauses:
        in_time(out.time_to_pause_s, 'the wheels are told rest')
    if row.expected == 'report':
        in_time(out.time_to_named_s, f'it is named ({row.named})')
    elif row.named is not None and not out.verdict_named_the_cause:
        wrong.append(f'the cause was not named ({row.named})')
    if row.goes_on and not out.goes_on:
        wrong.append('it did not go on')
    if out.truth_gap_s > GAP_S:
        wrong.append(f'the truth has a gap of more than {GAP_S:g} s')
    if out.collisions:
        wrong.append('it touched something')
    if row.latches is not None and out.latched is not None and out.latched != row.latches:
        wrong.append('it drove on by itself when the cause was gone' if row.latches else
                     'it did not drive on by itself when the cause was gone')
    return wrong


def zero_s(trace: Trace) -> float | None:
    """Return seconds from the strike until the wheels are told rest and nothing else since.

    Exact to the millisecond: each look says how long ago rest began. None: it never did.
    """
    last = trace.during()[-1]
    if last.rest_s == 0.0:
        return None
    return max(0.0, (last.at_ns - trace.struck_ns) / NS - last.rest_s)


def slow_s(trace: Trace, most_mps: float) -> float | None:
    """Return seconds until the wheels are told no more than that, for good; fine as the looks."""
    looks = trace.during()
    fast = [index for index, look in enumerate(looks) if abs(look.told_mps) > most_mps + 1e-6]
    if not fast:
        return 0.0
    if fast[-1] == len(looks) - 1:
        return None
    return (looks[fast[-1] + 1].at_ns - trace.struck_ns) / NS


def pause_s(trace: Trace) -> float | None:
    """Return seconds until the wheels are first told rest; None: they never are."""
    for look in trace.during():
        if look.rest_s > 0.0:
            return max(0.0, (look.at_ns - trace.struck_ns) / NS - look.rest_s)
    return None


def stand_s(trace: Trace) -> float | None:
    """Return seconds until the body rests, between looks by a straight line; None: it does not."""
    looks = trace.during()
    if looks[-1].speed_mps > STANDS_MPS:
        return None
    index = next((i for i in range(len(looks) - 1, -1, -1) if looks[i].speed_mps > STANDS_MPS), -1)
    if index < 0:
        return 0.0
    one, other = looks[index], looks[index + 1]
    share = (one.speed_mps - STANDS_MPS) / (one.speed_mps - other.speed_mps)
    return (one.at_ns + share * (other.at_ns - one.at_ns) - trace.struck_ns) / NS


def way_m(trace: Trace) -> float:
    """Return the metres driven while the fault lasted; of the stretch it began in, its share."""
    before, looks = trace.before(), trace.during()
    assert before is not None       # `judge` refuses a trace without
    first = math.hypot(looks[0].x_m - before.x_m, looks[0].y_m - before.y_m)
    share = (looks[0].at_ns - trace.struck_ns) / (looks[0].at_ns - before.at_ns)
    steps = (math.hypot(b.x_m - a.x_m, b.y_m - a.y_m) for a, b in zip(looks, looks[1:]))
    return share * first + sum(steps)


def collisions(trace: Trace) -> int:
    """Count touches that began after the strike, until the watch ended."""
    before, count = trace.before(), 0
    assert before is not None       # `judge` refuses a trace without
    touching = before.touching
    for look in (*trace.during(), *trace.after()):
        count += look.touching and not touching
        touching = look.touching
    return count


def gap_s(trace: Trace) -> float:
    """Return the longest time without a look, from the strike until the cause was gone."""
    at_ns = [trace.struck_ns, *(look.at_ns for look in trace.during()), trace.restored_ns]
    return max(b - a for a, b in zip(at_ns, at_ns[1:])) / NS


def latched(trace: Trace) -> bool | None:
    """Tell whether it rested on after the cause was gone; None where it did not rest before."""
    if trace.during()[-1].rest_s == 0.0 or not trace.after():
        return None
    return all(look.rest_s > 0.0 for look in trace.after())


def naming(trace: Trace, named: Named | None) -> tuple[float | None, str]:
    """Return seconds until the cause was named, and the sentence; or the critic's last stop.

    What is named after it is over does not count.
    """
    during = [said for said in trace.said if trace.struck_ns <= said.at_ns < trace.restored_ns]
    if named is not None:
        base = counted(trace, named)
        for said in during:
            if names(said, named, base):
                return (said.at_ns - trace.struck_ns) / NS, sentence(said, named)
    stops = [said for said in during if said.action in ('stop', 'slow')]
    return None, f'{stops[-1].rule}: {stops[-1].text}' if stops else ''


def counted(trace: Trace, named: Named) -> float:
    """Return what a count was when it struck."""
    known = [said for said in trace.said if said.at_ns < trace.struck_ns and said.by == named.by]
    return float(known[-1].values.get(named.grows, 0)) if known else 0.0


def names(said: Statement, named: Named, base: float) -> bool:
    """Tell whether somebody names the cause here."""
    if said.by != named.by or named.rule and said.rule != named.rule:
        return False
    if named.grows and not float(said.values.get(named.grows, 0)) > base:
        return False
    return not named.says or any(re.search(named.says, text)
                                 for text in (said.text, *said.values.values()))


def sentence(said: Statement, named: Named) -> str:
    """Return what was said, short."""
    if named.grows:
        return f'{named.grows} {said.values[named.grows]}'
    text = next((text for text in (said.text, *said.values.values())
                 if named.says and re.search(named.says, text)), said.text)
    return f'{said.rule}: {text}' if said.rule else text


def summed(row: Row, outcomes: list[Outcome], numbers: Mapping[str, float]) -> dict:
    """Make the entry of a report; it passes when every repeat did."""
    bound_s = row.bound_s(numbers)
    counts = Counter(sentence for out in outcomes for sentence in out.why_not)
    why_not = [f'{sentence} ({n} of {len(outcomes)})' for sentence, n in counts.most_common()]
    unrecovered = sum(not out.recovered for out in outcomes)
    if unrecovered:
        why_not.append(f'it did not come back ({unrecovered} of {len(outcomes)})')
    return {
        'name': row.name, 'expected': row.expected,
        'bound_s': None if bound_s is None else round(bound_s, 4),
        'repeats': len(outcomes),
        'time_to_zero_s': spread([out.time_to_zero_s for out in outcomes]),
        'time_to_slow_s': spread([out.time_to_slow_s for out in outcomes]),
        'time_to_pause_s': spread([out.time_to_pause_s for out in outcomes]),
        'time_to_named_s': spread([out.time_to_named_s for out in outcomes]),
        'time_to_stand_s': spread([out.time_to_stand_s for out in outcomes]),
        'distance_after_m': spread([out.distance_after_m for out in outcomes]),
        'longest_silence_s': spread([out.longest_silence_s for out in outcomes]),
        'collisions': sum(out.collisions for out in outcomes),
        'latched': agreed([out.latched for out in outcomes]),
        'recovered': agreed([out.recovered for out in outcomes]),
        'recovery_s': spread([out.recovery_s for out in outcomes]),
        'verdict_named_the_cause': agreed([out.verdict_named_the_cause for out in outcomes]),
        'passed': bool(outcomes) and not why_not, 'why_not': why_not, 'row': row.digest,
        'outcomes': [asdict(out) for out in outcomes]}


def agreed(values: list[bool | None]) -> bool | None:
    """Return what all repeats say; None where they do not agree, or there are none."""
    return values[0] if values and all(value is values[0] for value in values) else None


def impossible(row: Row, numbers: Mapping[str, float]) -> dict:
    """Make the entry of a fault that cannot be tried yet: never one that passed."""
    return {**summed(row, [], numbers), 'passed': False,
            'why_not': [f'not possible yet: needs {row.needs}'], 'needs': row.needs}


def spread(values: list[float | None]) -> dict:
    """Sum up a figure over repeats: p50 and max of those that have it, and how many have not."""
    known = [value for value in values if value is not None]
    return {'p50': round(float(np.median(known)), 4) if known else None,
            'max': round(max(known), 4) if known else None, 'never': len(values) - len(known)}
