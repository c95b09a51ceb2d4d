"""Containers as real processes: forked from one small server, so that fifty of them stay cheap."""
