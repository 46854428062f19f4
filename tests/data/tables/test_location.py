from newsclf.data.tables.location import file_name, public_name, scheme_of


def test_public_name_keeps_no_secret():
    assert public_name("s3://key:secret@bucket/a/b.csv?X-Signature=secret") == "s3://bucket/a/b.csv"
    assert public_name("data/what?@.csv") == "data/what?@.csv"


def test_names_and_schemes():
    assert [file_name(name) for name in ("a/b.csv", "a/b/", "s3://bucket/a.csv?x=1", "b")] == [
        "b.csv",
        "b",
        "a.csv",
        "b",
    ]
    assert [scheme_of(name) for name in ("S3://bucket/a", "a/b.csv", "https://host/a")] == ["s3", "", "https"]
