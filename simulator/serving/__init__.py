"""The inside of a container: what each model server prints and does with the environment it is given.

Standard library only: these modules run in the container processes, of which there may be fifty.
"""
