"""The English behind a questionnaire, for readers of a review who read none of its languages."""

from __future__ import annotations

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
        lists={id_: _list(each, language) for id_, each in questionnaire.lists.items()},
    )


def _list(listed: ListOfOptions, language: str) -> ListOfOptions:
    return replace(listed, options=tuple(_option(each, language) for each in listed.options))


def _option(option: Option, language: str) -> Option:
    """Sites, days and letters have no English; they are called as in the form."""
    return replace(option, labels={SOURCE: option.english or option.labels[language]})
