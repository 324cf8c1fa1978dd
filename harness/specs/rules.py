"""Rules that are tried on a provider, by name, each with what it asks.

Each is a function of the same name in `harness/activities/`. Judging and reporting read the names
and sentences here, without loading the code that tries them.
"""

from harness.specs.trial import Activity

CONTRACT = {
    "odd_bytes_are_refused": "Half a sample is an error, and what was said before it comes first.",
    "an_empty_chunk_is_refused": "A chunk without a sample is an error.",
    "floats_are_refused": (
        "A float array, NaN or not, is an error: the contract carries 16-bit bytes."
    ),
    "another_rate_is_refused": "8 kHz is an error, not slow speech.",
    "an_error_ends_only_its_stream": (
        "After bad audio the next stream of the session works as before."
    ),
    "nothing_is_left_behind": (
        "After close, no process that the provider started is left, wherever it has gone."
    ),
    "it_takes_no_more_than_it_can_use": (
        "Offered audio without end at once, a provider leaves it with the source, which can count."
    ),
    "leaving_cancels": "Leaving the iterator in the middle frees the source for the next stream.",
    "stop_is_bounded": (
        "A session that is stopped in the middle of a stream ends soon, and the next one works."
    ),
    "restart_changes_nothing": "The same audio gives the same text in the next session.",
    "one_session_at_a_time": "A second session is refused with False while one is running.",
    "sources_do_not_mix": "Two sources at once give what each gives alone.",
    "the_second_source_is_served_as_declared": (
        "Where sources share a model, their inferences take turns; where they don't, they needn't."
    ),
    "sources_come_along_alike": (
        "Of two sources that both have audio at hand, none is served before the other."
    ),
    "a_source_that_waits_holds_up_none": (
        "While one source has no audio in the middle of a word, the other is served as ever."
    ),
    "partials_come_before_finals": (
        "Text appears while someone speaks, and each stretch of speech ends in one final."
    ),
    "finals_follow_one_another": "Finals are in order, don't overlap, and lie inside the audio.",
    "audio_is_conserved": (
        "Received = decoded + skipped + dropped + pending, at each chunk; nothing pends at the end."
    ),
    "flush_returns_the_rest": (
        "Flush gives what is buffered as finals, once; the stream then goes on."
    ),
    "chunk_size_may_change": "Chunks of changing size are all recognised and accounted for.",
    "silence_says_nothing": "Digital silence gives no text.",
    "an_empty_stream_is_fine": "A stream that ends before it began gives nothing, and no error.",
    "health_tells_the_truth": (
        "Real-time factor and inference time are within 10 % of what was measured outside."
    ),
}
"""Of the provider contract."""
LADDER = {
    "climbs_in_time": "A load above a level's limit leads up to it after 10 s, and not sooner.",
    "recovers_in_time": "A load below a level's limit for 30 s leads down from it, and not sooner.",
    "an_emergency_ends_by_hand": (
        "However low the load gets, the emergency lasts until someone ends it."
    ),
    "a_breakdown_leads_to_failover_at_once": (
        "When the provider breaks down, another takes over with the next chunk."
    ),
    "nothing_else_moves": (
        "There are no moves but those that the load calls for, one after the other."
    ),
    "every_move_says_why": "Each move has a cause, a message for people, and what was done.",
    "chunks_get_longer_and_short_again": (
        "From the warning on chunks are half a second longer; back to normal, as they were."
    ),
    "the_smaller_model_is_loaded_before": (
        "The change to the smaller model, and back, takes no time worth mentioning."
    ),
    "captions_do_not_pause": (
        "After a change, text comes within 1 s beside what the one that took over needs to decode."
    ),
    "every_other_chunk_is_left_out_and_counted": (
        "In the emergency, of two chunks one is dropped; before and after it, none."
    ),
    "what_was_final_stays": (
        "No final is changed, repeated or left out of order by a change of provider."
    ),
    "words_around_a_change_are_right": (
        "What was being said when another took over is heard by it: not lost, and not said twice."
    ),
    "audio_is_conserved": (
        "Over all changes, received = decoded + skipped + dropped + pending, to the sample."
    ),
}
"""Of the degrade ladder."""
RULES: dict[Activity, dict[str, str]] = {Activity.CONFORMANCE: CONTRACT, Activity.LADDER: LADDER}


def rules_of(activity: Activity) -> dict[str, str]:
    """What each rule asks, in a line, by name; none where a trial plays a scenario.

    >>> rules_of(Activity.LADDER)["audio_is_conserved"].partition(",")[0]
    'Over all changes'
    """
    return RULES.get(activity, {})
