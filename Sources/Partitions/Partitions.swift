// The Partitions target.
