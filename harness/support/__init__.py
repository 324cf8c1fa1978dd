"""General helpers: files, options, environment variables, text, git."""
