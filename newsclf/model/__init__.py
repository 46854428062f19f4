"""The model room: encoder, batches, frozen-prefix cache, training loop, packaging."""
