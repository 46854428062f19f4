"""Models, references and scores to and from a run."""
