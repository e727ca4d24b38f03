"""A local web page that judges what is dropped on it.

One process: requests on one thread, files judged on a few others, all with one detector. Uploads lie in a folder of this
server alone until they are judged, results in memory until they are forgotten.
"""
