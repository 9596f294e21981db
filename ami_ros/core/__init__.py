# SPDX-License-Identifier: Apache-2.0
"""What every other package may import: types, interfaces, settings, geometry; numpy alone."""
