"""Decides when and after what wait a failed call is retried, and with which error it ends.

The SDKs' own retries are off, since they don't report their waits. Here each wait is recorded, and
stays in the latencies.
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
    """Limits of retries."""

    attempts: int = 5
    """Maximum number of successive attempts."""
    longest_wait_s: float = 30.0
    """Limit of the total of successive waits. If a service asks for a longer one, the call fails at
    once, since an earlier retry would disregard the request."""

    def wait_s(
        self,
        failure: ServiceFailure,
        attempts: int,
        waited_s: float = 0.0,
        luck: float | None = None,
    ) -> float | None:
        """Return the wait before the next attempt; None to give up.

        `Retry-After` is obeyed. Otherwise waits double, each shortened by up to a half at random,
        so that clients that failed together don't retry together.

        Args:
            failure: How the last attempt failed.
            attempts: How many attempts have failed in a row.
            waited_s: The total wait between them.
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


def final_error(
    where: str, failure: ServiceFailure, attempts: int, variable: str
) -> EchobenchError:
    """Return the error to raise when there is no further attempt.

    Args:
        where: The provider and the source.
        failure: The last failure.
        attempts: How many attempts were made.
        variable: The environment variable of the key.

    >>> print(final_error("service", ServiceFailure(Kind.KEY, "HTTP 401"), 1, "A_KEY"))
    service: the service refused the key (HTTP 401); allowed: a key in A_KEY with the permission
    """
    tries = f", {attempts} times in a row" if attempts > 1 else ""
    details = f"({failure.message}){tries}"
    match failure.kind:
        case Kind.KEY:
            allowed = f"a key in {variable} with the permission"
            return UnavailableError(where, f"the service refused the key {details}", allowed)
        case Kind.REQUEST:
            allowed = "a model and options that the service knows"
            return UsageError(where, f"the service refused the request {details}", allowed)
        case Kind.QUOTA:
            return ProviderError(where, f"the service's quota is used up {details}")
        case Kind.LIMIT:
            problem = f"the service's rate limit was exceeded {details}"
            if (wait_s := failure.retry_after_s) is not None:
                problem += f", and it asked to wait {wait_s:g} s"
            return ProviderError(where, problem, "a later attempt, or a longer longest_wait_s")
        case Kind.TIMEOUT:
            return StalledError(where, f"the service was not ready in time {details}")
        case Kind.SILENT:
            return StalledError(where, f"the service did not answer in time {details}")
        case Kind.PROTOCOL_ERROR:
            return BadOutputError(where, f"the service broke its protocol {details}")
        case Kind.SERVER:
            return ProviderError(where, f"the service failed {details}")
        case Kind.LOST:
            return ProviderError(where, f"the connection to the service was lost {details}")
