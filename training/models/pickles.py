"""Which modules it takes to load a pickled pipeline, against those that the function image has. It loads no file."""

import io
import pickle
import sys
from typing import Any

from training.endings import Mistake

IN_THE_FUNCTION_IMAGE = {"joblib", "numpy", "pandas", "scipy", "sklearn", "threadpoolctl"}


class _Recorder(pickle.Unpickler):
    def __init__(self, body: bytes) -> None:
        super().__init__(io.BytesIO(body))
        self.modules: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.modules.add(module)
        return super().find_class(module, name)


def modules_beyond(pipeline: Any) -> list[str]:
    """The modules it needs that the function image lacks, sorted. Raises Mistake where it cannot be pickled."""
    try:
        body = pickle.dumps(pipeline)
        recorder = _Recorder(body)
        recorder.load()
    except Exception as error:  # whatever a class of somebody else's raises
        words = " ".join(str(error).split())
        raise Mistake(
            f"the pipeline cannot be pickled ({type(error).__name__}: {words[:200]}); "
            "define its functions and classes at the top of a module, no lambda among them"
        ) from error
    known = IN_THE_FUNCTION_IMAGE | sys.stdlib_module_names - {"__main__"}
    return sorted(module for module in recorder.modules if module.partition(".")[0] not in known)
