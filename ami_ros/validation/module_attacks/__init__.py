# SPDX-License-Identifier: Apache-2.0
"""
Structural attacks on signed modules, each a few lines: they have to be refused with a ModuleError.

Used by ami_ros/validation/module_attacks/tampering.py and by the tests.
"""

from ami_ros.validation.module_attacks.archives import ATTACKS as ARCHIVES
from ami_ros.validation.module_attacks.attack_setup import Bench
from ami_ros.validation.module_attacks.contents import ATTACKS as CONTENTS
from ami_ros.validation.module_attacks.signatures import ATTACKS as SIGNATURES

ATTACKS = {**ARCHIVES, **SIGNATURES, **CONTENTS}
__all__ = ['ATTACKS', 'Bench']
