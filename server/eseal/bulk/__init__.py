"""A class list becomes sealed credentials, whatever crashes in between: what stands behind ``eseal bulk``.

::

    course.toml    --course--> MicroCredential
    learners.csv   --table---> rows --learners--> Learner     every mistake by row and column, before anything is sent
    a request id for each, derived from the content           the same content again is the same request
    spool          what is asked for, serialised once
    the server     through eseal_client.bulk, over streams
    DIR            one .jsonld for each credential and results.csv; whole after any crash

Running it again finishes the job: what is there and valid is left alone, the rest is asked for again under the same
request ids, and the server answers what it sealed before with the same bytes.

No learner's data goes into a message: mistakes name row, column and rule.
"""
