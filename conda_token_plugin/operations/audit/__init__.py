"""Find tokens in plain text on this machine, and remove them where that is safe.

``places`` lists the files, ``packages`` reads packages, ``patterns`` finds values in a text,
``scan`` applies it to all files, ``fix`` removes values, ``sarif`` formats findings for code
scanning. No module shows a value.
"""
