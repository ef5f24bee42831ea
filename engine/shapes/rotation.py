"""Rotations as unit quaternions, w first, in plain floats."""

from __future__ import annotations

import math

Quaternion = tuple[float, float, float, float]
Vector3 = tuple[float, float, float]


def from_axis_angle(axis: Vector3, angle: float) -> Quaternion:
    """The turn by `angle` degrees about `axis`: (cos(angle/2), sin(angle/2) axis/|axis|)."""
    half = math.radians(angle) / 2.0
    factor = math.sin(half) / math.hypot(*axis)
    return (math.cos(half), axis[0] * factor, axis[1] * factor, axis[2] * factor)


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """The turn `b` followed by the turn `a`."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def apply(q: Quaternion, v: Vector3) -> Vector3:
    """The vector `v` turned by the quaternion `q` (of any length but zero)."""
    size = max(map(abs, q))  # without it the squares of a short one would vanish
    w, x, y, z = (entry / size for entry in q)
    norm = w * w + x * x + y * y + z * z
    tx, ty, tz = (
        2.0 * (y * v[2] - z * v[1]) / norm,
        2.0 * (z * v[0] - x * v[2]) / norm,
        2.0 * (x * v[1] - y * v[0]) / norm,
    )
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )
