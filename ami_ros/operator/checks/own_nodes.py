# SPDX-License-Identifier: Apache-2.0
"""Whether our own nodes are there, awake, agree with each other, and what they say."""

from ami_ros.configurator.configurator import MODES
from ami_ros.core.findings import Finding, good, UNCHECKED, WARN, WRONG
from ami_ros.critic.safety_policy.consistency import together
from ami_ros.operator.checks.observation import Observation

SILENT_S = 2.0              # heartbeats come each 0.25 s
MIND = ('mind', 'perception', 'world_model', 'actor')
LAUNCH = 'ros2 launch ami_ros robot.launch.py robot_file:=FILE'
SERVICES = ('arm', 'disarm', 'manual', 'dry_run', 'stop', 'reset', 'cancel', 'begin')
AGREE = ('robot', 'module', 'lock_step', 'enable_stamped_cmd_vel', 'safety_policy')
LEVELS = {0: 'ok', 1: 'warn', 2: 'error'}


def here(seen: Observation, name: str) -> list[str]:
    """Return the nodes of this name in our namespace, once for each that runs."""
    return [node for node in seen.nodes if node == f'{seen.namespace}/{name}']


def present(seen: Observation) -> list[Finding]:
    """Check that each runs, once, and gives signs of life."""
    out = []
    if not any(here(seen, name) for name in ('critic', 'configurator', *MIND)):
        return [Finding(WARN, 'nodes: ours', 'none of them runs',
                        'critic, configurator, mind',
                        f'{LAUNCH}, unless you only wanted to see the sensors.')]
    composed = bool(here(seen, 'mind')) or not any(here(seen, name) for name in MIND)
    for name in ('critic', 'configurator', *(MIND[:1] if composed else MIND[1:])):
        found = here(seen, name)
        if not found:
            out.append(Finding(WRONG, f'{name}: runs', 'no', 'yes',
                               f'{LAUNCH}; why it ended, its log says: journalctl -u ami_ros, or '
                               '~/.ros/log'))
        elif len(found) > 1:
            out.append(Finding(WRONG, f'{name}: runs', f'{len(found)} of them', 'once',
                               'End all but one: ps aux | grep ami_ros'))
        else:
            out += alive(seen, name)
    return out


def alive(seen: Observation, name: str) -> list[Finding]:
    """Check signs of life, state, and what it complains of."""
    what, said = f'{name}: runs', seen.health.get(name)
    if name == 'critic':        # it speaks through its verdict
        said = said or seen.verdict
    if name == 'configurator':
        said = said or seen.status
    if said is None:
        return [Finding(WARN, what, f'no sign of life in {seen.seconds:g} s', 'one each 0.25 s',
                        'It hangs, or it is another program of this name: see its log.')]
    state = said.values.get('state', '')
    measured = ', '.join(filter(None, (state, said.message)))
    if said.gap_s > SILENT_S:
        return [Finding(WARN, what, f'silent for {said.gap_s:.1f} s', f'under {SILENT_S:g} s',
                        'The machine is too busy for it: ami-ros host, top.')]
    if name == 'critic' and said is seen.verdict:
        return [good(what, 'yes')]
    if said.level >= 2:
        return [Finding(WRONG, what, measured, 'well', f'Do what it says; its log says more: '
                        f'{measured}'[:200])]
    wanted = due(seen) if name in MIND else 'active'
    if state and state != wanted:
        return [Finding(WARN, what, measured, wanted,
                        'The configurator brings it there (autostart:=true); see why not in its '
                        'log.')]
    return [Finding(WARN, what, measured, 'well', f'Do what it says: {said.message}')
            if said.level == 1 else good(what, measured or 'yes')]


def due(seen: Observation) -> str:
    """Return the state that the mode wants the mind in: it rests while nothing is planned."""
    mode = seen.status.values.get('mode') if seen.status else None
    return MODES[mode].minds if mode in MODES else 'active'


def verdict(seen: Observation) -> list[Finding]:
    """Say what the critic allows now, and why not."""
    said, what = seen.verdict, 'critic: verdict'
    if said is None:
        return []
    values = said.values
    action, rule = values.get('action', '?'), values.get('rule', '')
    measured = action + (f' by rule {rule}: {said.message}' if rule or said.message else '')
    mode = (seen.status.values.get('mode') if seen.status else '') or values.get('mode', '')
    out = []
    if values.get('unreadable'):
        out.append(Finding(WRONG, 'critic: reads', values['unreadable'], 'every message',
                           'Let the driver send what the sentence asks for.'))
    if action == 'stop' and mode == 'autonomous':
        return [*out, Finding(WARN, what, measured, 'go', f'It waits for this to end: '
                              f'{said.message or rule}.')]
    return [*out, good(what, measured + (f' (mode {mode})' if mode else ''))]


def supervisor(seen: Observation) -> list[Finding]:
    """Say the configurator's mode, and check that its services are there."""
    if not here(seen, 'configurator'):
        return []
    out = []
    if seen.status is not None:
        values = seen.status.values
        mode, reason = values.get('mode', '?'), values.get('reason', '')
        said = f'{mode}, goal {values.get("goal", "?")}' + (f': {reason}' if reason else '')
        out.append(Finding(WARN, 'configurator: mode', said, '',
                           f'ros2 service call {seen.namespace}/configurator/reset '
                           'std_srvs/srv/Trigger, once the reason is gone.')
                   if mode == 'stopped' else good('configurator: mode', said))
    missing = [name for name in SERVICES
               if f'{seen.namespace}/configurator/{name}' not in seen.services]
    out.append(Finding(WARN, 'configurator: services', f'no {", ".join(missing)}', 'all',
                       'Is it active, and of this version? See its log.')
               if missing else good('configurator: services', f'all {len(SERVICES)}'))
    return out


def agreement(seen: Observation) -> list[Finding]:
    """Check that nodes that were given the same parameter were given the same value."""
    out = []
    for key in AGREE:
        said = {node: values[key] for node, values in seen.running.items() if key in values}
        if len(set(said.values())) > 1:
            out.append(Finding(
                WRONG, f'parameters: {key}',
                '; '.join(f'{node} has {value or "the default"}' for node, value in said.items()),
                'the same for all', 'Start all from one launch file with one params_file.'))
    robot = next((v['robot'] for v in seen.running.values() if v.get('robot')), None)
    if robot is not None and robot not in (seen.robot.name, str(seen.robot.path)):
        out.append(Finding(WARN, 'parameters: robot', f'the nodes run {robot}, the doctor '
                           f'{seen.robot.name}', 'the same', f'ami-ros doctor --robot {robot}'))
    return out


def thinks_with(seen: Observation) -> list[Finding]:
    """Say which module thinks, and whether it is the one that should."""
    out = []
    for name in MIND:
        said = seen.health.get(name)
        values = said.values if said is not None else {}
        module = values.get('module', '')
        if module and seen.module and module != seen.module:
            out.append(Finding(WARN, f'{name}: module', module, seen.module,
                               values.get('notes') or 'It takes a new set up within a '
                               'second or two; if not, its log says why.'))
        elif module:
            out.append(good(f'{name}: module', module))
    return out


def fit_together(seen: Observation) -> list[Finding]:
    """Compare robot file, policy and the parameters of the nodes that run."""
    if seen.policy is None:
        return [Finding(UNCHECKED, 'together: policy', 'no policy could be read')]
    compared = {node: {key: value for key, value in values.items()
                       if key not in ('robot', 'safety_policy')}     # `agreement` compares these
                for node, values in seen.running.items()}
    running = {node.rpartition('/')[2]: {key: typed(value) for key, value in values.items()}
               for node, values in compared.items()}
    return together(seen.robot, seen.policy, running or None)


def typed(value: str):
    """Return a parameter as it is: true or false, a number, or text."""
    if value in ('True', 'False'):
        return value == 'True'
    try:
        return float(value)
    except ValueError:
        return value


def files(seen: Observation) -> list[Finding]:
    """Check that the policy can be read and the module fits the robot."""
    out = [good('policy: file', seen.policy_path) if seen.policy else Finding(
        WRONG, 'policy: file', seen.policy_path, 'one that can be read',
        'Correct it; config/safety_policy/rover.yaml says what each number means.')]
    if seen.module_wrong:
        out.append(Finding(WRONG, 'module: fits', seen.module_wrong, f'made for {seen.robot.name}',
                           'Name another with --module, or train one: ami-ros train.'))
    elif seen.module:
        out.append(good('module: fits', seen.module, f'made for {seen.robot.name}'))
    else:
        out.append(Finding(UNCHECKED, 'module: fits', 'none was named'))
    return out
