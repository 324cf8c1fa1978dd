"""The tool that makes the embedded model, from speech synthesis to both engines' files."""
