"""The pages of MLflow's UI, as what follows its address."""

HOST, PORT = "127.0.0.1", 5000  # of the UI that `make ui` starts


def run_table(experiment_id: str) -> str:
    """The page of an experiment's runs, below the UI's address."""
    return f"#/experiments/{experiment_id}/runs"


def run_page(experiment_id: str, run_id: str) -> str:
    """The page of a run, below the UI's address."""
    return f"#/experiments/{experiment_id}/runs/{run_id}"


def local_page(path: str) -> str:
    """How a person comes to a page of the UI, where the runs are in a database."""
    return f"make ui, then http://{HOST}:{PORT}/{path}"
