"""Connects to a captioning server as an adapter file describes its protocol."""
