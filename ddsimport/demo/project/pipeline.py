"""Which grower made this wine? 178 wines, 13 measurements, three growers.

Plain Python: `python pipeline.py` runs it. `python -m ddsimport pipeline.py` runs it incrementally.
"""

from wine.cleaning import clean, split
from wine.modelling import cross_validate, evaluate, fit
from wine.reading import read
from wine.reporting import draw, headline

raw = read("wine_data.csv")  # dds: /wine/raw
table = clean(raw)  # dds: /wine/table
train, test = split(table, share=0.3, seed=7)  # dds: /wine/split
scores = cross_validate(train, depths=(2, 3, 4, 6, 8), folds=5)  # dds: /wine/scores.json
model = fit(train, depth=max(scores, key=scores.get))  # dds: /wine/model
stats = evaluate(model, test)  # dds: /wine/stats.json
plot = draw(table, stats)  # dds: /wine/plot.png

print(headline(stats))
