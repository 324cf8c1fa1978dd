"""Live captions over WebSocket: a server for captioning apps, a client, and a web page.

`docs/live.md` describes the protocol.
"""
