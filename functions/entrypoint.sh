#!/bin/sh
# The function image's entry point: "score ..." runs the command line, anything else is a handler for Lambda.
if [ "$1" = score ]; then
    shift
    # -P: the folder it is started in holds data and is no place to import from; the code is found all the same.
    export PYTHONPATH="$PYTHONPATH:/var/task"
    exec python3 -P -m functions.score "$@"
fi
if [ -z "$AWS_LAMBDA_RUNTIME_API" ]; then
    echo "nothing to serve: AWS_LAMBDA_RUNTIME_API is unset (Lambda, SAM and compose set it); to score a file: score <model> <file>" >&2
    exit 2
fi
# -S: what "site" would add to the path is empty here, and looking for it takes time at every cold start.
exec python3 -S -m functions.start "$@"
