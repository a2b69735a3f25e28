"""What the findings in downloaded files mean.

D1xx stop a file, D2xx leave something of it out, D3xx are only said.
"""

from __future__ import annotations

EXPLANATIONS = {
    "D101": (
        "A file cannot be read as a table of submissions: it is empty, damaged, of another kind, "
        "or in an encoding that does not tell its letters.",
        "Download it again and import it as it was saved, without opening it in Excel. What is "
        "read: .xlsx, .csv and .zip.",
    ),
    "D102": (
        "Cells hold formulas, so what they show can change without anyone typing.",
        "Import the file as it was downloaded.",
    ),
    "D103": (
        "Letters were replaced by question marks when the file was saved in an encoding that "
        "lacks them. They cannot be brought back.",
        "Download the file again and do not save it from Excel.",
    ),
    "D104": (
        "Cells were merged, so rows or columns lack what only the first of them still holds.",
        "Import the file as it was downloaded.",
    ),
    "D105": (
        "The heading of a column is the label of several questions, so nobody can tell whose "
        "answers these are.",
        "Download it again with 'XML values and headers' under 'Value and header format'.",
    ),
    "D106": (
        "Several columns are the same question, so nobody can tell which one counts.",
        "Import the file as it was downloaded.",
    ),
    "D107": (
        "A cell holds words that are no answer of its question in the language of the file, or "
        "that several answers share.",
        "Download it again with 'XML values and headers' under 'Value and header format'.",
    ),
    "D108": (
        "A spreadsheet cut a long number short, and its last digits are gone.",
        "Download the file again and import it without opening it in Excel.",
    ),
    "D109": (
        "A date can be read in two ways (03/04), or not at all. It is taken as it was meant only "
        "where another date of the same column shows the order.",
        "Download the file again and import it without opening it in Excel.",
    ),
    "D110": (
        "The file has no column kx_build, which every form of kobosmix sends. It is of another "
        "form, or not all of its questions were chosen for the export.",
        "Download it with all questions. A form made by hand joins by a mapping sheet: "
        "'kobosmix import FILE --make-mapping mapping.xlsx'.",
    ),
    "D111": (
        "The file holds submissions of another study.",
        "Import it into that study; nothing of it was taken in here.",
    ),
    "D112": (
        "One submission stands in the file twice, with different answers.",
        "Download the file again and import it without joining it with others.",
    ),
    "D113": (
        "A row has the mark of a version that is stored already, and other answers. A server "
        "gives every edit a new mark, so the file was changed after it was downloaded.",
        "Download the file again. Correct answers on the server, where the correction is kept.",
    ),
    "D114": (
        "It is not known which project on which server a form is, so its submissions could not "
        "be recognised when they come again.",
        "Open the project in the browser, copy its address, and give it to 'kobosmix link'.",
    ),
    "D201": (
        "A part of the file is not read: a sheet or file of a repeated group, or one that was "
        "hidden or added.",
        "Nothing, if it holds nothing of the study. kobosmix builds forms without repeats.",
    ),
    "D202": (
        "A row does not say which submission it is, or when it was received. It would come a "
        "second time with every download, so it was left out.",
        "Download the file again with all columns; a row that somebody added has no place in it.",
    ),
    "D203": (
        "A row was collected with a form of which this study has no codebook, so its answers "
        "cannot be read. It was left out.",
        "Copy the folder of that build back into build/ from whoever deployed it.",
    ),
    "D204": (
        "A row names another group or wave than its form has. It was left out.",
        "Ask who changed the form on the server; 'kobosmix diff STUDY --server' shows how.",
    ),
    "D206": (
        "The form asks questions that the file has no column for, so their answers are not in it: "
        "columns were deleted or renamed, or left out of the export.",
        "Download it again with all questions. Until then these answers count as missing.",
    ),
    "D205": (
        "A column is no question of the form and was not read.",
        "Nothing, if it was added to the file; a question added on the server comes with 'pull'.",
    ),
    "D301": (
        "The file was saved again by another program, and what that changed was unmistakable: "
        "encoding, separator, or the spelling of dates and numbers. It was read as it was meant.",
        "Nothing. Next time import the file as it was downloaded.",
    ),
    "D302": (
        "Submissions that are stored are not in the file. They stay: a download can be filtered.",
        "Nothing. Only 'kobosmix pull' can tell what was deleted on the server.",
    ),
    "D303": (
        "Without the column meta/rootUuid, a submission that was edited before its first import "
        "cannot be told from a new one.",
        "Download the file again with all columns, if answers were edited on the server.",
    ),
    "D304": (
        "The file has times without a zone, as ODK Briefcase writes them by the clock of its "
        "computer. They were taken to be UTC, so they can be off by some hours.",
        "Nothing, unless interviews around midnight matter.",
    ),
    "D305": (
        "Rows of the file are older than what is stored, or differ from it and nothing shows "
        "which is newer. What is stored was kept.",
        "Nothing. Import the newest download last.",
    ),
}
