"""Reflection at a surface: device functions of a principled material, a diffuse layer under a specular one."""

from ..runtime import ti

PI = 3.14159265


@ti.func
def specular(nx, ny, nz, lx, ly, lz, vx, vy, vz, alpha):
    """Specular BSDF times the light's cosine: GGX (Walter et al. 2007), joint Smith shadowing.

    Returns it without its Fresnel factor, and Schlick's (1 - cos)⁵ for that.
    """
    cos_light = ti.max(nx * lx + ny * ly + nz * lz, 0.0)
    cos_view = ti.max(nx * vx + ny * vy + nz * vz, 1e-3)
    hx = lx + vx
    hy = ly + vy
    hz = lz + vz
    length = ti.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
    hx /= length
    hy /= length
    hz /= length
    square = alpha * alpha
    # cos² (α² - 1) + 1 = sin² + cos² α²; the sine by the cross product keeps its digits on a mirror.
    sx = ny * hz - nz * hy
    sy = nz * hx - nx * hz
    sz = nx * hy - ny * hx
    cos_half = nx * hx + ny * hy + nz * hz
    d = sx * sx + sy * sy + sz * sz + square * cos_half * cos_half
    d = ti.max(d, 1e-7)  # nothing is mirrored back where light and view are opposite
    ggx = square / (PI * d * d)
    joint = cos_light * ti.sqrt(cos_view * cos_view * (1.0 - square) + square)
    joint += cos_view * ti.sqrt(cos_light * cos_light * (1.0 - square) + square)
    grazing = 1.0 - ti.min(ti.max(vx * hx + vy * hy + vz * hz, 0.0), 1.0)
    twice = grazing * grazing
    return ggx * 0.5 * cos_light / joint, twice * twice * grazing  # joint ≥ cos_view · alpha, which have a least value


@ti.func
def directional_albedo(alpha, cos_view):
    """Share of the light from all around that `specular` sends to the viewer: p · f0 + q.

    MaterialX' rational fit for GGX (pbrlib, mx_ggx_dir_albedo_analytic): p = a/c, q = b/d. For a dielectric it is
    within 0.04 of the integral at all angles.
    """
    x = cos_view
    y = alpha
    xx = x * x
    yy = y * y
    a = 0.1003 - 0.6303 * x + 9.748 * y - 2.038 * x * y + 29.34 * xx - 8.245 * yy
    a += -26.44 * xx * y + 19.99 * x * yy - 5.448 * xx * yy
    c = 1.0 - 1.765 * x + 8.263 * y + 11.53 * x * y + 28.96 * xx - 7.507 * yy
    c += -36.11 * xx * y + 15.86 * x * yy + 33.37 * xx * yy
    b = 0.9345 - 2.323 * x + 2.229 * y - 3.748 * x * y + 1.424 * xx - 0.7684 * yy
    b += 1.436 * xx * y + 0.2913 * x * yy + 0.6286 * xx * yy
    d = 1.0 + 0.2281 * x + 15.94 * y - 55.83 * x * y + 13.08 * xx + 41.26 * yy
    d += 54.9 * xx * y + 300.2 * x * yy - 285.1 * xx * yy
    return a / c, b / d


@ti.func
def specular_albedo(fresnel, p, q):
    """What the surface reflects of light from all around."""
    return ti.min(ti.max(fresnel * p + q, 0.0), 1.0)
