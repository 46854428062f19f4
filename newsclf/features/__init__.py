"""What can be measured in a text: statistics, tokens, words, embeddings. Knows neither whylogs nor torch."""
