"""How text is streamed from an engine: windows, agreement, segmentation, feed-through."""
