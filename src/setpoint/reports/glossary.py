"""The words of the pages, explained in one place; each page lists those that it uses."""

import re
from html import unescape
from typing import Final

from setpoint.facts.replay import LINES

GLOSSARY: Final[dict[str, str]] = {
    # metrics
    "accuracy": "Share of the answers that are right, 0 to 1.",
    "balanced_accuracy": "Mean over the classes of the share found, 0 to 1; each class counts the same.",
    "f1": "Harmonic mean of precision and recall of the positive class, 0 to 1.",
    "f1_macro": "Mean of f1 over the classes, 0 to 1.",
    "precision": "Share of the positive answers that are right, 0 to 1.",
    "precision_macro": "Mean of precision over the classes, 0 to 1.",
    "recall_macro": "Mean of recall over the classes, 0 to 1.",
    "recall": "Share of the positive rows that are found, 0 to 1.",
    "roc_auc": "Chance that a positive row gets a higher score than a negative one, 0 to 1; 0.5 is guessing.",
    "average_precision": "Mean precision over all thresholds, 0 to 1; guessing has the share of positive rows.",
    "log_loss": "Mean of minus the logarithm of the probability given to what came true, in nats; 0 is best.",
    "brier": "Mean squared distance of the probabilities from what came true; 0 is best.",
    "brier_skill": "Share that the model takes off the brier score of always answering with the class shares; "
    "1 is best, 0 no better than that.",
    "mae": "Mean absolute error, in the unit of the target; 0 is best.",
    "rmse": "Root of the mean squared error, in the unit of the target; 0 is best, and large errors count more.",
    "mape": "Mean absolute error as a share of the true value.",
    "r2": "Share of the target's variance that the answers explain; 1 is best, 0 is no better than the mean.",
    # judging
    "beats_champion": "Whether the candidate beats the model in production on the same rows by the margin.",
    "abs": "The margin is in the metric's own unit; % would be relative to the champion.",
    "champion": "The version that production answers with.",
    "candidate": "A fitted model that the gates have not passed yet.",
    "twin": "A model fitted like the adopted one, on earlier rows alone, so that later ones measure it.",
    "interval": "Where the true value lies with the confidence that the contract asks for.",
    "inconclusive": "Not enough evidence to say pass or fail. A gate that is inconclusive lets nothing through.",
    "n": "Rows behind the number.",
    "n_effective": "How many independent rows the rows are worth; neighbours in time repeat each other.",
    "k": "Which candidate since the last promotion this is; each further one must prove more.",
    "alpha": "Chance taken of letting through a candidate that is no better; smaller for each further one.",
    "confidence": "Share of such intervals that hold the true value.",
    "attempt": "One try to get a better model: opened, fitted, judged, and promoted or refused.",
    # drift
    "total variation distance": "Half the sum of the differences of two distributions' shares: 0 is equal, 1 is apart.",
    "drift.share": "Share of the columns that drifted in a window.",
    "performance.drop": "By how much the metric on labelled rows is worse than it was at the gates.",
    "prediction.drift": "Drift of the model's answers instead of a column.",
    "rows.new": "Labelled rows that came since the last fit.",
    # data
    "nulls": "Missing values in a column.",
    "one_class": "Whether the target has more than one class to learn from.",
    "digest": "A fingerprint: equal contents have equal digests.",
    "no_change": f"A line of a replay: {LINES['no_change']}.",
}
"""Each word, and what it means, with its unit and range where it is a number."""

_TAGS: Final = re.compile(r"<style.*?</style>|<[^>]+>", re.DOTALL)


def glossary_of(page: str) -> list[tuple[str, str]]:
    """Return the explained words that a page uses, by name.

    Args:
        page: The page as HTML; what stands in tags does not count.
    """
    text = unescape(_TAGS.sub(" ", page))
    words = set(re.findall(r"[\w.]*\w", text))
    return [
        (word, meaning)
        for word, meaning in sorted(GLOSSARY.items())
        if (word in text if " " in word else word in words)
    ]
