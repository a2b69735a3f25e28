"""What can be wrong with an XLSForm, by theme. A rule is a generator; its docstring is the rule."""
