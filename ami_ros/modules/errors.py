# SPDX-License-Identifier: Apache-2.0
"""What is raised for a module that cannot be used."""


class ModuleError(ValueError):
    """A module that cannot be used; one sentence that names what is wrong and what is right."""
