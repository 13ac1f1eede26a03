"""How decisions, overrides, register answers, evaluations and histories are shown."""

from typing import Any

from rest_framework import serializers

from apps.common.languages import language_of
from apps.credit_requests.decision_presentation import render_decision, render_decision_record, render_override
from apps.credit_requests.models import Decision, Override, RegisterAnswer


class PolicyReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    text = serializers.CharField(allow_null=True, help_text="For the lender's own people.")


class OfferedTermsSerializer(serializers.Serializer):
    amount = serializers.IntegerField()
    term_months = serializers.IntegerField()
    annual_rate_basis_points = serializers.IntegerField()


class TermsSerializer(OfferedTermsSerializer):
    instalment = serializers.IntegerField(allow_null=True, help_text="A month, rounded up.")


class CappedTermsSerializer(TermsSerializer):
    capped_by = serializers.ListField(child=serializers.CharField())


class PolicyNameSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField()
    version = serializers.CharField()


class RecordUsedSerializer(serializers.Serializer):
    """An external record that the decision rests on; `is_stale` by the limit of the policy."""

    source = serializers.CharField()
    record = serializers.UUIDField()
    version = serializers.UUIDField()
    observed_at = serializers.DateTimeField()
    fetched_at = serializers.DateTimeField()
    origin = serializers.CharField()
    is_stale = serializers.BooleanField()


class ContradictionSerializer(serializers.Serializer):
    """What a register says otherwise than the applicant. Sums are in the request's currency, times the sources' own."""

    code = serializers.CharField()
    text = serializers.CharField(help_text="For the lender's own people: both values, and how old each is.")
    source = serializers.CharField()
    record = serializers.UUIDField()
    version = serializers.UUIDField()
    is_mock = serializers.BooleanField()
    stated = serializers.JSONField()
    stated_at = serializers.DateTimeField()
    told = serializers.JSONField()
    told_at = serializers.DateTimeField()


class UsedValueSerializer(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class RuleStepSerializer(serializers.Serializer):
    """What one rule said. `fired` is null when a name that decides it is not known."""

    code = serializers.CharField()
    kind = serializers.CharField()
    fired = serializers.BooleanField(allow_null=True)
    outcome = serializers.CharField(help_text="What the rule asks for; approve when it did not fire.")
    values = UsedValueSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField())


class DecisionSerializer(serializers.Serializer):
    """`kind`: policy, person, referral (an officer passed it on) or review (a new look was asked for)."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="From one, within the request.")
    kind = serializers.CharField()
    outcome = serializers.CharField(help_text="approve, refer or decline.")
    rests_on_mock = serializers.BooleanField(help_text="Whether a record that it rests on was invented.")
    terms = TermsSerializer(allow_null=True)
    reasons = PolicyReasonSerializer(many=True)

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        return super().to_representation(render_decision(instance, language_of(self.context["request"])))


class DecisionRecordSerializer(DecisionSerializer):
    """A decision with what it rested on."""

    policy_outcome = serializers.CharField(help_text="What the rules gave, before a bar turned it into refer.")
    is_barred = serializers.BooleanField(help_text="Whether the assessment could not decide by itself.")
    on_date = serializers.DateField()
    policy = PolicyNameSerializer(allow_null=True)
    prediction = serializers.UUIDField(allow_null=True)
    records = RecordUsedSerializer(many=True)
    contradictions = ContradictionSerializer(
        many=True, allow_null=True, help_text="As they were found then. Null where no policy was asked, or once erased."
    )
    annual_probability_of_default = serializers.FloatField(allow_null=True)
    loss_given_default = serializers.FloatField(allow_null=True)
    expected_loss = serializers.IntegerField(allow_null=True)
    direction = serializers.CharField(help_text="low_side, high_side or empty: against the policy, which way.")
    reason_code = serializers.CharField()
    comment = serializers.CharField(allow_null=True)
    trace = RuleStepSerializer(many=True, allow_null=True)
    made_by = serializers.IntegerField(allow_null=True)
    checked_by = serializers.IntegerField(allow_null=True)
    override = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        shown = render_decision_record(instance, language_of(self.context["request"]))
        return serializers.Serializer.to_representation(self, shown)


class EvaluationSerializer(serializers.Serializer):
    """What the policy in force would say now."""

    policy = PolicyNameSerializer()
    on_date = serializers.DateField()
    prediction = serializers.UUIDField(allow_null=True)
    outcome = serializers.CharField()
    policy_outcome = serializers.CharField(help_text="Before the bars.")
    bars = serializers.ListField(
        child=serializers.CharField(), help_text="Why the assessment may not decide by itself."
    )
    reasons = PolicyReasonSerializer(many=True)
    terms = CappedTermsSerializer(allow_null=True)
    annual_probability_of_default = serializers.FloatField(allow_null=True)
    loss_given_default = serializers.FloatField(allow_null=True)
    expected_loss = serializers.IntegerField(allow_null=True)
    rests_on_mock = serializers.BooleanField(help_text="Whether a record that it rests on was invented.")
    records = RecordUsedSerializer(many=True)
    contradictions = ContradictionSerializer(many=True)
    trace = RuleStepSerializer(many=True)


class OverrideSerializer(serializers.Serializer):
    """What a person wants decided against the policy, or what takes two. `against`: the decision that stood then."""

    id = serializers.UUIDField()
    credit_request = serializers.UUIDField()
    against = serializers.UUIDField()
    prediction = serializers.UUIDField(allow_null=True)
    state = serializers.CharField(help_text="waiting, confirmed, refused or expired.")
    outcome = serializers.CharField()
    direction = serializers.CharField(help_text="low_side, high_side or empty.")
    reason_code = serializers.CharField()
    comment = serializers.CharField(allow_null=True)
    terms = OfferedTermsSerializer()
    second_person_for = serializers.ListField(
        child=serializers.CharField(), help_text="amount, override, knockout; empty where one person was enough."
    )
    requested_by = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    closed_by = serializers.IntegerField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_comment = serializers.CharField(allow_null=True)

    def to_representation(self, instance: Override) -> dict[str, Any]:
        return super().to_representation(render_override(instance))


class RegisterAnswerSerializer(serializers.ModelSerializer):
    """That the register was asked; what it said is in the decision that used it."""

    class Meta:
        model = RegisterAnswer
        fields = ["id", "credit_request", "register", "answered_by", "created_at"]
        read_only_fields = fields


class ActorSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    username = serializers.CharField()


class AskedTermsSerializer(serializers.Serializer):
    product = serializers.UUIDField()
    requested_amount = serializers.IntegerField()
    term_months = serializers.IntegerField()


class HistoryStepSerializer(serializers.Serializer):
    """One step of a request. Nobody in `by`: the engine itself."""

    at = serializers.DateTimeField()
    step = serializers.CharField()
    text = serializers.CharField()
    by = ActorSerializer(allow_null=True)
    outcome = serializers.CharField(allow_null=True)
    policy_outcome = serializers.CharField(allow_null=True)
    direction = serializers.CharField(allow_null=True)
    reasons = PolicyReasonSerializer(many=True)
    rests_on_mock = serializers.BooleanField(
        allow_null=True, help_text="Of a decision: whether a record that it rests on was invented."
    )
    reason_code = serializers.CharField(allow_null=True)
    comment = serializers.CharField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    grade = serializers.CharField(allow_null=True)
    prediction = serializers.UUIDField(allow_null=True)
    decision = serializers.UUIDField(allow_null=True)
    override = serializers.UUIDField(allow_null=True)
    before = AskedTermsSerializer(allow_null=True)
    after = AskedTermsSerializer(allow_null=True)
