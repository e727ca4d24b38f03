"""``python -m deepfake_cli`` is the ``deepfake`` command."""

from deepfake_cli.cli import main

if __name__ == "__main__":
    main()
