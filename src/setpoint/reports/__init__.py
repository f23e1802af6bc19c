"""What people read: facts as terminal tables, as pages, and as charts.

Belongs here: pure functions from facts to text, HTML, SVG and rich renderables, and the templates they fill. Never
here: files, the network, the wall clock, SQL, or a judgement of its own; a page says what a fact says.
"""
