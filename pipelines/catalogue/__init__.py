"""The catalogue: a folder in which product versions are immutable, whole, and found by content.

    objects/ab/cdef...        every file once, named by its sha256
    products/ID/v0001/        one version: manifest.json and the files by name (links to objects)
    index.sqlite              what the manifests say, for queries; rebuilt from them when lost
    .lock                     held by the one process that publishes

A version appears by one rename of a folder that is already complete: that is the only moment of publication.
"""
