"""The HTTP client of the providers: requests, decoding of streamed responses, and the mapping of errors."""
