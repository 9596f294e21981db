# SPDX-License-Identifier: Apache-2.0
"""Stands here so that the tests of this folder find the helper modules of the mind's tests."""

from pathlib import Path
import sys

sys.path.append(str(Path(__file__).resolve().parents[1] / 'agent'))
