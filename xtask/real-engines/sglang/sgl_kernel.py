"""Takes the place of SGLang's compiled kernels, of which the Python registry has no build for the CPU.

Without AMX the engine computes with torch alone; of the kernels it needs one name to be there and one to work.
"""

__version__ = "0.0.0"


def assign_req_to_token_pool_cpu(requests, table, starts, ends, locations, _width):
    """Writes where each request's new tokens lie into its row of the table."""
    taken = 0
    for at, request in enumerate(requests.tolist()):
        start, end = int(starts[at]), int(ends[at])
        table[request, start:end] = locations[taken : taken + end - start].to(table.dtype)
        taken += end - start


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*_arguments, **_options):
        raise NotImplementedError(f"sgl_kernel.{name} is not compiled for this processor")

    return refuse
