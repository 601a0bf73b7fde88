"""The organization service, and its repository, as a client sees them.

``client`` acts for one login, ``login`` creates one, ``credentials`` finds one, ``admin`` acts for
administrators, ``refusals`` explains refusals, ``repository`` verifies a token, and ``models``
contains the responses. Only the calls that need ``requests`` and ``oauthlib`` import them.
"""
