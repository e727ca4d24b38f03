"""An evaluation as one page, ``report.html``, that needs nothing but a browser: no network, no script.

Whatever stands in file names and lists is text there, whatever it looks like: the template escapes it, and the page's
own policy forbids scripts and requests.
"""
