"""When a service is asked again, how long to wait before that, and how it ends when it is no use.

The SDKs' own retries are off, for they wait in silence. Here each wait is told to whoever measures,
and none is taken out of a latency.
"""

import random
from dataclasses import dataclass

from harness.errors import (
    BadOutputError,
    EchobenchError,
    ProviderError,
    StalledError,
    UnavailableError,
    UsageError,
)
from providers.services.failures import Kind, ServiceFailure

FIRST_WAIT_S, MAX_BACKOFF_S = 0.5, 8.0
WORTH_A_RETRY = {Kind.LIMIT, Kind.SERVER, Kind.LOST, Kind.TIMEOUT}


@dataclass(frozen=True)
class RetryPolicy:
    """How much a service is put up with."""

    attempts: int = 5
    """How often something is tried until it works."""
    longest_wait_s: float = 30.0
    """How long all waits in a row may be together. A service that asks to be left alone for longer
    is given up at once: to come back sooner would be no kindness."""

    def wait_s(
        self,
        failure: ServiceFailure,
        attempts: int,
        waited_s: float = 0.0,
        luck: float | None = None,
    ) -> float | None:
        """How long to wait before the next attempt; None to give up.

        `Retry-After` is kept to. Otherwise waits double, each cut by up to a half at random, so
        that many clients that failed together don't come back together.

        Args:
            failure: How the last attempt failed.
            attempts: How many have failed in a row.
            waited_s: How long was waited between them.
            luck: From 0 to 1; random when None.

        >>> retry_policy, busy = RetryPolicy(), ServiceFailure(Kind.SERVER, "HTTP 503")
        >>> [retry_policy.wait_s(busy, attempts, luck=1.0) for attempts in range(1, 6)]
        [0.5, 1.0, 2.0, 4.0, None]
        >>> retry_policy.wait_s(ServiceFailure(Kind.LIMIT, "HTTP 429", retry_after_s=7.0), 1)
        7.0
        >>> an_hour = ServiceFailure(Kind.LIMIT, "HTTP 429", retry_after_s=3600.0)
        >>> retry_policy.wait_s(an_hour, 1) is None
        True
        >>> retry_policy.wait_s(ServiceFailure(Kind.KEY, "HTTP 401"), 1) is None
        True
        """
        if failure.kind not in WORTH_A_RETRY or attempts >= self.attempts:
            return None
        wait_s = failure.retry_after_s
        if wait_s is None:
            share = random.random() if luck is None else luck
            backoff_s = min(MAX_BACKOFF_S, FIRST_WAIT_S * 2 ** (attempts - 1))
            wait_s = backoff_s * (1 + share) / 2
        return wait_s if waited_s + wait_s <= self.longest_wait_s else None


def giving_up(where: str, failure: ServiceFailure, attempts: int, variable: str) -> EchobenchError:
    """The error that a failure ends in when it is given up.

    Args:
        where: The provider and the source.
        failure: The last one.
        attempts: How many were made.
        variable: Which environment variable holds the key.

    >>> print(giving_up("service", ServiceFailure(Kind.KEY, "HTTP 401"), 1, "A_KEY"))
    service: the service refused the key (HTTP 401); allowed: a key in A_KEY with the right to it
    """
    tries = f", {attempts} times in a row" if attempts > 1 else ""
    said = f"({failure.said}){tries}"
    match failure.kind:
        case Kind.KEY:
            allowed = f"a key in {variable} with the right to it"
            return UnavailableError(where, f"the service refused the key {said}", allowed)
        case Kind.REQUEST:
            allowed = "a model and options that the service knows"
            return UsageError(where, f"the service refused the request {said}", allowed)
        case Kind.QUOTA:
            return ProviderError(where, f"nothing is left of what was paid for {said}")
        case Kind.LIMIT:
            problem = f"the service lets no more requests in {said}"
            if (wait_s := failure.retry_after_s) is not None:
                problem += f", and asked to wait {wait_s:g} s"
            return ProviderError(where, problem, "a later attempt, or a longer longest_wait_s")
        case Kind.TIMEOUT:
            return StalledError(where, f"the service was not ready in time {said}")
        case Kind.SILENT:
            return StalledError(where, f"the service left audio unanswered {said}")
        case Kind.PROTOCOL_ERROR:
            return BadOutputError(where, f"the service broke its protocol {said}")
        case Kind.SERVER:
            return ProviderError(where, f"the service failed {said}")
        case Kind.LOST:
            return ProviderError(where, f"the connection to the service was lost {said}")
