import pytest
from django.test import Client

from apps.accounts.tests.factories import make_branch, make_user
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual

pytestmark = pytest.mark.django_db
LIST = "/admin/individuals/individual/"


def signed_in(role):
    user = make_user(role)
    user.is_staff = True
    user.save()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_an_administrator_sees_rows_without_anything_of_the_applicant():
    row = make_individual(make_branch())
    administrator, profile = signed_in("administrator"), row.profile
    for path in (LIST, f"{LIST}{row.id}/change/"):
        page = administrator.get(path)
        assert (page.status_code, str(row.id) in page.content.decode()) == (200, True)
        shown = page.content.decode()
        texts = [value for value in profile.values() if isinstance(value, str) and len(value) > 5]
        assert len(texts) >= 2
        assert not any(text in shown for text in texts)
        assert "sealed" not in shown.lower()


def test_nobody_writes_through_the_admin_and_officers_do_not_look():
    row = make_individual(make_branch())
    administrator = signed_in("administrator")
    assert administrator.get(f"{LIST}add/").status_code == 403
    assert administrator.post(f"{LIST}{row.id}/change/", {"version": 9}).status_code == 403
    assert administrator.post(f"{LIST}{row.id}/delete/", {"post": "yes"}).status_code == 403
    assert signed_in("officer").get(LIST).status_code == 403
    assert Individual.objects.get().version == 1
