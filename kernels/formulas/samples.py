"""Formula of the sampled leaf: a value read from a grid of bricks."""

from .sample_block import BRICK, BRICK_NODES, BRICK_SIDE, HEADER_SIZE, MAXIMUM_CELLS, Header


def samples(m, x, y, z, data, at):
    """A sampled signed distance: trilinear in its bounds, and never more than the distance to what it shows.

    `data` holds the block, from `at` on. With v the interpolated value over its steepest slope, q the nearest point of
    the bounds and u = |p - q| the value is max(v, distance to the bounds' faces) inside, and outside
    sqrt(u² + max(v(q), 0)²): the bounds are convex, so whatever is v away from q is at least that far from p. A ball
    that holds the surface is a bound as well, and the better one far away. All of them have slopes of at most 1, and
    they join without a jump.
    """
    half_x = data[at + Header.HALF_X]
    half_y = data[at + Header.HALF_Y]
    half_z = data[at + Header.HALF_Z]
    px = x - data[at + Header.CENTRE_X]
    py = y - data[at + Header.CENTRE_Y]
    pz = z - data[at + Header.CENTRE_Z]
    voxel_x = m.clamp(px + half_x, 0.0, 2.0 * half_x) * data[at + Header.VOXELS_X]
    voxel_y = m.clamp(py + half_y, 0.0, 2.0 * half_y) * data[at + Header.VOXELS_Y]
    voxel_z = m.clamp(pz + half_z, 0.0, 2.0 * half_z) * data[at + Header.VOXELS_Z]
    # The cell of BRICK³ voxels: a brick of its own, or its eight corners alone.
    cells_x = m.to_integer(data[at + Header.CELLS_X], 1, MAXIMUM_CELLS)
    cells_y = m.to_integer(data[at + Header.CELLS_Y], 1, MAXIMUM_CELLS)
    cells_z = m.to_integer(data[at + Header.CELLS_Z], 1, MAXIMUM_CELLS)
    cell_x = m.to_integer(voxel_x / BRICK, 0, cells_x - 1)
    cell_y = m.to_integer(voxel_y / BRICK, 0, cells_y - 1)
    cell_z = m.to_integer(voxel_z / BRICK, 0, cells_z - 1)
    table = at + HEADER_SIZE
    corners = table + cells_x * cells_y * cells_z
    bricks = corners + (cells_x + 1) * (cells_y + 1) * (cells_z + 1)
    brick = m.read(data, (cell_x * cells_y + cell_y) * cells_z + cell_z + table)
    fine = brick >= 0.0
    in_x = voxel_x - cell_x * BRICK
    in_y = voxel_y - cell_y * BRICK
    in_z = voxel_z - cell_z * BRICK
    node_x = m.to_integer(in_x, 0, BRICK - 1)
    node_y = m.to_integer(in_y, 0, BRICK - 1)
    node_z = m.to_integer(in_z, 0, BRICK - 1)
    number = m.to_integer(brick, 0, 2**24)
    own = number * BRICK_NODES + ((node_x * BRICK_SIDE + node_y) * BRICK_SIDE + node_z) + bricks
    shared = (cell_x * (cells_y + 1) + cell_y) * (cells_z + 1) + cell_z + corners
    base = m.select(fine, own, shared)
    step_y = m.select(fine, BRICK_SIDE, cells_z + 1)
    step_x = m.select(fine, BRICK_SIDE * BRICK_SIDE, (cells_y + 1) * (cells_z + 1))
    part_x = m.select(fine, in_x - node_x, in_x / BRICK)
    part_y = m.select(fine, in_y - node_y, in_y / BRICK)
    part_z = m.select(fine, in_z - node_z, in_z / BRICK)
    v000 = m.read(data, base)
    v001 = m.read(data, base + 1)
    v010 = m.read(data, base + step_y)
    v011 = m.read(data, base + step_y + 1)
    v100 = m.read(data, base + step_x)
    v101 = m.read(data, base + step_x + 1)
    v110 = m.read(data, base + step_x + step_y)
    v111 = m.read(data, base + step_x + step_y + 1)
    v00 = v000 + (v001 - v000) * part_z
    v01 = v010 + (v011 - v010) * part_z
    v10 = v100 + (v101 - v100) * part_z
    v11 = v110 + (v111 - v110) * part_z
    v0 = v00 + (v01 - v00) * part_y
    v1 = v10 + (v11 - v10) * part_y
    raw = v0 + (v1 - v0) * part_x
    value = m.select(raw > 0.0, raw * data[at + Header.POSITIVE_FACTOR], raw * data[at + Header.NEGATIVE_FACTOR])
    over_x = m.abs(px) - half_x
    over_y = m.abs(py) - half_y
    over_z = m.abs(pz) - half_z
    face = m.max(over_x, m.max(over_y, over_z))
    away = m.length3(m.max(over_x, 0.0), m.max(over_y, 0.0), m.max(over_z, 0.0))
    beyond = m.length2(away, m.max(value, 0.0))
    boxed = m.select(face > 0.0, beyond, m.max(value, face))
    return m.max(
        boxed,
        m.length3(x - data[at + Header.BALL_X], y - data[at + Header.BALL_Y], z - data[at + Header.BALL_Z])
        - data[at + Header.BALL_RADIUS],
    )
