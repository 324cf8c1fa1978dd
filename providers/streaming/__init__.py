"""Streaming policies that providers share: windows, agreement, segmentation, feed-through."""
