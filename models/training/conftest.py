"""Modules that need torch are not looked at for doctests where it isn't installed."""

import importlib.util

NEED_TORCH = """
    batches card evaluate export_ct2 export_ggml features layers losses network train weights
""".split()

collect_ignore = [] if importlib.util.find_spec("torch") else [f"{name}.py" for name in NEED_TORCH]
