"""``python -m deepfake_cli`` and the ``deepfake`` command; light, since every worker process of `split` loads it again."""


def main() -> None:
    """Run the command line."""
    from deepfake_cli.cli import main as run

    run()


if __name__ == "__main__":
    main()
