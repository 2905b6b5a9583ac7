"""The public Python interface: the statistics alone, arrays and frames in, results out that print as a sentence.

`bycase` hands these names out; what lies below may change from one version to the next.
"""
