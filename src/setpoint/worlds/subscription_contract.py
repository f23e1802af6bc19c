"""The contract of the demo's business: an example to read as much as one to run."""

from typing import Final, Literal

_TEXT: Final = """\
# yaml-language-server: $schema=./model_contract.schema.json
model:
  name: subscription_churn
  version: "1.0"
  task: binary
  owner: growth@example.com
  intended_use: Rank customers for the retention team.
  limitations: Not for pricing; not for customers who joined less than a day ago.
  risk: medium
data:
  source: $source
  target: churned
  positive: "Yes"
  time: event_time
  key: customer_id
  protected: [gender]
  columns:
    plan:           {type: category}
    tenure:         {type: int, min: 0, max: 240, unit: months}
    charges:        {type: float, min: 0, max: 500, nulls: 1%, unit: euros a month}
    support_calls:  {type: int, min: 0, max: 100}
    usage_hours:    {type: float, min: 0, max: 744, nulls: 1%, unit: hours a month}
    country:        {type: category}
    payment_method: {type: category}
    satisfaction:   {type: float, min: 1, max: 5, nulls: 50%}
    gender:         {type: category, use: false, reason: protected; kept for the fairness gate}
  checks: {unique: [customer_id, event_time], label_share: {shift: 25 points}}
train:
  estimator: auto
  params: {learning_rate: 0.06, max_iter: 60, max_leaf_nodes: 8, min_samples_leaf: 40}
  split: {by: time, validation: 10%, test: 15%}
  seed: 7
gates:
  - {metric: roc_auc, min: 0.62}
  - {metric: roc_auc, beats_champion: 1%, confidence: 90%}
  - {metric: roc_auc, beats: majority}
  - {fairness: demographic_parity_difference, attribute: gender, max: 0.1}
  - {latency: p99, max: 50ms}
  - {invariant_to: gender}
$releasemonitor:
  window: 14d
  drift: {effect: 0.1, min_rows: 200, share: 20%}
  performance: {metric: roc_auc, drop: 4%, label_delay: 30d}
retrain:
  when:
    - performance.drop > 4%
    - drift.share > 20% for 2 windows
    - rows.labelled >= 1000
  data: last 180d
  accept: {not_worse_by: 2%}
  cooldown: 21d
  budget: {runs: 3, per: 60d}
"""
_RELEASE: Final = {
    "direct": "release: {strategy: direct}\n",
    "canary": """\
release:
  strategy: canary
  steps: [20%, 50%, 100%]
  min_requests: 200
  max_duration: 30d
  guardrails: [{error_rate: 1%}, {latency_p99: 250ms}]
  on_inconclusive: hold
""",
}


def subscription_contract(
    source: str = "data/subscription.parquet", *, strategy: Literal["direct", "canary"] = "direct"
) -> str:
    """Return the YAML of the demo's contract.

    Args:
        source: Path of the table, relative to the contract.
        strategy: `canary` for live traffic. The history has 24 looks a day, of which 200 at 20 % would take six
            weeks, longer than `max_duration`: there a release is `direct`.
    """
    return _TEXT.replace("$source", source).replace("$release", _RELEASE[strategy])
