"""Formulas on values: what is done to one distance, and how two are folded into one."""


def keep(m, x, y, z, value):
    """The value itself."""
    return value


def offset(m, x, y, z, value, amount):
    """Grown by `amount` (shrunk if negative): value - amount."""
    return value - amount


def shell(m, x, y, z, value, half_thickness):
    """A skin of that half thickness on both sides of the surface."""
    return m.abs(value) - half_thickness


def extrude(m, x, y, z, value, half_height):
    """The flat shape of distance `value` swept from -half_height to +half_height along z; exact where `value` is."""
    cap = m.abs(z) - half_height
    outside = m.length2(m.max(value, 0.0), m.max(cap, 0.0))
    return outside + m.min(m.max(value, cap), 0.0)


def wave(m, x, y, z, value, amplitude, wave_number, reciprocal):
    """The surface displaced by amplitude · sin kx sin ky sin kz; a bound: `reciprocal` is 1 / (1 + amplitude · k)."""
    ripple = m.sin(x * wave_number) * m.sin(y * wave_number) * m.sin(z * wave_number)
    return (value + amplitude * ripple) * reciprocal


def bound(m, x, y, z, value, near, plateau, far):
    """A value made safe after a warp that stretches more the farther it reaches.

    Within true distance `plateau` the warp stretches lengths by at most 1 / near, anywhere by at most 1 / far; so
    min(|value| · near, max(plateau, |value| · far)), with the value's sign, never exceeds the distance.
    """
    size = m.abs(value)
    safe = m.min(size * near, m.max(size * far, plateau))
    return m.select(value < 0.0, -safe, safe)


def smooth_minimum(m, a, b, support, quarter):
    """min(a, b) rounded where |a - b| < support: min - (support - |a - b|)² · `quarter`, that is 1 / (4 support).

    Its gradient is a convex combination of the two gradients, so 1-Lipschitz values stay so. With support = quarter = 0
    it is the sharp minimum. (Quadratic polynomial kernel, I. Quilez, "Smooth minimum".)
    """
    # Selects, not min and max: those also look for NaN on a CPU, and this is the machine's hottest line.
    near = support - m.abs(a - b)
    overlap = m.select(near > 0.0, near, 0.0)
    return m.select(a < b, a, b) - overlap * overlap * quarter


def share(m, a, b, support, quarter):
    """Weight of `b` in the gradient (and in the material) of `smooth_minimum(a, b)`: 0 for a only, 1 for b only."""
    overlap = m.max(support - m.abs(a - b), 0.0)
    half = 2.0 * overlap * quarter
    return m.select(b < a, 1.0 - half, half)
