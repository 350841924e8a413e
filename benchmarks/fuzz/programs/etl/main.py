"""Read orders, clean them, total them by region and write a report."""

import json
import os

import readers
from pipeline import Pipeline, stage_names
from summary import by_region, describe, largest
from transforms import CLEANERS, apply_all

import formats  # registers its writers

SOURCE = "orders"
REGIONS = ("north", "south", "west")


def main():
    raw = readers.read(SOURCE)  # dds: /etl/raw
    print("read", len(raw), "rows")
    clean = apply_all(raw, ["strip", "numbers", "drop_empty"])  # dds: /etl/clean
    print("kept", len(clean), "rows of", sorted(CLEANERS))
    pipeline = Pipeline("orders")
    pipeline.add("tax", rate=0.19).add("discount", above=100, percent=5)
    priced = pipeline.run(clean)  # dds: /etl/priced
    print(stage_names(pipeline))
    totals = {}
    for region in REGIONS:
        totals[region] = by_region(priced, region)  # dds: /etl/region/{region}
        print(region, totals[region])
    top = largest(priced, count=2)  # dds: /etl/top
    text = describe(totals, top)  # dds: /etl/text
    print(text)
    as_csv = formats.write("csv", priced)  # dds: /etl/csv
    as_json = formats.write("json", top)  # dds: /etl/json
    print(len(as_csv.splitlines()), "lines")
    os.makedirs("out", exist_ok=True)
    with open("out/orders.csv", "w") as file:
        file.write(as_csv)
    with open("out/top.json", "w") as file:
        file.write(as_json)
    print(json.dumps(sorted(totals)))


if __name__ == "__main__":
    main()
