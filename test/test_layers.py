# SPDX-License-Identifier: Apache-2.0
"""The architecture is a test: who may import whom, and where third-party packages are at home."""

import ast
from pathlib import Path
import re
import sys

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / 'ami_ros'
FILES = sorted(PACKAGE.rglob('*.py'))
LONGEST_FILE = 400
SPDX = '# SPDX-License-Identifier: Apache-2.0'

MAY_IMPORT = {     # layer: the layers below it; itself and `share` are always allowed
    '__init__': set(), 'share': set(),
    'agent': set(),
    'images': {'agent'},
    'bags': {'agent', 'images'},
    'modules': {'agent'},
    'checks': {'agent', 'images', 'modules'},
    'machine': {'checks'},
    'launching': {'agent'},
    'inference': {'agent', 'modules', 'images'},
    'replay': {'agent', 'images', 'bags', 'modules', 'inference'},
    'sim': {'agent', 'images'},
    'training': {'agent', 'images', 'bags', 'modules', 'inference', 'sim'},
    'trials': {'agent', 'images', 'bags', 'modules', 'inference', 'sim', 'training'},
    'nodes': {'agent', 'images', 'bags', 'modules', 'inference', 'sim', 'trials', 'checks',
              'machine'},
    'verbs': {'agent', 'images', 'bags', 'modules', 'inference', 'replay', 'sim', 'training',
              'trials', 'nodes', 'checks', 'machine'},
}
EVERYTHING = set(MAY_IMPORT) | {'cli'}
ROS = ('rclpy', 'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'lifecycle_msgs',
       'nav_msgs', 'rcl_interfaces', 'rosgraph_msgs', 'sensor_msgs', 'std_msgs', 'std_srvs',
       'tf2_msgs', 'trajectory_msgs')
HOME = {           # third-party package: the folders and files that may import it
    'numpy': ('',),
    'cryptography': ('modules/',),
    'jsonschema': ('modules/schema.py',),
    # in the agent only where a robot's owner writes YAML; it is a plain reader, as json is
    'yaml': ('agent/policies/', 'agent/robots/', 'bags/', 'modules/', 'inference/', 'sim/',
             'replay/', 'training/', 'trials/', 'nodes/', 'verbs/', 'launching.py'),
    'cv2': ('images/', 'nodes/', 'sim/'),
    'torch': ('training/', 'inference/torch_backend.py', 'inference/torch_operators.py'),
    'onnx': ('training/', 'inference/graph.py', 'inference/numpy_backend.py'),
    'onnxruntime': ('inference/onnx_backend.py', 'training/quantize.py'),
    'tensorrt': ('inference/tensorrt_backend.py',),
    'mujoco': ('sim/',),
    'pybullet': ('sim/',), 'pybullet_data': ('sim/',), 'pybullet_utils': ('sim/',),
    'rosbags': ('bags/', 'training/'), 'mcap': ('bags/',), 'zstandard': ('bags/',),
    **dict.fromkeys(ROS, ('nodes/',)),
    'launch': ('launching.py',), 'launch_ros': ('launching.py',),
}


def imported(source: str, package: str):
    """Yield (line, dotted name) of each import: late, relative, or as a name in a table."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                above = package.split('.')[:len(package.split('.')) - node.level + 1]
                base = '.'.join([*above, base] if base else above)
            if base == 'ami_ros':
                yield from ((node.lineno, f'ami_ros.{alias.name}') for alias in node.names)
            else:
                yield node.lineno, base
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) \
                and re.fullmatch(r'ami_ros(\.\w+)+', node.value):
            yield node.lineno, node.value


def layer_of(relative: str) -> str:
    return relative.split('/')[0].removesuffix('.py')


def complaints(relative: str, source: str) -> list[str]:
    """Return what is wrong with the imports of one file, given its path inside the package."""
    layer, wrong = layer_of(relative), []
    if layer not in EVERYTHING:
        return [f'{relative} is in no layer; there are: {", ".join(sorted(EVERYTHING))}']
    allowed = EVERYTHING if layer == 'cli' else MAY_IMPORT[layer] | {layer, 'share', '__init__'}
    folder = '.'.join(['ami_ros', *relative.split('/')[:-1]])
    for line, name in imported(source, folder):
        top, *rest = name.split('.')
        if top == 'ami_ros':
            target = rest[0] if rest and rest[0] in EVERYTHING else '__init__'
            if target not in allowed:
                wrong.append(f'{relative}:{line} reaches up to ami_ros.{target}')
        elif top in HOME:
            if not relative.startswith(HOME[top]):
                wrong.append(f'{relative}:{line} imports {top}, which is at home in '
                             f'{", ".join(HOME[top])}')
        elif top not in sys.stdlib_module_names:
            wrong.append(f'{relative}:{line} imports {top}, which has no home: give it one '
                         f'in HOME of {Path(__file__).name} and an extra in setup.py')
    return wrong


def test_imports_point_down():
    wrong = [complaint for file in FILES
             for complaint in complaints(file.relative_to(PACKAGE).as_posix(), file.read_text())]
    assert not wrong, '\n'.join(wrong)


@pytest.mark.parametrize('relative, source, complaint', [
    ('sim/x.py', 'from ami_ros.nodes import topics', 'sim/x.py:1 reaches up to ami_ros.nodes'),
    ('sim/x.py', 'from ..nodes import topics', 'sim/x.py:1 reaches up to ami_ros.nodes'),
    ('sim/x.py', 'from .. import nodes', 'sim/x.py:1 reaches up to ami_ros.nodes'),
    ('sim/x.py', 'from ami_ros import agent, nodes', 'sim/x.py:1 reaches up to ami_ros.nodes'),
    ('sim/x.py', 'def f():\n    import ami_ros.nodes', 'sim/x.py:2 reaches up to ami_ros.nodes'),
    ('sim/x.py', "T = {'a': 'ami_ros.nodes.mind_node'}", 'sim/x.py:1 reaches up to ami_ros.nodes'),
    ('agent/rules/x.py', 'import ami_ros.images.decode', 'reaches up to ami_ros.images'),
    ('trials/x.py', 'import ami_ros.cli', 'trials/x.py:1 reaches up to ami_ros.cli'),
    ('share.py', 'from ami_ros.agent import types', 'share.py:1 reaches up to ami_ros.agent'),
    ('agent/x.py', 'def late():\n    import torch', 'agent/x.py:2 imports torch'),
    ('inference/onnx_backend.py', 'import torch.nn', 'imports torch, which is at home in train'),
    ('agent/rules/x.py', 'import yaml', 'agent/rules/x.py:1 imports yaml'),
    ('images/x.py', 'import pybullet', 'images/x.py:1 imports pybullet'),
    ('trials/x.py', 'from sensor_msgs.msg import Image', 'trials/x.py:1 imports sensor_msgs'),
    ('cli.py', 'import rclpy', 'cli.py:1 imports rclpy'),
    ('nodes/x.py', 'import scipy', 'nodes/x.py:1 imports scipy, which has no home'),
    ('attic/x.py', '', 'attic/x.py is in no layer'),
])
def test_the_checker_complains(relative, source, complaint):
    assert any(complaint in c for c in complaints(relative, source)), complaints(relative, source)


@pytest.mark.parametrize('relative, source', [
    ('agent/rules/x.py', 'from ..types import Command\nfrom ami_ros.share import share'),
    ('sim/x.py', 'import cProfile, pybullet\nfrom ami_ros import share\nfrom .world import W'),
    ('inference/torch_backend.py', 'import torch'),
    ('nodes/x.py', 'import rclpy, cv2\nfrom ami_ros.trials import protocol'),
    ('cli.py', 'from ami_ros import nodes, training'),
])
def test_the_checker_lets_pass(relative, source):
    assert complaints(relative, source) == []


def test_no_file_is_too_long():
    long = {f.relative_to(PACKAGE).as_posix(): n for f in FILES
            if (n := len(f.read_text().splitlines())) > LONGEST_FILE}
    assert not long, f'more than {LONGEST_FILE} lines, so split by what each part is about: {long}'


def test_every_file_says_its_licence():
    folders = [PACKAGE, *(PACKAGE.parent / f for f in ('test', 'launch', 'tools'))]
    bare = [str(f.relative_to(PACKAGE.parent)) for folder in folders
            for f in sorted(folder.rglob('*.py')) if f.read_text().split('\n')[0] != SPDX]
    assert not bare, f'the first line should be {SPDX!r} in: {bare}'
