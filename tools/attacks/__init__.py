# SPDX-License-Identifier: Apache-2.0
"""
Structural attacks on signed modules, each a few lines: they have to be refused with a ModuleError.

Used by tools/tamper.py and by the tests.
"""

from attacks.archives import ATTACKS as ARCHIVES
from attacks.bench import Bench
from attacks.contents import ATTACKS as CONTENTS
from attacks.signatures import ATTACKS as SIGNATURES

ATTACKS = {**ARCHIVES, **SIGNATURES, **CONTENTS}
__all__ = ['ATTACKS', 'Bench']
