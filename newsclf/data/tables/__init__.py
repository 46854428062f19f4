"""Tables of texts, whole or in chunks, on disk or in an object store."""
