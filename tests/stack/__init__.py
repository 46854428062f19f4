"""The services of infra/docker-compose.yml run natively, without containers: for tests, and for a look at them."""
