# SPDX-License-Identifier: Apache-2.0
"""The error that a user can mend."""


class AmiError(ValueError):
    """What a user can mend: a wrong file, option, parameter, bag or message, in one sentence.

    Command lines and nodes print it without a traceback. Any other ValueError is a defect of this
    package and keeps its traceback. It is a ValueError for callers that catch that.
    """
