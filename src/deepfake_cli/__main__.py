"""``python -m deepfake_cli`` and the ``deepfake`` command; light, since every worker process of `split` loads it again."""

import gc

YOUNG = 10_000  # objects made before the garbage collector looks at them; 700 by default in Python 3.11


def main() -> None:
    """Run the command line.

    The libraries make millions of objects that stay to the end: the garbage collector looks at them less often while they are
    made, and no more when Python ends. benchmarks/startup.py measures what this saves.
    """
    gc.set_threshold(YOUNG)
    from deepfake_cli.cli import main as run

    try:
        run()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
