"""An observer that records what a provider reports about its engine."""

from harness.contract import InferenceSpan, Interruption, Observer


class RecordingObserver(Observer):
    """Records every inference and interruption, in the order of the reports."""

    def __init__(self) -> None:
        self.spans: list[InferenceSpan] = []
        self.interruptions: list[Interruption] = []

    def inferred(self, span: InferenceSpan) -> None:
        """See `Observer`."""
        self.spans.append(span)

    def interrupted(self, interruption: Interruption) -> None:
        """See `Observer`."""
        self.interruptions.append(interruption)
