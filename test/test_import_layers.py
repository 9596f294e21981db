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

# The five modules of the mind and the place memory do not import each other; mind.py joins them.
MODULES = ('perception', 'world_model', 'actor', 'memory', 'critic', 'configurator')
BELOW_NODES = {'core', 'robots', 'perception', 'world_model', 'actor', 'memory', 'critic',
               'configurator', 'mind', 'place_mind', 'modules', 'inference', 'recording', 'sim',
               'host', 'parallel'}
MAY_IMPORT = {     # package: the packages that it may import besides itself and `__init__`
    '__init__': set(),
    'core': set(),
    'robots': {'core'},
    'perception': {'core', 'robots'},       # a robot file says where the camera is
    'world_model': {'core'},
    'actor': {'core'},
    'memory': {'core'},
    'critic': {'core', 'robots'},
    'configurator': {'core'},
    'mind': {'core', 'perception', 'world_model', 'actor', 'memory'},
    'place_mind': {'core', 'actor', 'memory'},
    'modules': {'core', 'robots', 'perception'},
    'inference': {'core', 'robots', 'perception', 'world_model', 'actor', 'memory', 'mind',
                  'modules'},
    'recording': {'core', 'robots', 'perception', 'critic', 'mind', 'modules', 'inference'},
    'host': {'core'},
    'parallel': {'core'},
    'launching': {'core', 'robots'},
    'sim': {'core', 'robots', 'perception'},
    'training': {'core', 'robots', 'perception', 'world_model', 'actor', 'memory', 'mind',
                 'modules', 'inference', 'recording', 'sim', 'parallel'},
    'nodes': BELOW_NODES,
    'operator': BELOW_NODES | {'nodes'},
    'validation': BELOW_NODES | {'training', 'nodes', 'operator'},
}
# cli is on top: it may import all, and nobody imports it
EVERYTHING = set(MAY_IMPORT) | {'cli'}
ROS = ('rclpy', 'builtin_interfaces', 'diagnostic_msgs', 'geometry_msgs', 'lifecycle_msgs',
       'nav_msgs', 'rcl_interfaces', 'rosgraph_msgs', 'sensor_msgs', 'std_msgs', 'std_srvs',
       'tf2_msgs', 'trajectory_msgs')
HOME = {           # third-party package: the folders and files that may import it
    'numpy': ('',),
    'cryptography': ('modules/',),
    # below nodes only where a person writes YAML; it is a plain reader, as json is
    'yaml': ('critic/safety_policy/', 'robots/', 'recording/', 'modules/', 'inference/', 'sim/',
             'training/', 'nodes/', 'operator/', 'validation/', 'cli/', 'launching.py'),
    'cv2': ('perception/images/', 'nodes/', 'operator/', 'sim/'),
    'torch': ('training/', 'inference/torch_backend.py', 'inference/torch_onnx_operators.py',
              'validation/benchmarks/'),
    'jsonschema': ('modules/schema.py',),
    'onnx': ('training/', 'inference/onnx_graph.py', 'inference/numpy_backend.py'),
    'onnxruntime': ('inference/onnx_backend.py', 'training/quantize.py', 'validation/benchmarks/'),
    'mujoco': ('sim/',),
    'scipy': ('memory/',),
    'zstandard': ('recording/',),
    'ray': ('parallel/ray_cluster.py',),
    'tensorrt': ('inference/tensorrt_backend.py',),
    'pybullet': ('sim/', 'validation/obstacle_hysteresis.py'),
    'pybullet_data': ('sim/',), 'pybullet_utils': ('sim/',),
    'rosbags': ('recording/', 'training/'), 'mcap': ('recording/', 'validation/benchmarks/'),
    **dict.fromkeys(ROS, ('nodes/', 'operator/', 'validation/')),
    'launch': ('launching.py',), 'launch_ros': ('launching.py',),
}


def imported(source: str, package: str):
    """Yield (line, dotted name) of each import: late, relative, or as a name in a table."""
    tree = ast.parse(source)
    started = {id(name) for node in ast.walk(tree) if isinstance(node, (ast.List, ast.Tuple))
               for flag, name in zip(node.elts, node.elts[1:])
               if isinstance(flag, ast.Constant) and flag.value == '-m'}    # a process, no import
    for node in ast.walk(tree):
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
                and re.fullmatch(r'ami_ros(\.\w+)+', node.value) and id(node) not in started:
            yield node.lineno, node.value


def layer_of(relative: str) -> str:
    return relative.split('/')[0].removesuffix('.py')


def complaints(relative: str, source: str) -> list[str]:
    """Return what is wrong with the imports of one file, given its path inside the package."""
    layer, wrong = layer_of(relative), []
    if layer not in EVERYTHING:
        return [f'{relative} is in no layer; there are: {", ".join(sorted(EVERYTHING))}']
    allowed = EVERYTHING if layer == 'cli' else MAY_IMPORT[layer] | {layer, '__init__'}
    folder = '.'.join(['ami_ros', *relative.split('/')[:-1]])
    for line, name in imported(source, folder):
        top, *rest = name.split('.')
        if top == 'ami_ros':
            target = rest[0] if rest and rest[0] in EVERYTHING else '__init__'
            if target not in allowed:
                wrong.append(f'{relative}:{line} may not import ami_ros.{target}; '
                             f'{layer} may import: {", ".join(sorted(allowed))}')
        elif top in HOME:
            if not relative.startswith(HOME[top]):
                wrong.append(f'{relative}:{line} imports {top}, which is at home in '
                             f'{", ".join(HOME[top])}')
        elif top not in sys.stdlib_module_names:
            wrong.append(f'{relative}:{line} imports {top}, which has no home: give it one '
                         f'in HOME of {Path(__file__).name} and an extra in setup.py')
    return wrong


def circle(rules: dict[str, set[str]]) -> list[str]:
    """Return packages that may import each other around a circle; [] if there is none."""
    left = {name: set(below) for name, below in rules.items()}
    while free := [name for name, below in left.items() if not below & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_imports_are_allowed():
    wrong = [complaint for file in FILES
             for complaint in complaints(file.relative_to(PACKAGE).as_posix(), file.read_text())]
    assert not wrong, '\n'.join(wrong)


def test_the_rules_have_no_circle():
    assert circle(MAY_IMPORT) == []
    assert circle({'a': {'b'}, 'b': {'c'}, 'c': {'b'}}) == ['a', 'b', 'c']


def test_the_modules_of_the_mind_do_not_know_each_other():
    for name in MODULES:
        assert not MAY_IMPORT[name] & set(MODULES), name
        assert MAY_IMPORT[name] <= {'core', 'robots'}, name
    assert not MAY_IMPORT['nodes'] & {'validation', 'operator'}
    assert not any('cli' in below for below in MAY_IMPORT.values())


@pytest.mark.parametrize('relative, source, complaint', [
    ('sim/x.py', 'from ami_ros.nodes import topics', 'sim/x.py:1 may not import ami_ros.nodes'),
    ('sim/x.py', 'from ..nodes import topics', 'sim/x.py:1 may not import ami_ros.nodes'),
    ('sim/x.py', 'from .. import nodes', 'sim/x.py:1 may not import ami_ros.nodes'),
    ('sim/x.py', 'from ami_ros import core, nodes', 'sim/x.py:1 may not import ami_ros.nodes'),
    ('sim/x.py', 'def f():\n    import ami_ros.nodes', 'sim/x.py:2 may not import ami_ros.nodes'),
    ('sim/x.py', "T = {'a': 'ami_ros.nodes.mind_node'}", 'sim/x.py:1 may not import ami_ros.node'),
    ('critic/rules/x.py', 'import ami_ros.perception.images', 'may not import ami_ros.perception'),
    ('critic/x.py', 'from ami_ros.configurator import configurator', 'import ami_ros.configurat'),
    ('actor/x.py', 'from ami_ros.world_model import belief_filter', 'import ami_ros.world_model'),
    ('nodes/x.py', 'from ami_ros.operator import teleop', 'may not import ami_ros.operator'),
    ('nodes/x.py', 'from ami_ros.validation import protocol', 'may not import ami_ros.validation'),
    ('validation/x.py', 'import ami_ros.cli', 'validation/x.py:1 may not import ami_ros.cli'),
    ('core/share_directory.py', 'from ami_ros.robots import find',
     'share_directory.py:1 may not import ami_ros.robot'),
    ('core/x.py', 'def late():\n    import torch', 'core/x.py:2 imports torch'),
    ('inference/onnx_backend.py', 'import torch.nn', 'imports torch, which is at home in train'),
    ('critic/rules/x.py', 'import yaml', 'critic/rules/x.py:1 imports yaml'),
    ('perception/x.py', 'import pybullet', 'perception/x.py:1 imports pybullet'),
    ('recording/x.py', 'from sensor_msgs.msg import Image',
     'recording/x.py:1 imports sensor_msgs'),
    ('cli/x.py', 'import rclpy', 'cli/x.py:1 imports rclpy'),
    ('nodes/x.py', 'import pandas', 'nodes/x.py:1 imports pandas, which has no home'),
    ('attic/x.py', '', 'attic/x.py is in no layer'),
])
def test_the_checker_complains(relative, source, complaint):
    assert any(complaint in c for c in complaints(relative, source)), complaints(relative, source)


@pytest.mark.parametrize('relative, source', [
    ('critic/rules/x.py',
     'from ...core.types import Command\nfrom ami_ros.core.share_directory import share'),
    ('sim/x.py', 'import cProfile, pybullet\nfrom ami_ros import core\nfrom .world import W'),
    ('inference/torch_backend.py', 'import torch'),
    ('validation/x.py', "import rclpy\nCOMMAND = ['python3', '-m', 'ami_ros.cli', 'sim']"),
    ('cli/main.py', 'from ami_ros import nodes, training'),
])
def test_the_checker_lets_pass(relative, source):
    assert complaints(relative, source) == []


def test_no_file_is_too_long():
    long = {f.relative_to(PACKAGE).as_posix(): n for f in FILES
            if (n := len(f.read_text().splitlines())) > LONGEST_FILE}
    assert not long, f'more than {LONGEST_FILE} lines, so split by what each part is about: {long}'


def test_threads_and_the_delay_of_a_respawn_are_said_in_one_place():
    said = [f.relative_to(PACKAGE).as_posix() for f in FILES
            if re.search(r"'OMP_NUM_THREADS'|RESPAWN_S = ", f.read_text())]
    assert said == ['core/robot_processes.py']


def test_every_file_says_its_licence():
    folders = [PACKAGE, *(PACKAGE.parent / f for f in ('test', 'launch', 'tools'))]
    bare = [str(f.relative_to(PACKAGE.parent)) for folder in folders
            for f in sorted(folder.rglob('*.py')) if f.read_text().split('\n')[0] != SPDX]
    assert not bare, f'the first line should be {SPDX!r} in: {bare}'
