"""Reports on runs, made from their journals: HTML pages, tables, comparisons, gates and trends."""
