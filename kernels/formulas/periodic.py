"""Triply periodic minimal surfaces as sheets: |g(k p)| / (k L) - half the thickness, with k = 2π / cell.

g is the surface's usual trigonometric form and L the largest |∇g|, so each value is a bound, and the sheet is as thick
as asked where |∇g| is largest, thicker elsewhere by up to L / |∇g|. Forms: A. H. Schoen, "Infinite periodic minimal
surfaces without self-intersections" (1970), in the nodal approximation of H. G. von Schnering and R. Nesper (1991).
"""

# Largest |∇g| over a period, rounded up: √3, √3, √(3/2), 7 (found by tests/kernels/formulas/test_periodic.py).
GYROID_SLOPE = 1.7321
SCHWARZ_P_SLOPE = 1.7321
DIAMOND_SLOPE = 1.2248
NEOVIUS_SLOPE = 7.0001


def gyroid(m, x, y, z, wave_number, reciprocal, half_thickness):
    """sin x cos y + sin y cos z + sin z cos x; `reciprocal` is 1 / (wave number · slope)."""
    ax = x * wave_number
    ay = y * wave_number
    az = z * wave_number
    level = m.sin(ax) * m.cos(ay) + m.sin(ay) * m.cos(az) + m.sin(az) * m.cos(ax)
    return m.abs(level) * reciprocal - half_thickness


def schwarz_p(m, x, y, z, wave_number, reciprocal, half_thickness):
    """cos x + cos y + cos z."""
    level = m.cos(x * wave_number) + m.cos(y * wave_number) + m.cos(z * wave_number)
    return m.abs(level) * reciprocal - half_thickness


def diamond(m, x, y, z, wave_number, reciprocal, half_thickness):
    """cos x cos y cos z - sin x sin y sin z."""
    ax = x * wave_number
    ay = y * wave_number
    az = z * wave_number
    level = m.cos(ax) * m.cos(ay) * m.cos(az) - m.sin(ax) * m.sin(ay) * m.sin(az)
    return m.abs(level) * reciprocal - half_thickness


def neovius(m, x, y, z, wave_number, reciprocal, half_thickness):
    """3 (cos x + cos y + cos z) + 4 cos x cos y cos z."""
    cx = m.cos(x * wave_number)
    cy = m.cos(y * wave_number)
    cz = m.cos(z * wave_number)
    level = 3.0 * (cx + cy + cz) + 4.0 * cx * cy * cz
    return m.abs(level) * reciprocal - half_thickness
