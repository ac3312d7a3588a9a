"""The page for people and the JSON behind it. `payloads` forms answers from the view, `app` serves them.

static/ holds the page itself; static/vendor/ is uPlot (https://github.com/leeoniya/uPlot), unchanged, with
its licence.
"""
