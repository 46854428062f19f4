import pytest

from newsclf.data.sources.ag_news_text import clean


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Plain text; nothing to do.", "Plain text; nothing to do."),
        # Entities whose ampersand became a space
        ("Ghana #39;s port", "Ghana's port"),
        ("They said  quot;never again quot; twice", 'They said "never again" twice'),
        ("Smith  amp; Sons, A amp;B", "Smith & Sons, A&B"),
        ("a  #36;5 note", "a $5 note"),
        ("men #146;s final #151;at last", "men\u2019s final—at last"),
        ("the caf eacute; and the na iuml;ve", "the café and the naïve"),
        ("to be continued  hellip;.", "to be continued …."),
        ("#39;Twas", "'Twas"),
        ("Steel Co.  lt;1234.T gt; rose", "Steel Co. <1234.T> rose"),
        ("M #38;amp; N", "M& N"),
        # Whole ones, also nested
        ("2 &lt; 3 &amp; 4 &#62; 3 &#x2014; so", "2 < 3 & 4 > 3 — so"),
        ("R &amp;amp; D", "R & D"),
        ("women amp;apos;s race", "women's race"),
        # English words are no entities
        (
            "ten per cent; but in part; or real; the euro; so",
            "ten per cent; but in part; or real; the euro; so",
        ),
        # Tags
        ("&lt;b&gt;Bold&lt;/b&gt; words", "Bold words"),
        ("one&lt;br /&gt;two&lt;p&gt;three", "one two three"),
        (
            'Mill Inc. (&lt;A HREF="http://x.example/q?a=1 b=2"&gt;MILL.O&lt;/A&gt;) fell',
            "Mill Inc. (MILL.O) fell",
        ),
        ('by&lt;FONT face="verdana" size="-2"\\ color="#666666"&gt; the Post&lt;/FONT&gt;', "by the Post"),
        ("a&lt;!-- hidden --&gt;b", "a b"),
        ("if a <b and c> d", "if a <b and c> d"),
        # Backslashes and white space
        ("without\\starter  and\\\\end\\", "without starter and end"),
        ("tabs\tand\r\nlines ", "tabs and lines"),
        ("", ""),
    ],
)
def test_artefacts(raw, cleaned):
    assert clean(raw) == cleaned


def test_a_clean_text_stays_as_it_is():
    once = clean("Ghana #39;s  quot;big quot; port &lt;b&gt;grows&lt;/b&gt; by  #36;2\\bn")
    assert once == 'Ghana\'s "big" port grows by $2 bn'
    assert clean(once) == once


def test_all_texts_of_ag_news_come_out_clean(real_data):
    import re

    from newsclf.data.sources.ag_news import read_split

    texts = read_split(real_data / "ag_news" / "test.csv", "test", "csv")["text"]
    left_over = re.compile(r"#\d+;|\b(quot|amp|lt|gt|nbsp);|</?(b|p|br|a|font)\b|\\|\s\s", re.IGNORECASE)
    assert [text for text in texts if left_over.search(text)] == []
