"""The inner side of `limited_process`: processes that limit themselves and run what nobody trusts.

Standard library only. Run by `start.py`, never imported for use but for `reasons`.
"""
