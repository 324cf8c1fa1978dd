"""An engine to be called in a child process, well-behaved or not; see `test_called_process`."""

import os
import signal
import stat
import sys
import time


class Engine:
    def __init__(self, greeting: str = "") -> None:
        if greeting == "fail":
            raise ValueError("no such greeting")
        self.greeting = greeting
        self.calls = 0

    def greet(self, name: str) -> str:
        self.calls += 1
        return f"{self.greeting} {name}, {self.calls}"

    def echo(self, data: bytes) -> bytes:
        return data

    def wait(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    def fail(self) -> None:
        raise RuntimeError("the tensor has the wrong shape")

    def talk(self) -> None:
        print("on standard output")
        sys.stderr.write("on standard error\n")
        os.write(1, b"past Python\n")

    def read(self) -> str:
        return sys.stdin.read()

    def die(self) -> None:
        os.write(2, b"GGML_ASSERT: n_dims <= 4\n")
        os.kill(os.getpid(), signal.SIGSEGV)

    def spoil(self) -> None:
        """Write to every pipe that there is, also to the one for answers."""
        for descriptor in range(3, 20):
            try:
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.write(descriptor, b"\xff" * 100)
            except OSError:
                continue
