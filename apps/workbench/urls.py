"""The addresses of the workbench. None holds an identifier: they are kept by browsers and proxies."""

from django.urls import path

from apps.workbench.views.audit import Audit, AuditedApplicants, AuditedEvent, ExportAudit
from apps.workbench.views.audit_decision import AuditedDecision, ReplayDecision, ReplayPrediction
from apps.workbench.views.credit_request import RequestScreen
from apps.workbench.views.home import Home
from apps.workbench.views.model import ChallengeModel, Model, PromoteModel, RetireModel, ValidateModel
from apps.workbench.views.models import Models, RegisterModel, RollBack
from apps.workbench.views.monitoring import Monitoring
from apps.workbench.views.new_request import CheckField, NewRequest, SubmitNewRequest
from apps.workbench.views.policies import DraftPolicy, Policies
from apps.workbench.views.policy import DiscardPolicy, PolicyScreen, PublishPolicy
from apps.workbench.views.preferences import ChooseLanguage, ChooseTheme
from apps.workbench.views.progress import RequestProgress
from apps.workbench.views.queue import DeleteView, Queue, SaveView
from apps.workbench.views.request_actions import (
    AnswerRegister,
    Approve,
    ChangeTerms,
    Decide,
    Decline,
    Refer,
    Review,
    Withdraw,
)
from apps.workbench.views.request_overrides import ConfirmOverride, RefuseOverride
from apps.workbench.views.request_records import Refreshing, RefreshRecord, RequestRecords
from apps.workbench.views.request_trial import Alternatives, TryTerms
from apps.workbench.views.sign_in import SignIn, SignOut
from apps.workbench.views.simulation import Simulate, SimulationScreen
from apps.workbench.views.upload import DeleteUpload, DownloadResults, MapColumns, StopUpload, UploadScreen
from apps.workbench.views.uploads import ReceiveFile, Uploads

app_name = "workbench"
urlpatterns = [
    path("", Home.as_view(), name="home"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
    path("language/", ChooseLanguage.as_view(), name="language"),
    path("theme/", ChooseTheme.as_view(), name="theme"),
    path("queue/", Queue.as_view(), name="queue"),
    path("queue/views/", SaveView.as_view(), name="save-view"),
    path("queue/views/delete/", DeleteView.as_view(), name="delete-view"),
    path("requests/<uuid:pk>/", RequestScreen.as_view(), name="request"),
    path("new/", NewRequest.as_view(), name="new"),
    path("new/check/", CheckField.as_view(), name="check-field"),
    path("new/submit/", SubmitNewRequest.as_view(), name="submit-new"),
    path("new/<uuid:pk>/", RequestProgress.as_view(), name="request-progress"),
    path("requests/<uuid:pk>/decide/", Decide.as_view(), name="decide"),
    path("requests/<uuid:pk>/refer/", Refer.as_view(), name="refer"),
    path("requests/<uuid:pk>/review/", Review.as_view(), name="review"),
    path("requests/<uuid:pk>/approve/", Approve.as_view(), name="approve"),
    path("requests/<uuid:pk>/decline/", Decline.as_view(), name="decline"),
    path("requests/<uuid:pk>/confirm/", ConfirmOverride.as_view(), name="confirm"),
    path("requests/<uuid:pk>/refuse/", RefuseOverride.as_view(), name="refuse"),
    path("requests/<uuid:pk>/withdraw/", Withdraw.as_view(), name="withdraw"),
    path("requests/<uuid:pk>/terms/", ChangeTerms.as_view(), name="change-terms"),
    path("requests/<uuid:pk>/try/", TryTerms.as_view(), name="try-terms"),
    path("requests/<uuid:pk>/alternatives/", Alternatives.as_view(), name="alternatives"),
    path("requests/<uuid:pk>/register-answer/", AnswerRegister.as_view(), name="register-answer"),
    path("requests/<uuid:pk>/records/", RequestRecords.as_view(), name="request-records"),
    path("requests/<uuid:pk>/records/refresh/", RefreshRecord.as_view(), name="refresh-record"),
    path("requests/<uuid:pk>/records/refreshing/", Refreshing.as_view(), name="refreshing"),
    path("upload/", Uploads.as_view(), name="upload"),
    path("upload/receive/", ReceiveFile.as_view(), name="receive-file"),
    path("upload/<uuid:pk>/", UploadScreen.as_view(), name="upload-file"),
    path("upload/<uuid:pk>/columns/", MapColumns.as_view(), name="map-columns"),
    path("upload/<uuid:pk>/stop/", StopUpload.as_view(), name="stop-upload"),
    path("upload/<uuid:pk>/delete/", DeleteUpload.as_view(), name="delete-upload"),
    path("upload/<uuid:pk>/download/", DownloadResults.as_view(), name="download-results"),
    path("monitoring/", Monitoring.as_view(), name="monitoring"),
    path("audit/", Audit.as_view(), name="audit"),
    path("audit/applicants/", AuditedApplicants.as_view(), name="audited-applicants"),
    path("audit/export/", ExportAudit.as_view(), name="export-audit"),
    path("audit/events/<int:pk>/", AuditedEvent.as_view(), name="audited-event"),
    path("audit/decisions/<uuid:pk>/", AuditedDecision.as_view(), name="audit-decision"),
    path("audit/decisions/<uuid:pk>/replay/", ReplayDecision.as_view(), name="replay-decision"),
    path("audit/predictions/<uuid:pk>/replay/", ReplayPrediction.as_view(), name="replay-prediction"),
    path("models/", Models.as_view(), name="models"),
    path("models/register/", RegisterModel.as_view(), name="register-model"),
    path("models/roll-back/", RollBack.as_view(), name="roll-back"),
    path("models/<uuid:pk>/", Model.as_view(), name="model"),
    path("models/<uuid:pk>/promote/", PromoteModel.as_view(), name="promote-model"),
    path("models/<uuid:pk>/challenge/", ChallengeModel.as_view(), name="challenge-model"),
    path("models/<uuid:pk>/retire/", RetireModel.as_view(), name="retire-model"),
    path("models/<uuid:pk>/validate/", ValidateModel.as_view(), name="validate-model"),
    path("policies/", Policies.as_view(), name="policies"),
    path("policies/new/", DraftPolicy.as_view(), name="draft-policy"),
    path("policies/<uuid:pk>/", PolicyScreen.as_view(), name="policy"),
    path("policies/<uuid:pk>/publish/", PublishPolicy.as_view(), name="publish-policy"),
    path("policies/<uuid:pk>/discard/", DiscardPolicy.as_view(), name="discard-policy"),
    path("policies/<uuid:pk>/simulate/", Simulate.as_view(), name="simulate"),
    path("simulations/<uuid:pk>/", SimulationScreen.as_view(), name="simulation"),
]
