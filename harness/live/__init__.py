"""Live captions over WebSocket: a server that a captioning app can use, its client, and its page.

`docs/live.md` describes the protocol.
"""
