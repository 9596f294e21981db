# SPDX-License-Identifier: Apache-2.0
"""What is raised for a module that cannot be used."""

from ami_ros.core.errors import AmiError


class ModuleError(AmiError):
    """A module that cannot be used; one sentence that names what is wrong and what is right."""
