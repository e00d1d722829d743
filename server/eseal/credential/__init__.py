"""European Digital Credentials: built from a micro-credential, completed for sealing, checked against their profiles.

A credential (EDC) is JSON-LD of the European Learning Model v3. Its meaning is a graph: nodes that share an ``id`` are
one node, a single value and a list of one are the same, a term that the context does not define is not there at all.
``graph`` reads a document that way, and everything that has to understand a credential asks it:

    micro_credential   what is awarded and to whom, in the elements of Annex I
    building           micro-credential + learner -> document; or the caller's bytes -> document
    facts              what the mandate policy needs to know of a document
    completion         what only the sealer can add, and nothing of the learner
    checking           every fault against the profiles, with its JSON pointer
    annex_i            which elements of Annex I of the Recommendation are there
    page               the display page, one image a language
"""
