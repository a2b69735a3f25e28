"""The English behind a questionnaire, for readers of a review who read none of its languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kobosmix.codebook import Option
from kobosmix.questionnaire import Block, Calculated, Note, Question, Questionnaire
from kobosmix.questionnaire.model import ListOfOptions, Part, Sentence
from kobosmix.wording import Wording
from kobosmix.wording.catalogue import SOURCE


def in_english(questionnaire: Questionnaire, wording: Wording) -> Questionnaire:
    """The same questionnaire in the English of the bank, names in it as far as they are known.

    A heading that counts ("Part 2 of 11") has no English of its own and is left empty.
    """
    language = questionnaire.languages[0]
    if SOURCE in questionnaire.languages:
        return questionnaire
    english = {
        rendering.text: wording.in_english(rendering)
        for rendering in wording.renderings.values()
        if (rendering.way[0], rendering.way[2]) == (language, questionnaire.group)
        and not rendering.counts
    }

    def behind(sentence: Sentence) -> dict[str, str]:
        return {SOURCE: english.get(sentence.get(language, ""), "")}

    def translated(part: Part) -> Part:
        match part:
            case Block():
                inner = tuple(translated(each) for each in part.parts)
                return replace(part, label=behind(part.label), parts=inner)
            case Question() | Note():
                return replace(part, label=behind(part.label), hint=behind(part.hint))
            case Calculated():
                return part

    return replace(
        questionnaire,
        languages=(SOURCE,),
        parts=tuple(translated(part) for part in questionnaire.parts),
        lists={id_: _list(options) for id_, options in questionnaire.lists.items()},
    )


def _list(options: ListOfOptions) -> ListOfOptions:
    return replace(options, options=tuple(_option(option) for option in options.options))


def _option(option: Option) -> Option:
    """A site has no English; it is called by its code."""
    labels: Mapping[str, str] = {SOURCE: option.english or option.value}
    return replace(option, labels=labels)
