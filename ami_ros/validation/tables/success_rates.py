# SPDX-License-Identifier: Apache-2.0
"""
Prints the table of a campaign.

    python3 -m ami_ros.validation.tables.success_rates docs/reports
"""

import json
from pathlib import Path
import sys


def wilson(k: int, n: int) -> str:
    """95 % interval of a share, in percent."""
    z, p = 1.96, k / n
    middle, half = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
    low, high = ((middle + side * half) / (1 + z * z / n) for side in (-1, 1))
    return f'{100 * low:.0f} to {100 * high:.0f}'


def row(name: str, episodes: list[dict]) -> str:
    """One line of the table."""
    n = len(episodes)
    success = sum(e['success'] for e in episodes)
    reached, hit = sum(e['reached'] for e in episodes), sum(e['collisions'] > 0 for e in episodes)
    return (f'| {name} | {n} | {100 * success / n:.1f} % ({wilson(success, n)}) | '
            f'{100 * reached / n:.1f} % | {100 * hit / n:.1f} % |')


def main(folder: Path) -> None:
    """Print every report, the unseen rooms as one."""
    said = {p.stem: json.loads(p.read_text()) for p in folder.glob('*.json')}
    reports = {name: one['episodes'] for name, one in said.items() if 'episodes' in one}
    unseen = [e for name in sorted(reports) if name.startswith('unseen') for e in reports[name]]
    print('| planner, K | episodes | success (95 % interval) | reached | collisions |')
    print('|---|---|---|---|---|')
    for name in sorted(n for n in reports if not n.startswith('unseen')):
        print(row(name.replace('-', ', ', 1).replace('-moved', ', a third of the furniture moved'),
                  reports[name]))
    if unseen:
        print(row('world_model, 20, ten rooms it never saw', unseen))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
