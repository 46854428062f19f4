"""The code that a run was made with, and two runs compared."""
