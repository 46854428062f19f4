"""The services of infra/docker-compose.yml run natively, without containers: for tests, and for a look at them."""

from tests.stack.native import PROGRAMS, NativeStack, missing, native_stack

__all__ = ["PROGRAMS", "NativeStack", "missing", "native_stack"]
