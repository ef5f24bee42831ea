"""What surface points see: their normals, how much of the sky, and how much of each light.

One loop runs all of it, so that the interpreter is compiled once: four taps give the normal, up to five the ambient
occlusion, then each light's shadow ray is marched; `phase` says which it is. The planes of the outermost union take no
part in the marching: their share of a shadow has a closed form.

What is simplified: occlusion and penumbrae are estimated from the distances along one ray. Known to be wrong: where
values are far below the distances, shadows are too soft and corners too dark.
"""

from typing import Any

import torch

from .. import runtime
from ..lanes import FAR, every, lanes, some, whole_packets
from ..program import NOTHING, PlaneColumn, Program, Tiles, machine, plane_table
from ..runtime import deal, first_turn, memory, next_turn, ti
from ..trace import nearest_plane, plane_distance, plane_slope
from .lights import LightColumn, Lighting
from .occluders import RAYS, sights_of

AMBIENT_TAPS = 5
OCCLUSION_SCALE = 0.5  # a right-angled corner misses all of every tap's height, and sees half of the sky
# Occlusion grows from tap to tap by what is missing of the tap's height, and a nearer tap never misses more than a
# farther one: less than this share of the reach at one tap means less than 1/256 from all nearer ones.
NOTHING_NEAR = 2.5e-4
SHADOW_STEPS = 96
SHADOW_STRIDE = 1.0  # longest step of a shadow ray in grains of the scene
# Shortest step of a shadow ray, in sizes of a tap, and by how much it grows from step to step after many: with one
# length, a ray that grazes a surface is at its end before it has passed it, and what hides the light behind is missed.
LEAST_STEP = 0.5
PATIENCE = 32
LEAST_GROWTH = 1.12
STRIDE_JITTER = 0.25  # by which share the steps of different samples differ, so that their errors cancel

# Shadows of parts without an end are looked for within so many radii of the rest of the scene.
ENDLESS_REACH = 8.0

_NORMAL, _AMBIENT, _SHADOW, _DONE = range(4)


def visibility(
    program: Program,
    tiles: Tiles,
    lighting: Lighting,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distance: torch.Tensor,
    hit_kind: torch.Tensor,
    footprint: tuple[float, float],
    jitter: float = 0.0,
    sampling: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normals, open sky and free lights where rays hit; zeros, ones and zeros where they miss.

    Args:
        program: the scene, which casts the shadows.
        tiles: the programs of the rays.
        lighting: the lights and the reach of ambient occlusion.
        origins, directions: (N, 3) float32, directions unit vectors.
        distance, hit_kind: (N,) what `march` found.
        footprint: how far from the point the normal's taps are: (a, b) for a + b · distance, in scene units.
        jitter: in [0, 1), another for each sample of a picture.
        sampling: (N, 2) float32, for programs with samples: `Program.sampling` of what was hit. Taps are at least half
            a voxel away, because slopes jump from voxel to voxel and normals should go over from one to the next; and
            ambient occlusion takes values for as large as they were, or free surfaces would be dark.

    Returns:
        normals (N, 3), unit vectors; open sky (N,) in [0, 1], 1 where nothing is near; free lights (N, L) in [0, 1],
        the share of each light's disc that is not hidden, 0 where the surface looks away from it.
    """
    count = len(origins)
    device = origins.device
    room = whole_packets(count)
    normals, open_sky = memory.empty(room, 3, like=origins), memory.empty(room, like=origins)
    free = memory.empty(room, len(lighting.lights), like=origins)
    radius = max(program.sphere[3], 1e-3)
    endless = ENDLESS_REACH * radius if program.endless else 0.0
    settings = torch.tensor(
        [
            *program.sphere[:3],
            radius,
            endless,
            lighting.reach,
            *footprint,
            SHADOW_STRIDE * lighting.grain,
            1.0 - STRIDE_JITTER * jitter,
        ],
        dtype=torch.float32,
        device=device,
    )
    planes = plane_table(program)
    if sampling is None:
        sampling = torch.tensor([[0.0, 1.0]], device=device).expand(count if program.has_samples else 1, 2).contiguous()
    sights = sights_of(program, tiles, lighting, origins, directions, distance, hit_kind, footprint)
    runtime.run(
        _visibility_kernel(program.has_samples), sights.rows, tiles.ranges, sights.ranges, program.numbers, planes,
        lighting.lights, origins, directions, distance, hit_kind, sampling, settings, normals, open_sky, free,
        sights.groups, tiles.rays, len(planes), len(lighting.lights), count, *deal(count, device),
    )  # fmt: skip
    return normals[:count], open_sky[:count], free[:count]


@runtime.per_lane_width
def _visibility_kernel(width: int, with_samples: bool) -> Any:
    device = machine(width, with_samples=with_samples)
    packets = lanes(width)
    Lanes = device.Lanes

    @ti.func
    def plane_share(planes: ti.template(), plane_count, x, y, z, dx, dy, dz, end, size):
        """How much of a light's disc the planes leave, -1 … 1: none hides more of a ray than of its end."""
        share = Lanes(1.0)
        for k in range(plane_count):
            above = plane_distance(planes, k, x, y, z)
            rising = plane_slope(planes, k, dx, dy, dz)
            share = ti.min(share, (above + rising * end) / ti.max(size * end, 1e-6))
        return share

    @ti.kernel
    def visibility_kernel(
        rows: ti.types.ndarray(ti.i32, 2),
        ranges: ti.types.ndarray(ti.i32, 2),
        sights: ti.types.ndarray(ti.i32, 2),
        parameters: ti.types.ndarray(ti.f32, 1),
        planes: ti.types.ndarray(ti.f32, 2),
        lights: ti.types.ndarray(ti.f32, 2),
        origins: ti.types.ndarray(ti.f32, 2),
        directions: ti.types.ndarray(ti.f32, 2),
        distance: ti.types.ndarray(ti.f32, 1),
        hit_kind: ti.types.ndarray(ti.i32, 1),
        sampling: ti.types.ndarray(ti.f32, 2),
        settings: ti.types.ndarray(ti.f32, 1),
        normals: ti.types.ndarray(ti.f32, 2),
        open_sky: ti.types.ndarray(ti.f32, 1),
        free: ti.types.ndarray(ti.f32, 2),
        groups: ti.i32,
        rays_per_tile: ti.i32,
        plane_count: ti.i32,
        light_count: ti.i32,
        count: ti.i32,
        queue: ti.types.ndarray(ti.i32, 1),
        slots: ti.i32,
    ):
        for slot in range(slots):
            value_registers = device.new_values()
            point_registers = device.new_points()
            packet_count = (count + width - 1) // width
            upcoming = first_turn(queue, slot, packet_count)
            while upcoming < packet_count:
                packet = upcoming
                upcoming = next_turn(queue, packet, packet_count)
                met = packets.load_numbers(hit_kind, packet, count)
                missed = ti.select(met == NOTHING, FAR, 0.0)  # FAR on lanes that have nothing to shade
                if every(missed >= 1.0):
                    packets.store(normals, packet, Lanes(0.0), Lanes(0.0), Lanes(0.0))
                    packets.store_numbers(open_sky, packet, Lanes(1.0))
                    for unseen in range(light_count):
                        for lane in ti.static(range(width)):
                            free[packet * width + lane, unseen] = 0.0
                    continue
                px, py, pz = packets.load(origins, packet, count)
                dx, dy, dz = packets.load(directions, packet, count)
                nx = Lanes(0.0)
                ny = Lanes(0.0)
                nz = Lanes(0.0)
                far = ti.select(missed < 1.0, packets.load_numbers(distance, packet, count), 0.0)
                known = missed  # FAR on lanes whose normal needs no taps
                if plane_count > 0:
                    for lane in ti.static(range(width)):
                        plane = ti.cast(met[lane], ti.i32)
                        if plane >= 0:
                            known[lane] = FAR
                            nx[lane] = planes[plane, PlaneColumn.X]
                            ny[lane] = planes[plane, PlaneColumn.Y]
                            nz[lane] = planes[plane, PlaneColumn.Z]
                px += dx * far
                py += dy * far
                pz += dz * far
                footprint = settings[6] + settings[7] * far
                # Rounding of a coordinate must stay small against the taps.
                tap_size = ti.max(footprint, 1e-4 * ti.max(1.0, ti.sqrt(px * px + py * py + pz * pz)))
                growth = Lanes(1.0)
                if ti.static(with_samples):
                    for lane in ti.static(range(width)):
                        index = ti.min(packet * width + lane, count - 1)
                        tap_size[lane] = ti.max(tap_size[lane], 0.5 * sampling[index, 0])
                        growth[lane] = sampling[index, 1]
                # Where the point lies to the ball of the parts that end.
                cx = px - settings[0]
                cy = py - settings[1]
                cz = pz - settings[2]
                reach = settings[5]
                occlusion = Lanes(0.0)
                visible = Lanes(1.0)
                lx = Lanes(0.0)
                ly = Lanes(0.0)
                lz = Lanes(0.0)
                t = Lanes(0.0)
                begin = Lanes(0.0)
                clear = Lanes(0.0)
                step = Lanes(0.0)
                least = LEAST_STEP
                leave = Lanes(0.0)
                end = Lanes(0.0)
                size = Lanes(0.0)
                lane_bias = known
                light = -1
                phase = _NORMAL
                turn = 0
                if every(known >= 1.0):
                    phase = _AMBIENT
                    turn = AMBIENT_TAPS
                while phase != _DONE:
                    sight = (light + 1) * groups + ti.min(packet * width // RAYS, groups - 1)
                    first = sights[sight, 0]
                    last = sights[sight, 1]
                    qx = px
                    qy = py
                    qz = pz
                    sx = 0.0
                    sy = 0.0
                    sz = 0.0
                    height = 0.0
                    limit = tap_size * 8.0  # the surface is within one tap, so no value around it is larger than this
                    if phase == _NORMAL:
                        # Corners of a tetrahedron; their values' differences along x, y, z give the gradient.
                        first = ranges[packet * width // rays_per_tile, 0]
                        last = ranges[packet * width // rays_per_tile, 1]
                        sx = ti.select((turn == 0) | (turn == 3), 1.0, -1.0)
                        sy = ti.select((turn == 2) | (turn == 3), 1.0, -1.0)
                        sz = ti.select((turn == 1) | (turn == 3), 1.0, -1.0)
                        qx += sx * tap_size
                        qy += sy * tap_size
                        qz += sz * tap_size
                    elif phase == _AMBIENT:
                        height = reach * ti.cast(turn * turn, ti.f32) / ti.cast(AMBIENT_TAPS * AMBIENT_TAPS, ti.f32)
                        limit = Lanes(height)  # farther occludes nothing
                        qx += nx * height
                        qy += ny * height
                        qz += nz * height
                        vx = qx - settings[0]
                        vy = qy - settings[1]
                        vz = qz - settings[2]
                        parts_away = ti.sqrt(vx * vx + vy * vy + vz * vz) - settings[3]
                        lane_bias = ti.select((parts_away >= height) & (settings[4] == 0.0), FAR, missed)
                    else:
                        # A value beyond the disc shows all of it; short steps among many shapes are cheaper than long
                        # ones, because what is farther than the step is skipped.
                        near_by = ti.select(t > leave, FAR, ti.max(size * t, settings[8]))
                        limit = ti.select(t > begin, ti.min(clear + step, near_by), ti.select(t > tap_size, FAR, limit))
                        qx += nx * tap_size * 2.0 + lx * t
                        qy += ny * tap_size * 2.0 + ly * t
                        qz += nz * tap_size * 2.0 + lz * t
                    value = limit
                    if some(lane_bias < 1.0):
                        value = device.evaluate(
                            rows,
                            first,
                            last,
                            parameters,
                            qx,
                            qy,
                            qz,
                            lane_bias,
                            limit,
                            value_registers,
                            point_registers,
                        )
                    next_light = False
                    if phase == _NORMAL:
                        # Lanes that know their normal already keep it.
                        nx += ti.select(known < 1.0, value * sx, 0.0)
                        ny += ti.select(known < 1.0, value * sy, 0.0)
                        nz += ti.select(known < 1.0, value * sz, 0.0)
                        turn += 1
                        if turn == 4:
                            length = ti.max(ti.sqrt(nx * nx + ny * ny + nz * nz), 1e-20)
                            nx /= length
                            ny /= length
                            nz /= length
                            phase = _AMBIENT
                            turn = AMBIENT_TAPS
                    elif phase == _AMBIENT:
                        if ti.static(with_samples):
                            value *= growth
                        value = ti.select(lane_bias < 1.0, ti.min(value, limit), limit)
                        value = ti.min(value, nearest_plane(planes, plane_count, qx, qy, qz))
                        missing = ti.select(missed < 1.0, ti.max(height - value, 0.0), 0.0)
                        occlusion += missing / height / ti.cast(1 << turn, ti.f32)
                        turn -= 1
                        if turn == 0 or every(missing <= NOTHING_NEAR * reach):
                            turn = 0
                            next_light = True
                    else:
                        # The light's disc has radius size · t at the blocker; value / (size · t) is how much of it is
                        # free on a scale from -1 (covered) to 1 (free).
                        # Between this point and the last the ray came nearer to what is value away: where the spheres
                        # around the two meet, `back` before this point, if it is as good as flat (S. Aaltonen, GDC
                        # 2018). Values at the limit say nothing.
                        disc = ti.max(size * t, 1e-6)
                        measured = (value > 0.0) & (value < 0.999 * limit) & (t > begin)
                        back = ti.select(measured, ti.min(0.5 * value * value / ti.max(step, 1e-9), 0.9 * step), 0.0)
                        nearest = ti.sqrt(ti.max(value * value - back * back, 0.0)) / ti.max(size * (t - back), 1e-6)
                        share = ti.select(measured, nearest, value / disc)
                        visible = ti.select(lane_bias < 1.0, ti.min(visible, share), visible)
                        clear = ti.abs(value)
                        step = ti.max(clear, 0.25 * disc + least * tap_size) * settings[9]
                        if turn > PATIENCE:
                            least *= LEAST_GROWTH
                        t += ti.select(lane_bias < 1.0, step, 0.0)
                        lane_bias = ti.select((visible < -1.0) | (t > end), FAR, lane_bias)
                        turn += 1
                        next_light = turn == SHADOW_STEPS or every(lane_bias >= 1.0)
                    if phase == _AMBIENT and turn == AMBIENT_TAPS and reach <= 0.0:
                        next_light = True
                    while next_light:
                        if phase == _SHADOW:
                            seen = ti.min(ti.max(visible, -1.0), 1.0)
                            share_free = 0.25 * (1.0 + seen) * (1.0 + seen) * (2.0 - seen)  # of the disc's area, about
                            for lane in ti.static(range(width)):
                                free[packet * width + lane, light] = share_free[lane]
                        phase = _SHADOW
                        next_light = False
                        light += 1
                        if light == light_count:
                            phase = _DONE
                        else:
                            ax = lights[light, LightColumn.X] - px * lights[light, LightColumn.KIND]
                            ay = lights[light, LightColumn.Y] - py * lights[light, LightColumn.KIND]
                            az = lights[light, LightColumn.Z] - pz * lights[light, LightColumn.KIND]
                            away = ti.max(ti.sqrt(ax * ax + ay * ay + az * az), 1e-6)
                            lx = ax / away
                            ly = ay / away
                            lz = az / away
                            size = Lanes(lights[light, LightColumn.SIZE])
                            end = Lanes(FAR)  # a sun's light comes from beyond everything
                            if lights[light, LightColumn.KIND] > 0.5:
                                end = away
                                size = size / away
                            visible = plane_share(
                                planes, plane_count, px + nx * tap_size, py + ny * tap_size, pz + nz * tap_size,
                                lx, ly, lz, end, size,
                            )  # fmt: skip
                            # What casts shadows lies in the ball, enlarged by the disc as seen from its far side.
                            along = cx * lx + cy * ly + cz * lz
                            wide = settings[3] + size * ti.max(settings[3] - along, 0.0)
                            chord = along * along + wide * wide - (cx * cx + cy * cy + cz * cz)
                            half = ti.sqrt(ti.max(chord, 0.0))
                            leave = half - along
                            begin = tap_size
                            outside = (chord <= 0.0) | (leave <= 0.0)
                            if settings[4] > 0.0:
                                end = ti.min(end, ti.max(leave, settings[4]))
                                outside = chord < -FAR
                            else:
                                begin = ti.max(tap_size, -along - half)
                                end = ti.min(end, leave)
                            t = begin
                            step = Lanes(0.0)
                            least = LEAST_STEP
                            turn = 0
                            away_from = nx * lx + ny * ly + nz * lz <= 0.0
                            visible = ti.select(away_from | (missed >= 1.0), -1.0, visible)
                            lane_bias = ti.select((visible <= -1.0) | outside | (t > end), FAR, missed)
                            next_light = every(lane_bias >= 1.0)
                hit = missed < 1.0
                packets.store(
                    normals, packet, ti.select(hit, nx, 0.0), ti.select(hit, ny, 0.0), ti.select(hit, nz, 0.0)
                )
                packets.store_numbers(open_sky, packet, ti.min(ti.max(1.0 - OCCLUSION_SCALE * occlusion, 0.0), 1.0))

    return visibility_kernel
