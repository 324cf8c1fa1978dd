"""Lists the rules that are checked on providers, with a sentence on each.

Each is a function of the same name in `harness/activities/`. Verdicts and reports read the names
and sentences here, without loading the code of the checks.
"""

from harness.specs.trial import Activity

CONTRACT = {
    "odd_bytes_are_refused": "Half a sample is an error; earlier text is delivered before it.",
    "an_empty_chunk_is_refused": "A chunk without a sample is an error.",
    "floats_are_refused": (
        "A float array, NaN or not, is an error: the contract carries 16-bit bytes."
    ),
    "another_rate_is_refused": "8 kHz is an error, not slow speech.",
    "an_error_ends_only_its_stream": (
        "After bad audio, the next stream of the session works as before."
    ),
    "nothing_is_left_behind": (
        "After close, no process that the provider started is left, even a detached one."
    ),
    "it_takes_no_more_than_it_can_use": (
        "Offered endless audio at once, a provider takes only what it uses; the rest stays queued."
    ),
    "leaving_cancels": "Leaving the iterator early frees the source for the next stream.",
    "stop_is_bounded": (
        "A session that is stopped during a stream ends soon, and the next one works."
    ),
    "restart_changes_nothing": "The same audio gives the same text in the next session.",
    "one_session_at_a_time": "A second session is refused with False while one is running.",
    "sources_do_not_mix": "Two sources at once give what each gives alone.",
    "the_second_source_is_served_as_declared": (
        "Where sources share a model, their inferences take turns; otherwise they may overlap."
    ),
    "sources_come_along_alike": ("Two sources that both have audio waiting are served equally."),
    "a_source_that_waits_holds_up_none": (
        "A source that pauses in the middle of a word does not delay the other source."
    ),
    "partials_come_before_finals": (
        "Text appears during speech, and each stretch of speech ends in one final."
    ),
    "finals_follow_one_another": "Finals are in order, don't overlap, and lie inside the audio.",
    "audio_is_conserved": (
        "Received = decoded + skipped + dropped + pending, at each chunk; none pending at the end."
    ),
    "flush_returns_the_rest": (
        "Flush returns buffered audio as finals, once; the stream then continues."
    ),
    "chunk_size_may_change": "Chunks of changing size are all recognised and accounted for.",
    "silence_says_nothing": "Digital silence gives no text.",
    "an_empty_stream_is_fine": "A stream without audio gives no text and no error.",
    "health_tells_the_truth": (
        "Reported real-time factor and inference time are within 10 % of the measured ones."
    ),
}
"""Rules of the provider contract."""
LADDER = {
    "climbs_in_time": "A load above a level's limit for 10 s leads up to it, and not sooner.",
    "recovers_in_time": "A load below a level's limit for 30 s leads down from it, and not sooner.",
    "an_emergency_ends_by_hand": (
        "However low the load gets, the emergency lasts until a person ends it."
    ),
    "a_breakdown_leads_to_failover_at_once": (
        "When the provider fails, another takes over with the next chunk."
    ),
    "nothing_else_moves": ("The level changes only as the load requires, one step at a time."),
    "every_move_says_why": "Each change of level has a cause, a message, and the actions taken.",
    "chunks_get_longer_and_short_again": (
        "From the warning level on, chunks are half a second longer; back to normal, as before."
    ),
    "the_smaller_model_is_loaded_before": (
        "The change to the smaller model, and back, takes almost no time."
    ),
    "captions_do_not_pause": (
        "After a change, text arrives within 1 s plus the new provider's decoding time."
    ),
    "every_other_chunk_is_left_out_and_counted": (
        "In the emergency, every other chunk is dropped; before and after it, none."
    ),
    "what_was_final_stays": (
        "No final is changed, repeated or put out of order by a change of provider."
    ),
    "words_around_a_change_are_right": (
        "Speech during a change of provider is recognised once: not lost and not repeated."
    ),
    "audio_is_conserved": (
        "Over all changes, received = decoded + skipped + dropped + pending, to the sample."
    ),
}
"""Rules of the degrade ladder."""
RULES: dict[Activity, dict[str, str]] = {Activity.CONFORMANCE: CONTRACT, Activity.LADDER: LADDER}


def rules_of(activity: Activity) -> dict[str, str]:
    """The rules that a trial of an activity checks: a sentence by name.

    >>> rules_of(Activity.LADDER)["audio_is_conserved"].partition(",")[0]
    'Over all changes'
    """
    return RULES.get(activity, {})
