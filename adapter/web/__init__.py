"""The page for people and the JSON behind it. `payloads` forms answers from the view, `app` serves them;
`standalone` makes reports that are one file of the same looks.

static/ holds the page itself; static/vendor/ is uPlot (https://github.com/leeoniya/uPlot), unchanged, with
its licence.
"""
