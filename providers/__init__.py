"""Speech recognisers that echobench measures: one module per provider, its class as `PROVIDER`.

What several of them share (streaming policies, model files, service connections) is in subfolders.
"""
