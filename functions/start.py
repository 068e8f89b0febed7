"""The function image's way in: begins what predict waits for, then awslambdaric runs the handler. It knows no event.

`python -m awslambdaric functions.predict.handler` gives the same answers, later: here ONNX Runtime gets ready and the
model travels while awslambdaric is imported.
"""

import gc
import sys

PREDICT = "functions.predict.handler"
OBJECTS = 50_000  # new ones before a search for garbage: a start makes a third of that, and none is garbage


def main() -> None:
    """Takes the handler's name as awslambdaric does, and does not return."""
    gc.set_threshold(OBJECTS)
    if sys.argv[1:] == [PREDICT]:
        begin()
    from awslambdaric.__main__ import main as run

    run(sys.argv)


def begin() -> None:
    """Never raises: what fails here fails again at the door, and there awslambdaric reports it."""
    try:
        from functions.inference import onnx_library

        onnx_library.begin()  # it takes longest, so it goes before the other imports

        from functions import libraries

        libraries.begin_to_open("obstore", "", "_obstore")

        from functions import wiring

        wiring.begin_live_model()
    except Exception:
        return


if __name__ == "__main__":
    main()
