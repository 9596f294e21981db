# SPDX-License-Identifier: Apache-2.0
"""What a user can mend is an AmiError; a ValueError is a defect and keeps its traceback."""

from collections import Counter
from pathlib import Path
import re

import ami_ros
from ami_ros.cli import main as cli
from ami_ros.cli import world as verb
from ami_ros.core.errors import AmiError
from ami_ros.inference.tensorrt_engine_builder import BuildError
from ami_ros.modules.errors import ModuleError
from ami_ros.operator.calibration.measurement import Unclear
from ami_ros.training.topic_choice import BagError
import numpy as np
import pytest

PACKAGE = Path(ami_ros.__file__).parent
PLAIN = {       # where `raise ValueError` is right
    'core/findings.py': 1,              # a level that no caller may give
    'inference/tensorrt_engine_cache.py': 1,     # caught in the same function
    'inference/fake_gpu.py': 5,         # raises what TensorRT would
    'memory/pose_graph.py': 1,          # an edge that no caller may make
    'perception/camera_contract.py': 1,     # caught in the same function
    'sim/scenes/furniture.py': 1,       # a kind that only a generator chooses
    'sim/scenes/floor_plan.py': 1,      # a generator that draws rooms apart
    'sim/scenes/textures.py': 1,        # a scene file is checked before it is painted
}
WORDS = ['world', 'show', '1']


def failing(monkeypatch, error: BaseException) -> None:
    """Let `ami-ros world` fail."""
    def run(args) -> int:
        raise error
    monkeypatch.delenv('AMI_TRACEBACK', raising=False)
    monkeypatch.setattr(verb, 'run', run)


@pytest.mark.parametrize('kind', [AmiError, BagError, BuildError, ModuleError, Unclear])
def test_what_a_user_can_mend_is_one_sentence(monkeypatch, capsys, kind):
    failing(monkeypatch, kind('the file x is empty'))
    assert cli.main(WORDS) == 1
    assert capsys.readouterr() == ('', 'ami-ros world: the file x is empty\n')
    assert issubclass(kind, ValueError)     # for callers that catch that


def test_a_defect_keeps_its_traceback(monkeypatch):
    failing(monkeypatch, ValueError('a defect'))
    with pytest.raises(ValueError, match='^a defect$'):
        cli.main(WORDS)

    def run(args) -> int:
        return int((np.zeros(2) + np.zeros(3)).sum())
    monkeypatch.setattr(verb, 'run', run)
    with pytest.raises(ValueError, match='could not be broadcast'):
        cli.main(WORDS)


def test_the_package_raises_a_plain_value_error_only_where_it_is_declared():
    found = Counter({file.relative_to(PACKAGE).as_posix(): len(re.findall(
        r'\braise ValueError\b', file.read_text())) for file in PACKAGE.rglob('*.py')})
    assert +found == Counter(PLAIN), 'a message for a user is an AmiError (core/errors.py)'


@pytest.mark.parametrize('file', ['cli/main.py', 'cli/safety.py', 'launching.py', 'nodes/run.py',
                                  'operator/doctor.py', 'operator/doctor_message_reader.py'])
def test_who_prints_one_sentence_catches_no_plain_value_error(file):
    assert not re.search(r'(except|WRONG = ).*\bValueError\b', (PACKAGE / file).read_text())
