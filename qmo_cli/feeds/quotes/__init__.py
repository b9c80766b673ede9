"""The price of now, fetched instead of streamed: kept for seconds, shared by processes, Yahoo's when there is none."""
