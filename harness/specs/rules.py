"""Names the rules that are tried on a provider, each with a sentence that states it.

Each rule is a function of the same name in `harness/activities/`. Judging and reporting read names
and sentences here, without importing those functions.
"""

from harness.specs.trial import Activity

CONTRACT = {
    "odd_bytes_are_refused": (
        "An odd number of bytes raises an error, after the text of the audio before it."
    ),
    "an_empty_chunk_is_refused": (
        "A chunk without samples raises an error, after the text of the audio before it."
    ),
    "floats_are_refused": (
        "A float array raises an error, with or without NaN: the contract carries 16-bit PCM."
    ),
    "another_rate_is_refused": "A sample rate of 8 kHz raises an error.",
    "an_error_ends_only_its_stream": (
        "After an audio error, the next stream of the session gives the usual text."
    ),
    "nothing_is_left_behind": (
        "After close, no process that the provider started is running, even a detached one."
    ),
    "it_takes_no_more_than_it_can_use": (
        "Offered endless audio at once, the provider never holds more than 40 s unprocessed."
    ),
    "leaving_cancels": (
        "After a stream is abandoned in the middle, the source's next stream gives the usual text."
    ),
    "stop_is_bounded": (
        "Stopping a session in the middle of a stream takes at most 10 s, and the next one works."
    ),
    "restart_changes_nothing": "The same audio gives the same text in the next session.",
    "one_session_at_a_time": "While a session is running, starting a second one returns False.",
    "sources_do_not_mix": "Two sources at once give the same text as each of them alone.",
    "the_second_source_is_served_as_declared": (
        "Inferences of two sources take turns or overlap, as the provider declares."
    ),
    "sources_come_along_alike": (
        "Of two sources with audio ready, the slower one makes at least half the other's progress."
    ),
    "a_source_that_waits_holds_up_none": (
        "While one source waits for audio in the middle of a word, the other one is served."
    ),
    "partials_come_before_finals": (
        "Partials appear during speech, and each segment ends in exactly one final."
    ),
    "finals_follow_one_another": "Finals are in order, don't overlap, and lie within the audio.",
    "audio_is_conserved": (
        "Received = decoded + skipped + dropped + pending at each chunk, with 0 pending at the end."
    ),
    "flush_returns_the_rest": (
        "Flush returns the buffered audio as finals, once, and the stream continues."
    ),
    "chunk_size_may_change": "Chunks of changing size are all recognised and accounted for.",
    "silence_says_nothing": "Digital silence gives no text.",
    "an_empty_stream_is_fine": "A stream without audio gives no segment and no error.",
    "health_tells_the_truth": (
        "The reported real-time factor and inference time are within 10 % of the measured ones."
    ),
}
"""Rules of the provider contract."""
LADDER = {
    "climbs_in_time": (
        "A load above a level's limit for 10 s leads up to that level, and not sooner."
    ),
    "recovers_in_time": (
        "A load below a level's limit for 30 s leads down from that level, and not sooner."
    ),
    "an_emergency_ends_by_hand": (
        "The emergency lasts until a user resets it, however low the load is."
    ),
    "a_breakdown_leads_to_failover_at_once": (
        "When the provider fails, another one takes over with the next chunk."
    ),
    "nothing_else_moves": "The level makes only the moves that the load requires, one at a time.",
    "every_move_says_why": (
        "Each move reports a cause, a message for users, and the actions that were taken."
    ),
    "chunks_get_longer_and_short_again": (
        "Chunks are 0.5 s longer from the warning level on, and normal again at the normal level."
    ),
    "the_smaller_model_is_loaded_before": (
        "Switching to the smaller model and back takes at most 1 s, since it is loaded already."
    ),
    "captions_do_not_pause": (
        "After a switch, text comes within 1 s plus one chunk and the decoding time."
    ),
    "every_other_chunk_is_left_out_and_counted": (
        "In the emergency every other chunk is dropped, and at other levels none."
    ),
    "what_was_final_stays": "A switch of provider changes, repeats or reorders no final.",
    "words_around_a_change_are_right": (
        "Words spoken during a switch of provider are neither lost nor repeated."
    ),
    "audio_is_conserved": (
        "Over all switches, received = decoded + skipped + dropped + pending, to the sample."
    ),
}
"""Rules of the degrade ladder."""
RULES: dict[Activity, dict[str, str]] = {Activity.CONFORMANCE: CONTRACT, Activity.LADDER: LADDER}


def rules_of(activity: Activity) -> dict[str, str]:
    """The rules of an activity, each with its sentence; none where a trial plays a scenario.

    >>> rules_of(Activity.LADDER)["audio_is_conserved"].partition(",")[0]
    'Over all switches'
    """
    return RULES.get(activity, {})
