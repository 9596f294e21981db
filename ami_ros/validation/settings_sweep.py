# SPDX-License-Identifier: Apache-2.0
"""
Measures the effect of single settings: ten episodes per value, one setting changed at a time.

    python3 -m ami_ros.validation.settings_sweep docs/reports/settings_sweep.json

It drives, writes the report and prints the table.

Lock-step, room 7, K = 20, seeds 500 to 509: seeds for tuning, which no published figure uses. Ten
episodes tell a trend, not a percent. A row that the report has already is kept.
"""

from dataclasses import fields, replace
import json
from pathlib import Path
import sys
from typing import Any

import numpy as np

from ami_ros.critic.critic import Critic
from ami_ros.critic.safety_policy.policy_loader import changed as with_numbers
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.inference.encoder_and_dynamics import mind
from ami_ros.modules.module import open_module
from ami_ros.robots.find_robot import find
from ami_ros.sim import furnished_room as worlds
from ami_ros.sim.simulator import Simulator
from ami_ros.validation import evaluate, planners
from ami_ros.validation import evaluation_protocol as protocol

SEEDS, BLOCKS, ROOM, OTHER_ROOM = range(500, 510), 20, 7, 12
TRIED: tuple[dict[str, Any], ...] = (       # each a change of the defaults; 'room' is no parameter
    {}, {'room': OTHER_ROOM},
    {'actor.candidates': 24}, {'actor.candidates': 256}, {'actor.iterations': 1},
    {'actor.iterations': 8}, {'actor.min_std': 0.02}, {'actor.min_std': 0.3},
    {'energy.effort': 0.0}, {'energy.effort': 0.5}, {'energy.effort': 2.0},
    {'energy.map': 0.0}, {'energy.map': 1.0},
    {'energy.time_to_goal': 0.3}, {'energy.time_to_goal': 3.0}, {'energy.latent': 0.0},
    {'energy.latent': 3.0},
    {'energy.disagreement': 0.0}, {'energy.disagreement': 2.0}, {'energy.vetoed': 0.0},
    {'energy.terminal': 1.0}, {'energy.terminal': 10.0},
    {'energy.arrive_m': 0.06, 'energy.arrive_rad': 0.09, 'energy.settle_m': 0.09,
     'energy.settle_rad': 0.15},
    {'energy.arrive_m': 0.25, 'energy.arrive_rad': 0.35, 'energy.settle_m': 0.28,
     'energy.settle_rad': 0.4},
    {'energy.settle_s': 0.0}, {'energy.settle_s': 3.0},
    {'world_model.latent_gain': 0.3}, {'world_model.latent_gain': 1.0},
    {'world_model.pose_gain': 0.1}, {'world_model.pose_gain': 1.0},
    {'policy.max_speed_mps': 0.3, 'policy.max_turn_radps': 0.75},
    {'policy.stop_distance_m': 0.2}, {'policy.max_acceleration_mps2': 0.5},
)
HEADS = ('changed', 'success', 'seconds', 'off m', 'jerks', 'nearest m', 'slowed %', 'stopped %',
         'surprise')


def name_of(change: dict) -> str:
    """Say what was changed."""
    if 'room' in change:
        return 'a room that it never saw'
    return ', '.join(f'`{key.removeprefix("policy.")}` {value:g}'
                     for key, value in change.items()) or 'nothing'


def changed(given, prefix: str, change: dict):
    """Return settings with what the change says of them; AttributeError for what is not there."""
    mine = {key.removeprefix(f'{prefix}.'): value for key, value in change.items()
            if key.startswith(f'{prefix}.')}
    unknown = set(mine) - {field.name for field in fields(given)}
    if unknown:
        raise AttributeError(f'{prefix} has no {", ".join(unknown)}')
    kinds: dict[str, Any] = {field.name: field.type for field in fields(given)}
    return replace(given, **{key: kinds[key](value) for key, value in mine.items()})


def chosen(policy: Policy, change: dict) -> Policy:
    """Return a policy with what the change says of it: 'policy.KEY', whatever rule KEY is of."""
    own = {key.removeprefix('policy.'): value for key, value in change.items()
           if key.startswith('policy.')}
    names = {name.rpartition('.')[2]: name for name in policy.numbers}
    return with_numbers(policy, {names.get(key, key): value for key, value in own.items()})


class DriveWatch:
    """Remembers what happened in a tick."""

    def __init__(self, critic: Critic, limits):
        self.critic, self.limits = critic, np.array(limits)
        self.commands: list = []
        self.nearest: list = []
        self.actions: list = []
        self.surprises: list = []
        self.ticks = 0
        self.arrived: int | None = None

    def __call__(self, frame, plan, verdict, truth) -> None:
        """Take a tick; what comes after the arrival does not count."""
        self.ticks += 1
        if plan.arrived and self.arrived is None:
            self.arrived = self.ticks
        if self.arrived is None:
            self.commands.append(verdict.command.values / self.limits)
            self.nearest.append(min(np.nanmin(s.ranges) for s in self.critic.scans.values()))
            self.actions.append(verdict.action)
            self.surprises.append(plan.surprise)


def drive(change: dict) -> dict:
    """Drive ten episodes; return the figures."""
    module, robot = open_module(), find('rover')
    world = worlds.draw(change.get('room', ROOM))
    model, actor, energy = (changed(given, prefix, change) for given, prefix in zip(
        evaluate.settings(), ('world_model', 'actor', 'energy')))
    policy = chosen(evaluate.policy(), change)
    episodes, watches = [], []
    with Simulator(world, robot, SEEDS[0]) as sim:
        who = planners.WorldModelPlanner(
            mind(module, robot, model, actor, energy, lambda: 0))
        for seed in SEEDS:
            critic = Critic(policy, robot)
            watches.append(DriveWatch(critic, robot.limits))
            episodes.append(evaluate.episode(
                sim, who, critic, protocol.goal_drive(world, robot, BLOCKS, seed), seed,
                watches[-1]))
    actions = [action for watch in watches for action in watch.actions]
    jerks = [np.abs(np.diff(watch.commands, axis=0)).sum(1) for watch in watches
             if len(watch.commands) > 1]
    declared = [(watch, episode) for watch, episode in zip(watches, episodes) if watch.arrived]
    surprises = np.concatenate([watch.surprises[1:] for watch in watches])
    return {
        'change': change, 'drives': len(episodes),
        'success': sum(e.success for e in episodes), 'reached': sum(e.reached for e in episodes),
        'collisions': sum(e.collisions > 0 for e in episodes), 'declared': len(declared),
        'seconds': [round(evaluate.FRAME_S * (w.arrived or 0), 1) for w, _ in declared],
        'off_m': [round(e.final_distance_m, 3) for _, e in declared],
        'jerk': round(float(np.concatenate(jerks).mean()), 4),
        'nearest_m': round(float(min(min(w.nearest) for w in watches if w.nearest)), 3),
        'slowed': round(actions.count('slow') / max(1, len(actions)), 4),
        'stopped': round(actions.count('stop') / max(1, len(actions)), 4),
        'surprise': [round(float(q), 2) for q in np.percentile(surprises, (50, 95))],
    }


def table(report: dict) -> str:
    """Write the table."""
    lines = [f'| {" | ".join(HEADS)} |', '|' + '---|' * len(HEADS)]
    for row in report['rows']:
        said = [f'{np.median(row[key]):.{digits}f}' if row[key] else ''
                for key, digits in (('seconds', 1), ('off_m', 2))]
        lines.append('| ' + ' | '.join((
            name_of(row['change']), f'{row["success"]} of {row["drives"]}', *said,
            f'{row["jerk"]:.2f}', f'{row["nearest_m"]:.2f}', f'{100 * row["slowed"]:.0f}',
            f'{100 * row["stopped"]:.0f}', '{:.1f}, {:.1f}'.format(*row['surprise']))) + ' |')
    return '\n'.join(lines)


def written(report: dict) -> str:
    """Write the report, a line a row."""
    head = json.dumps({**report, 'rows': []}, indent=1).removesuffix('[]\n}')
    return head + '[\n' + ',\n'.join(map(json.dumps, report['rows'])) + ']}\n'


def main(path: Path) -> None:
    """Drive what the report lacks, and print the table."""
    rows = json.loads(path.read_text())['rows'] if path.exists() else []
    for change in TRIED:
        if change not in [row['change'] for row in rows]:
            rows.append(drive(change))
            report = {'command': f'python3 -m ami_ros.validation.settings_sweep {path}',
                      'room': ROOM,
                      'goal_steps': BLOCKS, 'seeds': [SEEDS[0], SEEDS[-1]],
                      'module': open_module().manifest['name'], 'rows': rows}
            path.write_text(written(report))
            print(name_of(change), rows[-1]['success'], flush=True)
    print(table(json.loads(path.read_text())))


if __name__ == '__main__':
    main(Path(sys.argv[1]))
