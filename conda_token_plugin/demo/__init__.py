"""The main job, tried against a service that runs on this machine, in a throw-away home.

`stage` sets it up and takes it down, `acts` are the commands that are shown, and
`client` is the least that installs a package with py-rattler, where there is no conda.
The sandbox runs in a process of its own: nothing of it is imported here.
"""
