"""The verbs. Each composes the rooms below it, is silent, returns its result and reports progress by a callback."""
