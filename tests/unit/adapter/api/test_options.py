import pytest

from adapter.api.options import read_options
from adapter.api.status import ApiError


def test_a_query_without_options_selects_everything() -> None:
    for query in ({}, dict.fromkeys(("labelSelector", "metricLabelSelector", "fieldSelector", "limit"), "")):
        options = read_options(query, "web")
        assert options.objects({"a": "b"})
        assert options.series({})


def test_objects_and_series_have_selectors_of_their_own() -> None:
    options = read_options({"labelSelector": "app=web", "metricLabelSelector": "!app"})
    assert (options.objects({"app": "web"}), options.series({"app": "web"})) == (True, False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("web", "metadata.name=web"),
        ("web", "metadata.name==web,metadata.namespace=shop"),
        ("*", "metadata.name=*"),
        ("", "metadata.name!=web"),
        ("", "metadata.name=web"),
    ],
)
def test_a_field_selector_may_say_what_the_path_says(name: str, text: str) -> None:
    assert read_options({"fieldSelector": text}, name)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"fieldSelector": "metadata.name=api"}, "doesn't match requested name web"),
        ({"fieldSelector": "metadata.name!=web"}, "doesn't match requested name web"),
        ({"fieldSelector": "metadata.namespace=shop"}, "doesn't match requested name web"),
        ({"fieldSelector": "metadata.name"}, "unable to parse field selector 'metadata.name'"),
        ({"fieldSelector": "metadata.name=web,"}, "unable to parse field selector"),
        ({"fieldSelector": "a=b=c"}, "unable to parse field selector"),
        ({"fieldSelector": "status.phase=Running"}, "field label 'status.phase' is not supported"),
        ({"limit": "many"}, "limit must be a whole number"),
        ({"limit": "1.5"}, "limit must be a whole number"),
        ({"limit": "٣"}, "limit must be a whole number"),
        ({"timeoutSeconds": "1s"}, "timeoutSeconds must be a whole number"),
        ({"labelSelector": "a b"}, "unable to parse label selector"),
        ({"metricLabelSelector": "=="}, "unable to parse label selector"),
    ],
)
def test_what_does_not_parse_is_the_clients_fault(query: dict[str, str], message: str) -> None:
    with pytest.raises(ApiError, match=message) as error:
        read_options(query, "web")
    assert error.value.code == 400
