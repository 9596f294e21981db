# SPDX-License-Identifier: Apache-2.0
"""Show the mode of the robot and the reason for a stop, or request another mode."""

import argparse

from ami_ros.nodes import ros_arguments

MODES = ('idle', 'manual', 'autonomous', 'dry_run', 'stop', 'reset')


def add(one: argparse.ArgumentParser) -> None:
    """Declare the options."""
    one.add_argument(
        'mode', nargs='?', choices=MODES, metavar='MODE',
        help=f'Mode to request: {", ".join(MODES)}; if omitted, print the current mode')
    ros_arguments.add(one, '-p use_sim_time:=true')


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit status: 1 where it was refused."""
    from ami_ros.operator import mode
    if args.mode:
        granted, said = mode.ask(args.mode, ros_arguments.given(args))
        if not granted:
            raise RuntimeError(said)
        print(said)
        return 0
    print('\n'.join(table(*mode.hear(ros_arguments.given(args)))))
    return 0


def table(said: dict[str, str], verdict) -> list[str]:
    """Say how the robot stands, from the configurator's status and the critic's verdict."""
    task = said.get('task', '')
    if said.get('goal', '0') != '0':
        task = f'goal {said["goal"]}, {task}'
    critic = 'silent; is it running?'
    if verdict is not None:
        v, w = verdict.command.values
        rule = ': '.join(filter(None, (verdict.rule, verdict.reason)))
        critic = '  '.join(filter(None, (verdict.action, f'{v:+.2f} m/s {w:+.2f} rad/s', rule)))
    rows = {'mode': said.get('mode', ''), 'ready': 'yes' if said.get('ready') == '1'
            else f'no: {said.get("waits_for", "")}', 'task': task,
            'reason': said.get('reason', ''), 'critic': critic}
    return [f'{name:8s}{value}'.rstrip() for name, value in rows.items()]
