"""The organization service and its repository, as a client sees them.

``client`` speaks for one login, ``login`` makes one, ``credentials`` finds one, ``admin`` is for
administrators, ``repository`` tries a token; ``http`` is the only module that sends,
``models`` are the answers. ``requests`` and ``oauthlib`` are imported by the calls that need them.
"""
