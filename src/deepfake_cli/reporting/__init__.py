"""Reports, figures and image sheets. Pages are self-contained HTML: no network, no scripts.

Templates escape every file name and list entry, and the content security policy of a page forbids scripts and requests.
"""
