"""What a gateway tells of itself: metrics, access log, traces, its workers together. Never a decision."""
