# SPDX-License-Identifier: Apache-2.0
"""Measures one quantity after another, writes each at once, and says what was kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
import math
from pathlib import Path
import time
from typing import Any

import rclpy
from rclpy.signals import SignalHandlerOptions

from ami_ros.core.errors import AmiError
from ami_ros.nodes import topics
from ami_ros.operator.calibration.measurement import Measurement, said, Unclear
from ami_ros.operator.calibration.motion_node import Aborted, Calibrator
from ami_ros.operator.calibration.procedures import QUANTITIES, written
from ami_ros.operator.calibration.toolkit import Declined, Kit, Person
from ami_ros.robots.find_robot import find, names, rewrite

OWN = ('make a file of your own with `ami-ros robot new`, and name it with --robot, to have them '
       'written')


def wanted(only: str) -> tuple[str, ...]:
    """Read 'lag,braking'; ValueError lists what can be measured."""
    asked = [name.strip() for name in only.split(',') if name.strip()] or list(QUANTITIES)
    for name in asked:
        if name not in QUANTITIES:
            raise AmiError(f'no quantity {name!r}; there are: {", ".join(QUANTITIES)}')
    return tuple(name for name in QUANTITIES if name in asked)


@contextmanager
def opened(robot, namespace: str, context=None) -> Iterator[Calibrator]:
    """Give a calibrator in a ROS context of its own; whatever happens, its hand rests in the end.

    Signals stay Python's own: Ctrl-C is a KeyboardInterrupt that leaves by the same way.
    """
    mine = context is None
    if mine:
        context = rclpy.Context()
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    try:
        calibrator = Calibrator(robot, context, namespace)
        try:
            yield calibrator
        finally:
            calibrator.release()
            calibrator.spinner.remove_node(calibrator)
            calibrator.destroy_node()
    finally:
        if mine:
            rclpy.shutdown(context=context)


def own_file(name: str) -> Path | None:
    """Return the file that numbers may be written to; None for a robot of the package."""
    path = find(name).path
    return None if name in names() or path.parent == find(names()[0]).path.parent else path


def calibrate(kit: Kit, name: str, asked: tuple[str, ...], dry: bool = False) -> dict:
    """Measure what was asked for and write what is good; return the report.

    An aborted motion, or Ctrl-C, ends it; what was written before that stays.
    """
    path = None if dry else own_file(name)
    report: dict[str, Any] = {
        'robot': kit.robot.name, 'file': str(path or ''),
              'date': time.strftime('%Y-%m-%d'), 'quantities': {}}
    done = report['quantities']
    try:
        if any(QUANTITIES[one][1] for one in asked):
            get_ready(kit)
        for one in asked:
            done[one] = measured(kit, one, path, name, report['date'])
    except Aborted as why:
        report['aborted'] = str(why)
        kit.person.say(f'aborted, and at rest: {why}')
    except KeyboardInterrupt:
        report['aborted'] = 'interrupted'
        kit.person.say('interrupted, and at rest')
    finally:
        summary(kit.person, report, asked, path, dry)
    return report


def get_ready(kit: Kit) -> None:
    """See that everybody is there, and have the configurator in mode manual."""
    kit.calibrator.meet()
    why = kit.calibrator.ask(topics.MANUAL)
    if why:
        raise Aborted(f'the configurator does not go to manual: {why}')
    limits = kit.calibrator.limits()
    if limits is None:
        kit.person.say('the critic does not say how fast its policy lets the robot go: what is '
                       'said below may be faster than what it does')
        return
    kit.limits, robot = limits, kit.robot
    if limits.speed_mps < robot.max_speed_mps or limits.turn_radps < robot.max_turn_radps:
        kit.person.say(f'the policy of the critic allows {said(limits.speed_mps)} m/s and '
                       f'{said(limits.turn_radps)} rad/s of the {said(robot.max_speed_mps)} m/s '
                       f'and {said(robot.max_turn_radps)} rad/s of the robot file; nothing goes '
                       'faster here')


def measured(kit: Kit, name: str, path: Path | None, robot: str, date: str) -> dict:
    """Measure one quantity, write it if it is good, and return what the report says of it."""
    try:
        found = QUANTITIES[name][0](kit)
    except Unclear as why:
        kit.person.say(f'  {name} is not measured: {why}')
        return {'state': 'unclear', 'note': str(why)}
    except Declined:
        kit.person.say(f'  {name} is left out')
        return {'state': 'declined'}
    kit.found[name] = found
    for line in told(found):
        kit.person.say(f'  {line}')
    state = 'found' if found.good else 'too wide'
    keys = written(found, kit.robot)
    if found.good and path is not None and keys:
        rewrite(path, keys, f'measured {date} by ami-ros calibrate, {len(found.runs)} runs')
        kit.robot = find(robot)
        kit.person.say(f'  written to {path}: '
                       f'{", ".join(f"{key} = {value}" for key, value in keys.items())}')
        state = 'written'
    return {'state': state, 'good': found.good,
            **{key: finite(value) for key, value in asdict(found).items()}}


def told(found: Measurement) -> list[str]:
    """Say what was found, in lines for a person."""
    values = ', '.join(f'{key} {value}' for key, value in found.values.items())
    apart = f'runs lie within +-{said(found.spread, 2)} {found.unit}'
    lines = [f'{found.name}: {values + "; " if values else ""}{apart}; {found.note}']
    lines += [f'note: {remark}' for remark in found.remarks]
    if not found.good:
        lines.append(f'not kept: +-{said(found.spread, 2)} {found.unit} is too wide, '
                     f'{said(found.allowed, 2)} is allowed; measure again, on an even floor, with '
                     'nothing in its way')
    return lines


def finite(value):
    """Take what JSON can say; an infinite number becomes its name."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def summary(person: Person, report: dict, asked: tuple[str, ...], path: Path | None,
            dry: bool) -> None:
    """Say what was kept and what is left to do."""
    by_state: dict[str, list[str]] = {}
    for one in asked:
        state = report['quantities'].get(one, {}).get('state', 'not begun')
        by_state.setdefault(state, []).append(one)
    person.say('; '.join(f'{state}: {", ".join(each)}' for state, each in by_state.items()))
    if 'found' in by_state and path is None:
        person.say('nothing was written: --dry-run' if dry else
                   f'nothing was written: {report["robot"]} comes with the package; {OWN}')
    if 'written' in by_state:
        person.say('nodes that run keep the old numbers: restart critic, configurator and mind; '
                   f'and see that the policy still fits: ami-ros robot check {path}')
    left = [one for one in asked
            if report['quantities'].get(one, {}).get('state') not in ('written', 'found')]
    if left:
        person.say(f'again, for these alone: --only {",".join(left)}')
