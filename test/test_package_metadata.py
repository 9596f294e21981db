# SPDX-License-Identifier: Apache-2.0
"""What colcon and pip are told about the package agrees with what is in it."""

import ast
from pathlib import Path
import re
import runpy
import subprocess
import xml.etree.ElementTree as ET

import ami_ros
from packaging.requirements import Requirement
import pytest
import setuptools

PYTHONS = ('3.10', '3.11', '3.12', '3.13')


@pytest.fixture(scope='module')
def setup_arguments(root):
    """What setup.py hands to setuptools."""
    told = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setuptools, 'setup', told.update)
        patch.chdir(root)
        runpy.run_path('setup.py')
    return told


@pytest.fixture(scope='module')
def manifest(root):
    return ET.parse(root / 'package.xml').getroot()


@pytest.fixture(scope='module')
def tracked(root):
    """Every file that git would hand on."""
    listed = subprocess.run('git ls-files -z --cached --others --exclude-standard'.split(),
                            cwd=root, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip('needs a git checkout to know which files belong to the package')
    return [root / f for f in listed.stdout.split('\0') if f and (root / f).is_file()]


def test_version_is_said_once(setup_arguments, manifest, root):
    assert setup_arguments['version'] == manifest.findtext('version') == ami_ros.__version__
    assert f'\n## {ami_ros.__version__}' in (root / 'CHANGELOG.md').read_text()


def test_manifest_is_an_ament_python_package(manifest):
    assert manifest.get('format') == '3'
    assert manifest.findtext('name') == 'ami_ros'
    assert manifest.findtext('export/build_type') == 'ament_python'


def test_every_ros_package_imported_is_in_the_manifest(manifest, root):
    said = {d.text for kind in ('depend', 'exec_depend') for d in manifest.findall(kind)}
    used = set()
    for file in (root / 'ami_ros' / 'nodes').rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ''] if isinstance(node, ast.ImportFrom) and not node.level \
                else [a.name for a in node.names] if isinstance(node, ast.Import) else []
            used |= {n.split('.')[0] for n in names}
    ros = {u for u in used if u == 'rclpy' or u.endswith(('_msgs', '_srvs', '_interfaces'))}
    assert ros <= said, f'package.xml lacks {sorted(ros - said)}'


def test_every_executable_has_its_file(setup_arguments, root):
    scripts = dict(s.split(' = ') for s in setup_arguments['entry_points']['console_scripts'])
    assert {'ami-ros', 'critic', 'mind', 'sim'} <= set(scripts)
    for name, target in scripts.items():
        module, function = target.split(':')
        path = root / module.replace('.', '/')
        places = path.with_suffix('.py'), path / '__init__.py'
        file = next((f for f in places if f.exists()), None)
        assert file, f'{name}: there is no {module}'
        functions = {n.name for n in ast.parse(file.read_text()).body if hasattr(n, 'name')}
        assert function in functions, f'{name}: {module} has no {function}()'


@pytest.mark.parametrize('name', [
    'package.xml', 'launch/sim.launch.py', 'urdf/rover.urdf', 'config/rover_node_parameters.yaml'])
def test_what_is_beside_the_code_is_installed(setup_arguments, name):
    installed = {f'{Path(folder, Path(file).name)}'
                 for folder, files in setup_arguments['data_files'] for file in files}
    assert f'share/ami_ros/{name}' in installed


def test_all_data_files_exist(setup_arguments, root):
    for folder, files in setup_arguments['data_files']:
        assert files, folder
        assert all((root / f).is_file() for f in files), (folder, files)


def test_a_trained_module_is_installed(setup_arguments, root):
    shipped = setup_arguments['package_data']['ami_ros']
    assert any(f.endswith('manifest.json') for f in shipped)
    size = sum((root / 'ami_ros' / f).stat().st_size for f in shipped)
    assert size <= 10e6, f'the shipped module has {size / 1e6:.1f} MB, at most 10'


@pytest.mark.parametrize('python', PYTHONS)
def test_every_dependency_is_held_at_a_version(setup_arguments, root, python):
    files = (f'py{python.replace(".", "")}.txt', 'jazzy.txt', 'kilted.txt')
    held = {line.split('==')[0] for f in files
            for line in (root / 'constraints' / f).read_text().splitlines() if '==' in line}
    there = {'python_version': python, 'platform_machine': 'x86_64'}
    asked = [Requirement(text) for extra in setup_arguments['extras_require'].values()
             for text in [*extra, *setup_arguments['install_requires']]]
    wanted = {one.name.lower().replace('_', '-') for one in asked
              if one.marker is None or one.marker.evaluate(there)}
    assert wanted <= held, f'python tools/update_constraints.py; not held: {sorted(wanted - held)}'


@pytest.mark.parametrize('pattern', [      # written so that this file does not match itself
    r'/work[/]|/root[/]|(?<!\w)/home[/]\w|/opt/(pypi|wheels)|/tmp/w[/]',
    r'pypi[.]org|pythonhosted[.]|download[.]pytorch|index[-]url',
])
def test_no_file_names_a_machine_or_an_index(tracked, pattern):
    found = [f'{f.name}: {match[0].decode()}' for f in tracked
             if (match := re.search(pattern.encode(), f.read_bytes()))]
    assert not found, found
