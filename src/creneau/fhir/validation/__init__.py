"""Validation of resources against R4 and profiles. https://hl7.org/fhir/R4/validation.html"""
