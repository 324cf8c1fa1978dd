"""The speech recognisers that echobench measures: one module each, with its class as `PROVIDER`.

What several share (how to stream with an engine that decodes windows, where weights come from)
is in the folders beside them.
"""
