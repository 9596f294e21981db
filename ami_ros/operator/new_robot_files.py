# SPDX-License-Identifier: Apache-2.0
"""Makes the files of a new robot: robot file, URDF, policy, parameters, and what to do next."""

from pathlib import Path
import re
import shutil

import yaml

from ami_ros.core.errors import AmiError
from ami_ros.core.share_directory import share
from ami_ros.critic.safety_policy import policy_loader as policies
from ami_ros.critic.safety_policy.policy_loader import Policy
from ami_ros.robots import strict_yaml
from ami_ros.robots.field_validation import declared
from ami_ros.robots.find_robot import find, names
from ami_ros.robots.robot import read, Robot
from ami_ros.robots.sensor import NAME
from ami_ros.robots.yaml_edit import edited

SPDX = '# SPDX-License-Identifier: Apache-2.0\n'
SPDX_XML = '<!-- SPDX-License-Identifier: Apache-2.0 -->\n'
TO_DO = 'to be measured'
CAREFUL = {     # of the policy: slower than a walk, and with room
    'max_speed_mps': 0.15, 'max_turn_radps': 0.5, 'max_acceleration_mps2': 0.3,
    'max_turn_acceleration_radps2': 1.0, 'braking_mps2': 0.3, 'reaction_s': 0.2,
    'stop_distance_m': 0.30, 'side_distance_m': 0.10,
}
OF_THE_ROBOT = ('max_speed_mps', 'max_turn_radps', 'braking_mps2')     # a policy allows no more
LEAD_S = 0.05           # the policy lets a plan begin so much later than the latency at most
TICK_S = 0.02           # between two judgements of the critic
SIMULATED = ('sim',)    # nodes that no robot runs
LOCK_STEP = ('lock_step',)      # parameters that only make sense with the simulator

NEXT = """# {name}

Made by `ami-ros robot new {name}`. Its numbers are guesses on the careful side. What to do, in
this order and in this folder:

1. **Measure.** Replace what is `{to_do}` in `{name}.yaml` and `{name}.urdf`, and say where each
   number comes from. It is whole when this says `good`:

       ami-ros robot check {name}.yaml

2. **Ask the doctor**, with the wheels off the ground, the robot's drivers running and the critic
   beside them. It says what is missing, late, or turned the wrong way:

       ros2 run ami_ros critic --ros-args --params-file params.yaml
       ami-ros doctor --robot {name}.yaml

   Without the `ros2` command, in an environment that was activated, the first line is

       critic --ros-args --params-file params.yaml

3. **Drive by hand**, through the critic. It must stop before a wall, and when you let go:

       ami-ros teleop --robot {name}.yaml

4. **Calibrate** on a free floor, a hand on the power switch. The robot drives slowly, through the
   critic; delay, braking and odometry are measured and written into `{name}.yaml`. Afterwards
   `braking_mps2` of `safety_policy.yaml` may be no higher than what was found, `max_plan_lead_s`
   no lower
   than `latency_s`, and `reaction_s` no lower than `actuation_lag_s` + 0.02. Nodes that run keep
   the old numbers: end them, check, and start them again:

       ami-ros calibrate --robot {name}.yaml
       ami-ros robot check {name}.yaml

5. **Record** while you drive about where it shall find its way, half an hour or more:

       ami-ros record --robot {name}.yaml --out bag

6. **Train**, then name the new folder in `params.yaml`, at `module`, by its full path:

       ami-ros train --bag bag --out module --robot {name}.yaml

7. **Let it plan.** Nothing moves before you arm it:

       ros2 launch ami_ros robot.launch.py params_file:=params.yaml

`params.yaml` knows this folder by its full path, too: after moving it, change that there.
"""


def make(name: str, out: Path, like: str = '') -> Path:
    """Make the folder out/name; return the robot file. ValueError says why not; nothing is left.

    `like` is a robot that this one begins as; without it, as the template.
    """
    if not NAME.fullmatch(name):
        raise AmiError(f'a robot cannot be called {name!r}; a name is of a-z, 0-9 and _, a '
                       'letter first')
    if name in names():
        raise AmiError(f'there is a robot {name!r} already, and its modules would be taken for '
                       'yours; choose another name')
    files = written(name, out.absolute() / name, like)
    folder = out.absolute() / name
    if folder.exists() or folder.is_symlink():
        raise AmiError(f'{folder} is there already and nothing is overwritten; choose another '
                       'name, or another folder with --out')
    try:
        folder.mkdir(parents=True)
    except OSError as why:
        raise AmiError(f'{folder} cannot be made: {why.strerror}') from why
    try:
        for file, text in files.items():
            (folder / file).write_text(text, encoding='utf-8')
        read(folder / f'{name}.yaml')
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder / f'{name}.yaml'


def written(name: str, folder: Path, like: str) -> dict[str, str]:
    """Write all files, by name, as they shall stand in the folder."""
    if like:
        model = find(like)
        try:
            body = Path(model.urdf).read_text(encoding='utf-8')
        except UnicodeDecodeError as why:
            raise AmiError(f'{model.urdf} is not text in UTF-8: {why.reason} at byte '
                           f'{why.start}') from why
        said = model.path.read_text(encoding='utf-8')
        head = (f'# What ami_ros has to know of {name}. It began as a copy of {model.name}: '
                'replace each\n# number whose source says so, and write where yours comes from.\n')
        said = head + re.sub(r'\A(#.*\n)+', '', said.removeprefix('\ufeff').replace('\r', ''))
        said = re.sub(r'\bsource: .*', f'source: as {model.name}, {TO_DO}', said)
    else:
        body = share('urdf/robot_template.urdf').read_text(encoding='utf-8')
        said = share('config/robot_template.yaml').read_text(encoding='utf-8')
    said, body = said.removeprefix(SPDX), body.replace(SPDX_XML, '')    # it is its owner's now
    said = edited(said, {'name': name, 'urdf': f'{name}.urdf'}, '', f'{name}.yaml')
    body = re.sub(r'(<robot\b[^>]*\bname=)"[^"]*"', rf'\1"{name}"', body, count=1)
    values = strict_yaml.read(said, f'{name}.yaml')
    return {
        f'{name}.yaml': said, f'{name}.urdf': body, 'safety_policy.yaml': policy(name, values),
        'params.yaml': parameters(name, folder, values['command_type'] == 'TwistStamped'),
        'README.md': NEXT.format(name=name, to_do=TO_DO)}


def policy(name: str, robot: dict) -> str:
    """Write a careful policy: the rover's rules, for what a robot file says."""
    rovers = policies.read(share('config/safety_policy/rover.yaml'))
    lines = [f'# What the critic lets {name} do: slowly, and with room. Each number must be given',
             '# and say where it comes from. In brackets: what is accepted. Read when the critic',
             '# starts; `ami-ros safety explain safety_policy.yaml` says it in words.']
    for group, own in rovers.groups.items():
        *part, title = group.split('.')
        if title == 'input_validity':
            lines += ['', 'rules:']
        fields = declared(type(own))
        indent = '  ' * len(part)
        lines += ['', f'{indent}{title}:{"" if fields else " {}"}']
        for key, field in fields.items():
            meta = field.metadata
            value = CAREFUL.get(key, getattr(own, key))
            source = 'careful' if key in CAREFUL else "as the rover's"
            if key in OF_THE_ROBOT:
                value = min(value, robot[key])
            if key == 'reaction_s':     # commands that the base has not obeyed yet
                value = round(min(max(value, robot['actuation_lag_s'] + TICK_S), meta['high']), 3)
            if key == 'max_plan_lead_s':
                value = round(min(max(value, robot['latency_s'] + LEAD_S), meta['high']), 3)
            unit = '' if meta['unit'] in ('1', '-') else f' {meta["unit"]}'
            lines += [f'{indent}  # {meta["reason"]} [{meta["low"]} to {meta["high"]}{unit}]',
                      f'{indent}  {key}: {value}'.ljust(40) + f'# {unit.strip() or 1}; source: '
                      f'design, {source}, {TO_DO}']
    return '\n'.join(lines) + '\n'


def parameters(name: str, folder: Path, stamped: bool) -> str:
    """Write the parameter file: of each node that a robot runs, what concerns the robot."""
    own = {'robot': str(folder / f'{name}.yaml'),
           'safety_policy': str(folder / 'safety_policy.yaml'),
           'enable_stamped_cmd_vel': stamped, 'state_dir': str(folder / 'state')}
    lines = [f'# Parameters of the nodes on {name}. All else that can be tuned, with its default,',
             f'# stands in {share("config/rover_node_parameters.yaml")}:',
             '# copy a line from there to its node here.']
    node = ''
    for line in share('config/rover_node_parameters.yaml').read_text(encoding='utf-8').split('\n'):
        if match := re.fullmatch(r'/\*\*/(\w+):', line):
            node = match[1]
            lines += [''] if node not in SIMULATED else []
        if not node or node in SIMULATED:
            continue
        key = re.match(r'    (\w+): ', line)
        if key and key[1] in own:
            at = line.index(' #') if ' #' in line else len(line)
            value = yaml.safe_dump(own[key[1]], width=1e9).split('\n')[0]
            line = f'    {key[1]}: {value}'.ljust(at) + line[at:].replace('  #', ' #')
        if re.match(r'(/| {2}ros__parameters:)', line) or key and key[1] not in LOCK_STEP:
            lines.append(line)
    return '\n'.join(lines) + '\n'


def left(robot: Robot) -> list[str]:
    """List the keys of a robot file whose source still says that they are to be measured."""
    found, sensor = [], ''
    for line in robot.path.read_text(encoding='utf-8').split('\n'):
        if named := re.match(r' *- *name: *(\w+)', line):
            sensor = f'{named[1]}.'
        if key := re.match(rf'( *)(\w+):[^#]*#.*{TO_DO}', line):
            found.append(sensor + key[2] if key[1] else key[2])
    return found


def policy_of(robot: Robot, path: Path | None) -> tuple[Path, Policy]:
    """Read the policy of a robot: the one named, the one beside its file, or the shipped one."""
    if path is None:
        path = robot.path.parent / 'safety_policy.yaml'
        if not path.is_file():
            try:
                path = share(f'config/safety_policy/{robot.name}.yaml')
            except FileNotFoundError:
                raise AmiError(f'there is no safety_policy.yaml beside {robot.path}; name one '
                               f'with '
                               '--safety-policy') from None
    return path, policies.read(path)
