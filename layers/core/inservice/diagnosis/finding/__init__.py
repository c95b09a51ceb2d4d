"""The way from a log's lines to the failure closest to the root: hits, asides, chains of causes, starts."""
