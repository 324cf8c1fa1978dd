"""Policies for network services: connection, retries, failures, order of items."""
