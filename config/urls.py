"""Every address of the system."""

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from apps.accounts.api import BranchViewSet, LoginView, LogoutView, UserViewSet
from apps.audit.api import AuditEventViewSet
from apps.companies.api import CompanyViewSet
from apps.credit_requests.api import CreditRequestViewSet, ProductViewSet
from apps.credit_requests.api_decisions import DecisionViewSet, OverrideViewSet
from apps.credit_requests.api_erasure import EraseCompanyView, EraseIndividualView
from apps.credit_requests.api_letters import LetterView
from apps.credit_requests.api_records import RequestRecordsView
from apps.credit_requests.api_reports import OverrideReportView
from apps.credit_requests.api_simulation import SimulationViewSet
from apps.credit_requests.api_staff_links import StaffLinkViewSet
from apps.external_integrations.api import BureauLookupView, KadastrView, SoliqLookupView, SoliqView
from apps.external_integrations.api_consents import ConsentViewSet
from apps.external_integrations.api_versions import RecordVersionsView
from apps.individuals.api import IndividualViewSet
from apps.policies.api import PolicyViewSet
from apps.portfolio.api import MonitoringView
from apps.scoring_engine.api import PredictionLogViewSet, ScoreCompanyView, ScoreIndividualView, ScoreSchemaView
from apps.scoring_engine.api_bulk import ScoreBulkView
from apps.scoring_engine.api_explain import ExplainCompanyView, ExplainIndividualView
from apps.scoring_engine.api_models import ModelViewSet
from apps.webhooks.api import WebhookViewSet
from config import health

router = SimpleRouter()
router.register("branches", BranchViewSet, basename="branch")
router.register("users", UserViewSet, basename="user")
router.register("audit", AuditEventViewSet, basename="audit")
router.register("individuals", IndividualViewSet, basename="individual")
router.register("companies", CompanyViewSet, basename="company")
router.register("products", ProductViewSet, basename="product")
router.register("credit-requests", CreditRequestViewSet, basename="credit-request")
router.register("credit-requests", DecisionViewSet, basename="credit-request-decision")
router.register("overrides", OverrideViewSet, basename="override")
router.register("consents", ConsentViewSet, basename="consent")
router.register("staff-links", StaffLinkViewSet, basename="staff-link")
router.register("policies", PolicyViewSet, basename="policy")
router.register("simulations", SimulationViewSet, basename="simulation")
router.register("models", ModelViewSet, basename="model")
router.register("prediction-logs", PredictionLogViewSet, basename="prediction-log")
router.register("webhooks", WebhookViewSet, basename="webhook")

# The script of the page has an address of its own, as the content security policy asks; its few styles are inline.
docs = csp_update({"style-src": [SELF, UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

# Of pages without a head of the workbench: letters, administration, documents of the API.
icon = RedirectView.as_view(url=lazy(static, str)("workbench/icon.svg"))

urlpatterns = [
    path("favicon.ico", icon, name="icon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/auth/login/", LoginView.as_view(), name="login"),
    path("api/auth/logout/", LogoutView.as_view(), name="logout"),
    path("api/external/soliq/lookup/", SoliqLookupView.as_view(), name="external-soliq-lookup"),
    path("api/external/soliq/<str:inn>/", SoliqView.as_view(), name="external-soliq"),
    path("api/external/bureau/lookup/", BureauLookupView.as_view(), name="external-bureau-lookup"),
    path("api/external/kadastr/<path:parcel_id>/", KadastrView.as_view(), name="external-kadastr"),
    path("api/external-records/<uuid:pk>/versions/", RecordVersionsView.as_view(), name="external-record-versions"),
    path("api/score/individual/", ScoreIndividualView.as_view(), name="score-individual"),
    path("api/score/company/", ScoreCompanyView.as_view(), name="score-company"),
    path("api/score/individual/explain/", ExplainIndividualView.as_view(), name="explain-individual"),
    path("api/score/company/explain/", ExplainCompanyView.as_view(), name="explain-company"),
    path("api/score/<str:segment>/bulk/", ScoreBulkView.as_view(), name="score-bulk"),
    path("api/score/schema/<str:segment>/", ScoreSchemaView.as_view(), name="score-schema"),
    path("api/reports/overrides/", OverrideReportView.as_view(), name="report-overrides"),
    path("api/monitoring/", MonitoringView.as_view(), name="monitoring"),
    path("api/credit-requests/<uuid:pk>/records/", RequestRecordsView.as_view(), name="credit-request-records"),
    path("api/credit-requests/<uuid:pk>/letter/", LetterView.as_view(), name="credit-request-letter"),
    path("api/individuals/<uuid:pk>/erase/", EraseIndividualView.as_view(), name="individual-erase"),
    path("api/companies/<uuid:pk>/erase/", EraseCompanyView.as_view(), name="company-erase"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", docs, name="docs"),
    path("api/", include(router.urls)),
    path("", include("apps.workbench.urls")),
]

handler400 = "config.error_pages.bad_request"
handler404 = "config.error_pages.not_found"
handler500 = "config.error_pages.server_error"
