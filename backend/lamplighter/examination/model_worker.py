"""A model's weights after a step as a process: `python -m lamplighter.examination.model_worker RUN-FOLDER STEP OUT`.

It writes the state of the model, brought to the step as for a question, to `OUT`, a safetensors file. It reports progress on
standard output, one JSON object per line: `{"share": 0.4, "what": "recomputing step 12"}`, or `{"problem": "..."}` as the
last. It exits when its caller closes standard input.

Exit codes: 0 done, 4 the step cannot be computed (the problem says why), 5 the caller has exited.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lamplighter.platform.child_process import yield_processor
from lamplighter.platform.private_modes import keep_new_files_private
from lamplighter.platform.worker_limits import limit_worker_files
from lamplighter.processes.worker import (
    ExitCode,
    argument_parser,
    limit_threads,
    report_failure,
    send_message,
    watch_parent,
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argument_parser("examination.model_worker")
    parser.add_argument("step", type=int, help="after which step")
    parser.add_argument("out", type=Path, help="the file to make")
    chosen = parser.parse_args(arguments)
    # The parent process removes the file.
    watch_parent(lambda: os._exit(ExitCode.CANCELLED))
    keep_new_files_private()
    yield_processor()
    limit_worker_files()

    # Imported here, because numpy reads the environment on import.
    from safetensors.torch import save_file

    from lamplighter.examination.examined_model import Replayer, ReplayError
    from lamplighter.runfolder.errors import READ_ERRORS, explain_read_error
    from lamplighter.runfolder.run_folder import RunFolder

    try:
        replayer = Replayer(RunFolder(chosen.run))
        model = replayer.model_at(
            chosen.step, lambda share, what: send_message(share=round(share, 4), what=what)
        ).learner.model
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
        if model.shape.tied:
            # One tensor under two names, which safetensors refuses to write.
            del weights["unembedding.weight"]
        save_file(weights, chosen.out)
    except ReplayError as error:
        return report_failure(str(error))
    except READ_ERRORS as error:
        return report_failure(f"the run cannot be read: {explain_read_error(error)}")
    except ValueError as error:
        # The recipe's device.
        return report_failure(str(error))
    return ExitCode.DONE


if __name__ == "__main__":
    limit_threads()
    sys.exit(main())
