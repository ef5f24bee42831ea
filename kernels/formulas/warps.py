"""Formulas on points: each takes a point to the point at which the warped shape is evaluated."""


def affine(m, x, y, z):
    """The point itself, in the coordinates that the row's frame has given it."""
    return x, y, z


def mirror(m, x, y, z, normal_x, normal_y, normal_z, offset):
    """Points below the plane n·p = offset are reflected to above it; the normal is a unit vector."""
    depth = m.min(x * normal_x + y * normal_y + z * normal_z - offset, 0.0) * 2.0
    return x - depth * normal_x, y - depth * normal_y, z - depth * normal_z


def elongate(m, x, y, z, half_x, half_y, half_z):
    """The shape cut at the origin and pulled apart: p - clamp(p, -half, half)."""
    return x - m.clamp(x, -half_x, half_x), y - m.clamp(y, -half_y, half_y), z - m.clamp(z, -half_z, half_z)


def repeat(
    m, x, y, z, spacing_x, spacing_y, spacing_z, reciprocal_x, reciprocal_y, reciprocal_z,
    low_x, low_y, low_z, high_x, high_y, high_z, neighbour_x, neighbour_y, neighbour_z,
):  # fmt: skip
    """The point in one of the cells around it in a lattice of cells low … high.

    Along each axis that is its own cell (neighbour 0) or the nearer of the two beside it (1). The
    nearest copy of a shape that fits its cell lies in one of these.
    """
    own_x = m.clamp(m.floor(x * reciprocal_x + 0.5), low_x, high_x)
    own_y = m.clamp(m.floor(y * reciprocal_y + 0.5), low_y, high_y)
    own_z = m.clamp(m.floor(z * reciprocal_z + 0.5), low_z, high_z)
    cell_x = m.clamp(m.select(x > own_x * spacing_x, own_x + neighbour_x, own_x - neighbour_x), low_x, high_x)
    cell_y = m.clamp(m.select(y > own_y * spacing_y, own_y + neighbour_y, own_y - neighbour_y), low_y, high_y)
    cell_z = m.clamp(m.select(z > own_z * spacing_z, own_z + neighbour_z, own_z - neighbour_z), low_z, high_z)
    return x - cell_x * spacing_x, y - cell_y * spacing_y, z - cell_z * spacing_z


def polar_repeat(m, x, y, z, sector, neighbour):
    """The point turned about z into the sector around +x (neighbour 0), or into the nearer sector beside it (1)."""
    angle = m.atan2(y, x)
    nearest = m.floor(angle / sector + 0.5)
    chosen = m.select(angle > nearest * sector, nearest + neighbour, nearest - neighbour)
    turn = chosen * sector
    sine = m.sin(turn)
    cosine = m.cos(turn)
    return cosine * x + sine * y, cosine * y - sine * x, z


def twist(m, x, y, z, rate):
    """The plane at height z turned back by rate · z (radians per unit)."""
    # Within a full turn: of a large angle float32 knows so little that its sine and cosine would be no rotation's.
    turns = z * (rate * 0.15915494309189535)
    angle = (turns - m.floor(turns + 0.5)) * 6.283185307179586
    sine = m.sin(angle)
    cosine = m.cos(angle)
    return cosine * x + sine * y, cosine * y - sine * x, z


def bend(m, x, y, z, curvature):
    """The x axis bent up into a circle of that curvature in the x-z plane, undone: arc length along, height across.

    A point at angle θ about the centre (0, 0, 1/κ) and distance ρ from it goes to x = θ/κ, z = 1/κ - ρ.
    """
    radius = 1.0 / curvature
    across = radius - z
    angle = m.atan2(x, across)
    return angle * radius, y, radius - m.length2(x, across)


def revolve(m, x, y, z, radius):
    """The half-plane through the z axis laid into the x-y plane: (|(x, y)| - radius, z)."""
    return m.radius2(x, y) - radius, z, 0.0 * z
