"""Formats durations."""


def clock_time(seconds: float) -> str:
    """Format seconds as minutes and seconds.

    >>> clock_time(372.4), clock_time(59.9), clock_time(4000)
    ('6:12', '0:59', '66:40')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
