# SPDX-License-Identifier: Apache-2.0
"""
Compares reports of the same episodes: paired_comparison.py OLD.json NEW.json [NEW.json ...].

A report of ami-ros quantize stands for its float32 episodes where it is OLD, for its int8 ones
where it is NEW.
"""

import json
from pathlib import Path
import sys

from ami_ros.validation.paired_comparison import compare

if __name__ == '__main__':
    old, *others = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    old, others = old.get('float32', old), [new.get('int8', new) for new in others]
    for name, new in zip(sys.argv[2:], others):
        said = compare(old, new)
        print(f'{name}: {said}; {"holds" if said.holds else "not shown to hold"}')
