"""Small tools that know nothing of speech."""
