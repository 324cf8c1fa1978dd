"""Client of the live server: sends files or the microphone, and shows captions in the terminal."""
