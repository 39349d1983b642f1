"""What is damaged.

verify.py   every byte and reference
repair.py   mends what remains.py looks at
rescue.py   a new catalogue of a damaged one, and of what
            kept_again.py reads beside the segments
report.py   what a repair did and lost
"""
