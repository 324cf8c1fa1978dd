"""Code that the Whisper engines share: windows, word times, model files."""
