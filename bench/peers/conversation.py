"""What a program in Python does with each line that it is asked: bench/serve.ts in Python."""

import json
import os
import sys
import traceback


def serve(carry_out):
    """Says that it is ready, and answers until nobody asks any more. `carry_out` gives milliseconds."""
    answers = os.fdopen(3, "w", buffering=1)
    answers.write(json.dumps({"ms": 0}) + "\n")
    for line in sys.stdin:
        try:
            answer = {"ms": carry_out(json.loads(line))}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
