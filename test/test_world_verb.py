# SPDX-License-Identifier: Apache-2.0
"""`ami-ros world`: one PNG with a plan and eight views; what cannot be drawn is one sentence."""

from ami_ros.cli.main import main
from ami_ros.perception.images import codec
import pytest


def test_show_draws_plan_and_views(tmp_path, capsys):
    pytest.importorskip('pybullet', reason='needs pybullet')
    out = tmp_path / 'one.png'
    assert main(['world', 'show', '20006', '--generator', 'building', '--out', str(out),
                 '--changes', 'doors:1', '--camera', 'warm']) == 0
    picture = codec.from_compressed(out.read_bytes())
    assert picture.shape == (660, 1920, 3)
    views = [picture[20 + 320 * r + 18:20 + 320 * (r + 1), 640 + 320 * c:640 + 320 * (c + 1)]
             for r in range(2) for c in range(4)]
    assert all(view.std() > 8 for view in views)
    assert picture[20:, :640].std() > 8
    said = capsys.readouterr().out
    assert 'building 20006 (training)' in said and 'changes: doors:1@1' in said


def test_write_makes_a_file_that_show_reads(tmp_path, capsys):
    path = tmp_path / 'scene.json'
    assert main(['world', 'write', '5', '--generator', 'rooms', '--out', str(path)]) == 0
    path.write_text(path.read_text().replace('"x_m"', '"y_m"', 1))
    assert main(['world', 'show', str(path), '--out', str(tmp_path / 'x.png')]) == 1
    assert 'scene file' in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ['scene.json']


@pytest.mark.parametrize('options, sentence', [
    (['seven'], "'seven' is neither a world seed nor the name of a .json file"),
    (['3', '--generator', 'castle'], "no generator 'castle'; there are: room, rooms"),
    (['3', '--camera', 'fog'], "no camera 'fog'; there are: clean"),
    (['3', '--changes', 'flood'], "no change 'flood'; there are: moved"),
    (['3', '--engine', 'gazebo'], "no engine 'gazebo'; there are: pybullet, mujoco"),
    (['9999999999'], 'world seed 9999999999 is not between 0 and'),
])
def test_what_cannot_be_shown_is_one_sentence(tmp_path, capsys, options, sentence):
    assert main(['world', 'show', *options, '--out', str(tmp_path / 'x.png')]) == 1
    said = capsys.readouterr().err
    assert sentence in said and said.count('\n') == 1 and not any(tmp_path.iterdir())
