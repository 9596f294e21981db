# SPDX-License-Identifier: Apache-2.0
"""What every other package may import: types, ports, settings, geometry; numpy alone."""
