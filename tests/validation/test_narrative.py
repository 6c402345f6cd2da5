"""A narrative is read by people in browsers: nothing in it runs, nothing in it is fetched (SEC-22)."""

from __future__ import annotations

import pytest

from creneau.fhir.validation.narrative import has_content, is_safe


def div(content: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


@pytest.mark.parametrize(
    "content",
    [
        "Rendez-vous le 1er décembre",
        "<p>a<br/><b>b</b> <span style='color: rgb(1, 2, 3); padding: 6px'>c</span></p>",
        "<table border='1'><thead><tr><th colspan='2'>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>",
        "<a href='https://x.fr/a:b'>a</a> <a name='x'/> <a href='#x'>b</a> <a href='Patient-1.html'>c</a>",
        "<a href='mailto:a@x.fr'>m</a> <a href='tel:+33102030405'>t</a>",
        "<img src='#picture'/>",
        "<img src='data:image/png;base64,AAAA' alt='plan'/>",
        "<p xml:lang='fr' lang='fr'>a</p>",
        "a &lt; b &amp; c &#233;",
        "<!-- note --> a",
    ],
)
def test_plain_formatting_is_accepted(content: str) -> None:
    assert is_safe(div(content))
    assert has_content(div(content))


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<p onclick='alert(1)'>a</p>",
        "<a href='javascript:alert(1)'>a</a>",
        "<a href=' JAVA&#9;SCRIPT:alert(1)'>a</a>",
        "<a href='vbscript:x'>a</a>",
        "<a href='data:text/html,x'>a</a>",
        "<img src='https://x.fr/a.png'/>",
        "<img src='//x.fr/a.png'/>",
        "<img src='data:image/svg+xml,x'/>",
        "<img src='javascript:x'/>",
        "<iframe src='a'/>",
        "<form><input/></form>",
        "<object/>",
        "<link href='a'/>",
        "<style>p {}</style>",
        "<p style='background: url(https://x.fr/a)'>a</p>",
        "<p style='width: expression(alert(1))'>a</p>",
        "<p style='b\\61ckground: x'>a</p>",
        "<p style='@import x'>a</p>",
        "<p xmlns='urn:other'>a</p>",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "<p xlink:href='a' xmlns:xlink='http://www.w3.org/1999/xlink'>a</p>",
        "<?php x ?>",
        "<![CDATA[a]]>",
        "a &nbsp; b",
        "<p>a",
        "<p a='1' a='2'>a</p>",
    ],
)
def test_what_runs_or_fetches_or_is_not_well_formed_is_refused(content: str) -> None:
    assert not is_safe(div(content))


@pytest.mark.parametrize(
    "text",
    [
        "<div>sans espace de noms</div>",
        "<p xmlns='http://www.w3.org/1999/xhtml'>a</p>",
        "texte",
        "<!DOCTYPE div [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><div xmlns='http://www.w3.org/1999/xhtml'>&a;</div>",
        "<?xml version='1.0' encoding='utf-16'?><div xmlns='http://www.w3.org/1999/xhtml'>a</div>",
        div("a") + div("b"),
    ],
)
def test_only_one_div_of_xhtml_without_declarations_is_a_narrative(text: str) -> None:
    assert not is_safe(text)


@pytest.mark.parametrize("content", ["", " \n", "<p> </p>", "<!-- a -->", "<hr/>"])
def test_a_narrative_without_text_or_picture_is_empty(content: str) -> None:
    assert not has_content(div(content))
