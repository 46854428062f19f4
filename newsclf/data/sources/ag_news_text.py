"""AG News text without the artefacts of its making."""

import html
import re

# When AG News was made, the ampersand of most entities became a space: "Japan #39;s", "C amp;C". Without it,
# only names that are no English word are trusted ("10 per cent; but" is not a cent sign).
_ACCENTED = "[A-Za-z](?:acute|grave|circ|uml|tilde|cedil|ring|slash)"
_BARE_NAMES = f"amp|lt|gt|quot|apos|nbsp|hellip|[lr][sd]quo|[mn]dash|{_ACCENTED}"
_ENTITY = re.compile(
    rf"&(?P<full>#\d{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,30}});"
    rf"|(?:^| )(?P<bare>#\d{{1,7}}|#[xX][0-9a-fA-F]{{1,6}}|{_BARE_NAMES});"
)
_DEEPEST = 3  # "amp;amp;amp;" occurs

# Tags by name, as "<7269.T>" is a share's symbol; with attributes, as "<a few words>" is none.
_REST = r"(?:\s[^<>]*=[^<>]*)?\s*/?>"
_BLOCK_TAG = re.compile(
    rf"</?(?:p|br|hr|div|li|ul|ol|td|tr|th|table|h[1-6]|blockquote|img|script|iframe){_REST}", re.IGNORECASE
)
_INLINE_TAG = re.compile(
    rf"</?(?:a|b|i|u|em|strong|font|cite|span|small|big|sup|sub|tt|code|q|nobr){_REST}", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def clean(text: str) -> str:
    """`text` with entities decoded (also those that lost their ampersand), HTML tags and backslashes
    taken out, and white space folded.

    >>> clean("Ghana #39;s &lt;b&gt;port&lt;/b&gt; costs  #36;2\\\\billion")
    "Ghana's port costs $2 billion"
    """
    for _ in range(_DEEPEST):
        # Only when there is something to find: most texts hold no semicolon.
        if ";" not in text or (decoded := _ENTITY.sub(_character, text)) == text:
            break
        text = decoded
    if "<" in text:
        text = _COMMENT.sub(" ", text)
        text = _INLINE_TAG.sub("", _BLOCK_TAG.sub(" ", text))
    return " ".join(text.replace("\\", " ").split())


def _character(match: re.Match[str]) -> str:
    # html.unescape reads #128 to #159 as Windows-1252, as browsers do: #151 is a dash.
    return html.unescape(f"&{match['full'] or match['bare']};")
