"""The child's side of `CalledChild`: makes an engine and answers calls of its methods in order.

The first call makes the engine. The process ends when its input ends. It imports little, to start
fast.
"""

import importlib

import msgspec

from harness.errors import ProviderError
from harness.processes.calls import Answer, Call, Cancel, encode, failure_of
from harness.processes.parent import ParentPipe


def serve() -> None:
    """Answer calls until the parent has ended."""
    parent = ParentPipe()
    engine: object = None
    for call in parent.receive(msgspec.msgpack.Decoder(Call | Cancel).decode):
        if isinstance(call, Cancel):
            continue  # calls are answered in order, so this one already is
        value: object = None
        try:
            if engine is None:
                module, _, name = call.method.partition(":")
                engine = getattr(importlib.import_module(module), name)(*call.arguments)
            elif call.method:
                value = getattr(engine, call.method)(*call.arguments)
            body = encode(Answer(call.number, value))
        except Exception as error:  # noqa: BLE001  (any error is sent to the caller)
            failure = failure_of(ProviderError("", f"{type(error).__name__}: {error}"))
            body = encode(Answer(call.number, None, failure))
        parent.send(body)


if __name__ == "__main__":
    serve()
