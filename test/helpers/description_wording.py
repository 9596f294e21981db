# SPDX-License-Identifier: Apache-2.0
"""Whether a description or help text can be understood without the line before it."""

import re

CONTINUES = re.compile(r'(and|or|more|so|as|of|without)\b', re.IGNORECASE)
DANGLES = re.compile(r'\b(and|or)\W*$', re.IGNORECASE)


def wrong(text: str) -> str:
    """Say what keeps a text from standing alone; '' where nothing does."""
    if len(text.split()) < 3:
        return 'has fewer than three words'
    if CONTINUES.match(text):
        return 'continues another line'
    if not (text[0].isupper() or text[0].isdigit()):
        return 'starts with neither a capital letter nor a number'
    return 'ends with and/or' if DANGLES.search(text) else ''
