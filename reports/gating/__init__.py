"""Whether a change may go in: absolute thresholds, and what it costs against its base."""
