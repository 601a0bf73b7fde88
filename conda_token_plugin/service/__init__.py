"""The organization service, and its repository, as a client sees them.

``client`` acts for one login, ``login`` creates one, ``credentials`` finds one, ``admin`` acts for
administrators, ``refusals`` explains refusals, ``repository`` verifies a token, ``models`` contains
the responses, and ``error_responses`` what they say about errors. Only the calls that need
``requests`` and ``oauthlib`` import them.
"""
