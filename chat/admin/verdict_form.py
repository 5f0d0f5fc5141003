"""The form of a verdict on an answer."""

from typing import Any

from django import forms

from chat.models import Verdict
from chat.models.verdicts import CRITERIA, LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, SCORES

HELD = (("", "not judged"), ("yes", "yes"), ("no", "no"))


class VerdictForm(forms.Form):
    """A score, the rubric, tags, a note and a flag; at least one of them is required. `own` has the initial values.
    Without `texts` the form has no note, and that of `own` is kept."""

    score = forms.TypedChoiceField(
        choices=[(score, str(score)) for score in SCORES],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    tags = forms.CharField(required=False, help_text="Separated by commas")
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, widget=forms.Textarea(attrs={"rows": 4}))
    flagged = forms.BooleanField(required=False, label="Somebody else is to look at it as well")

    def __init__(self, data: Any = None, own: Verdict | None = None, *, texts: bool = True) -> None:
        super().__init__(data, initial=_initial(own) if own else None)
        self._note = own.note if own else ""
        if not texts:
            del self.fields["note"]
        for name in CRITERIA:
            field = forms.ChoiceField(choices=HELD, required=False, label=name.capitalize())
            self.fields[name] = field
            if own and name in own.rubric:
                self.initial[name] = "yes" if own.rubric[name] else "no"

    def clean_tags(self) -> list[str]:
        """Return the tags without duplicates. Raises ValidationError."""
        tags = list(dict.fromkeys(tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()))
        if len(tags) > MOST_TAGS:
            raise forms.ValidationError(f"At most {MOST_TAGS} tags.")
        if any(len(tag) > LONGEST_TAG for tag in tags):
            raise forms.ValidationError(f"A tag has at most {LONGEST_TAG} characters.")
        return tags

    def clean(self) -> dict[str, Any]:
        """Require at least one value."""
        found = super().clean() or {}
        if not any(found.values()) and not self.errors:
            raise forms.ValidationError("Give a score, judge a criterion, or write a tag or a note.")
        return found

    def said(self) -> dict[str, Any]:
        """Return the verdict's fields. The form has to be valid."""
        given = self.cleaned_data
        rubric = {name: given[name] == "yes" for name in CRITERIA if given.get(name)}
        said = {name: given[name] for name in ("score", "tags", "flagged")}
        return {"rubric": rubric, "note": given.get("note", self._note), **said}


def _initial(own: Verdict) -> dict[str, Any]:
    return {"score": own.score, "tags": ", ".join(own.tags), "note": own.note, "flagged": own.flagged}
