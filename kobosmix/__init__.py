"""kobosmix: from an item bank and one context file to matched, analysis-ready tables.

Read the folders in this order and you have read the way of the data: bank, context, plan,
wording, questionnaire, form, invariance, engines, printed, people, preview, build, server, store,
match, tables, cli. xlsform stands beside it and knows any XLSForm, ours or not.
"""

__version__ = "0.1.0"
