"""The model behind MLflow's server: what it answers, and the profile of what it is asked."""
