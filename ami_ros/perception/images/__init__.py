# SPDX-License-Identifier: Apache-2.0
"""Pictures: decode, resize, draw; the only room besides the nodes that knows OpenCV."""
