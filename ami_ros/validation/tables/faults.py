# SPDX-License-Identifier: Apache-2.0
"""
Prints the tables of docs/faults.md from the report of a fault campaign.

    python3 -m ami_ros.validation.tables.faults docs/reports/faults.json
"""

import json
from pathlib import Path
import sys

import yaml

from ami_ros.core.share import share

ANSWERS = {             # what the bound is for, by what is expected: stop, and the rest
    'stop': 'time_to_zero_s', 'slow': 'time_to_slow_s', 'pause': 'time_to_pause_s',
    'report': 'time_to_named_s'}
CRITIC_ENDS = ('critic_', 'power_cut')
RESULTS = ('fault', 'expected', 'bound, s', 'p50, s', 'max, s', 'stands, s', 'way, m', 'touched',
           'latched', 'came back', 'named', 'repeats', '')
EXPECTED = ('fault', 'expected', 'may remain undetected for, s', 'reason')


def line(cells) -> str:
    """One line of a table."""
    return f'| {" | ".join(str(cell).replace("|", chr(92) + "|") for cell in cells)} |'


def answer(entry: dict) -> dict:
    """Return the spread of what the bound of a fault is for."""
    if entry['expected'] != 'degrade':
        return entry[ANSWERS[entry['expected']]]
    return next((spread for key in ('slow', 'pause') if (
        spread := entry[ANSWERS[key]])['never'] == 0), {'p50': None, 'max': None})


def seconds(value: float | None, digits: int = 3) -> str:
    """Write a figure, or that there is none."""
    return '-' if value is None else f'{value:.{digits}f}'


def yes(value: bool | None) -> str:
    """Write what all repeats say."""
    return {True: 'yes', False: 'no', None: 'differs'}[value]


def results(report: dict) -> str:
    """Write what was measured; a row that did not pass says why."""
    rows = [RESULTS, ['---'] * len(RESULTS)]
    for entry in report['faults']:
        of = answer(entry)
        why = '; '.join(entry['why_not'])
        rests = entry['time_to_zero_s']['never'] < entry['repeats']
        unasked = entry['passed'] and not entry['verdict_named_the_cause']
        rows.append((
            f'`{entry["name"]}`', entry['expected'], seconds(entry['bound_s']),
            seconds(of['p50']), seconds(of['max']), seconds(entry['time_to_stand_s']['max']),
            seconds(entry['distance_after_m']['max'], 2), entry['collisions'],
            yes(entry['latched']) if rests else '-', yes(entry['recovered']),
            '-' if unasked else yes(entry['verdict_named_the_cause']), entry['repeats'],
            'passed' if entry['passed'] else f'**{why}**'))
    return '\n'.join(map(line, rows))


def expected(table: dict) -> str:
    """Write what is expected of each fault and why so soon."""
    rows = [EXPECTED, ['---'] * len(EXPECTED)]
    for row in table['faults']:
        window = '-' if row.get('window') is None else f'`{row["window"]}`'
        rows.append((f'`{row["name"]}`', row['expected'], window, ' '.join(row['why'].split())))
    return '\n'.join(map(line, rows))


def summary(report: dict) -> str:
    """Write what all of it comes to, and under which load."""
    outcomes = [out for entry in report['faults'] for out in entry['outcomes']]
    stops = [entry for entry in report['faults'] if entry['expected'] == 'stop']
    loads = sorted(out['load'] for out in outcomes)
    worst = max(stops, key=lambda entry: entry['time_to_zero_s']['max'] or 0.0)
    speeds = sorted(out['speed_at_strike_mps'] for out in outcomes)
    counts = sorted({entry['repeats'] for entry in report['faults']})
    late = [entry['name'] for entry in stops
            if entry['time_to_zero_s']['max'] is None or entry['time_to_zero_s']['never']
            or entry['time_to_zero_s']['max'] > entry['bound_s']]
    soon = sum((entry['time_to_zero_s']['max'] or 9.9) <= 0.15 for entry in stops)
    about, alive = report['about'], [
        out['longest_silence_s'] for entry in report['faults'] for out in entry['outcomes']
        if not entry['name'].startswith(CRITIC_ENDS)]
    timeout_s = yaml.safe_load(share('config/robots/rover.yaml').read_text())['base_timeout_s']
    silent = [silence for silence in alive if silence > timeout_s]
    return '\n'.join((
        f'- {len(report["faults"])} faults, {" or ".join(map(str, counts))} repeats each, '
        f'{len(outcomes)} strikes; seed {report["asked"]["seed"]}; {report["passed"]} faults '
        'passed in every repeat;',
        f'- {sum(entry["collisions"] for entry in report["faults"])} collisions;',
        f'- {len(stops)} faults must stop the rover: the longest time to zero was '
        f'{worst["time_to_zero_s"]["max"]:.3f} s (`{worst["name"]}`); for {soon} of these faults '
        'it was always at most 0.15 s; faults that exceeded their bound: '
        f'{", ".join(f"`{name}`" for name in late) or "none"};',
        f'- at the strike, the rover drove {speeds[0]:.2f} to {speeds[-1]:.2f} m/s '
        f'(median {speeds[len(speeds) // 2]:.2f});',
        f'- in {len(silent)} of the {len(alive)} strikes in which the critic kept running, it '
        f'sent no command for longer than the timeout of the base ({timeout_s:g} s); its longest '
        f'pause was {max(alive):.2f} s;',
        f'- machine: {about["machine"]["cpu"]}, {about["machine"]["cores"]} cores; load '
        f'{loads[0]:.1f} to {loads[-1]:.1f} (median {loads[len(loads) // 2]:.1f}).'))


def main(path: Path) -> None:
    """Print the tables."""
    report = json.loads(path.read_text())
    table = yaml.safe_load(share('config/faults.yaml').read_text())
    print('\n\n'.join((summary(report), results(report), expected(table))))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
