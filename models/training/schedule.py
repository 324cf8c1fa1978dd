"""How fast the network learns, step by step."""

PEAK_RATE = 1.5e-3
WARM_UP = 200
DECAY = 0.35


def learning_rate(step: int, steps: int) -> float:
    """Rise for 200 steps, stay, and fall linearly to nothing over the last 35 %.

    >>> [round(learning_rate(step, 10_000) / PEAK_RATE, 2) for step in (0, 99, 5000, 8250, 9999)]
    [0.01, 0.5, 1.0, 0.5, 0.0]
    """
    rise = (step + 1) / WARM_UP
    fall = (steps - step) / (DECAY * steps)
    return PEAK_RATE * min(1.0, rise, fall)
