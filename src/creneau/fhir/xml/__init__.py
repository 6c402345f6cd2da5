"""FHIR resources as XML: bytes to the same dict that `json.decode` gives, and back, without loss.

https://hl7.org/fhir/R4/xml.html

Names, types and order come from `definitions.elements`. Values that have no lexical form of their type stay strings, so that
validation can name them. Entities, document types, other encodings than UTF-8 and network access are refused or off (SEC-22).
"""

from creneau.fhir.xml.reading import decode
from creneau.fhir.xml.writing import encode, encode_pretty

__all__ = ["decode", "encode", "encode_pretty"]
