#!/usr/bin/env python3
"""reproduce-spark.py FOLDER: the root over a Parquet export, by RFC 6962, in Spark SQL without user functions.

Runs on this machine with `pip install pyspark` and Java; `spark-submit --master URL` takes the same file to a cluster. One query
for the leaves and one a level, each level half as long as the one below."""

import sys

from pyspark.sql import SparkSession

LEAVES = """
SELECT height - (SELECT min(height) FROM leaves) AS place,
       unhex(sha2(concat(X'00', unhex(lpad(hex(height), 16, '0')), block_hash,
                         unhex(lpad(hex(part_count), 8, '0')), part_set_hash), 256)) AS hash
FROM leaves
"""

# A node without a sibling moves up as it is.
LEVEL = """
SELECT place DIV 2 AS place,
       CASE WHEN count(*) = 2 THEN unhex(sha2(concat(X'01', min_by(hash, place), max_by(hash, place)), 256))
            ELSE min_by(hash, place) END AS hash
FROM level GROUP BY place DIV 2
"""

spark = SparkSession.builder.appName("root of a ledger").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.read.parquet(sys.argv[1]).createOrReplaceTempView("leaves")
first, last, size = spark.sql("SELECT min(height), max(height), count(DISTINCT height) FROM leaves").first()
assert size == last - first + 1, f"{last - first + 1 - size} heights are missing"
spark.sql(LEAVES).localCheckpoint().createOrReplaceTempView("level")
width = size
while width > 1:
    spark.sql(LEVEL).localCheckpoint().createOrReplaceTempView("level")
    width = (width + 1) // 2
print(f"size {size}\nroot {spark.sql('SELECT lower(hex(hash)) FROM level').first()[0]}")
