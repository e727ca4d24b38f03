"""Settings as the equivalent command line."""

import shlex

from deepfake_cli.config.base import Step, extra

DEVICE = ("gpu", "multi_gpu", "multi_gpu_force")


def command(name: str, settings: Step) -> str:
    """The command line for these settings, without defaults and GPU options."""
    words = ["deepfake", name]
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if value == field.default or key in DEVICE:
            continue
        flag = str(extra(field).get("flag") or f"--{key.replace('_', '-')}").split(",")[0]
        if extra(field).get("positional"):
            words += map(str, value if isinstance(value, list) else [value])
        elif isinstance(value, bool):
            words.append(flag if value else f"--no-{key.replace('_', '-')}")
        else:
            words += [text for item in (value if isinstance(value, list) else [value]) for text in (flag, str(item))]
    return shlex.join(words)
