"""The child's side of `CalledChild`: makes an engine, and answers calls of its methods in order.

The first call makes the engine. The process does nothing but answer, and ends when its input does.
It imports little, since it has to be ready soon.
"""

import importlib

import msgspec

from harness.errors import ProviderError
from harness.processes.calls import Answer, Call, Cancel, encode, failure_of
from harness.processes.parent import ParentPipe


def serve() -> None:
    """Answer calls until the parent is gone."""
    parent = ParentPipe()
    engine: object = None
    for call in parent.receive(msgspec.msgpack.Decoder(Call | Cancel).decode):
        if isinstance(call, Cancel):
            continue  # it has been answered
        value: object = None
        try:
            if engine is None:
                module, _, name = call.method.partition(":")
                engine = getattr(importlib.import_module(module), name)(*call.arguments)
            elif call.method:
                value = getattr(engine, call.method)(*call.arguments)
            body = encode(Answer(call.number, value))
        except Exception as error:  # noqa: BLE001  (the caller is told, whatever it is)
            told = ProviderError("", f"{type(error).__name__}: {error}")
            body = encode(Answer(call.number, None, failure_of(told)))
        parent.send(body)


if __name__ == "__main__":
    serve()
