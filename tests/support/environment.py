"""What a test run sets before torch, numpy and huggingface_hub are imported; what the user set stays.

Imported first of all by `tests/conftest.py`.
"""

import os
import tempfile

# Each worker has a core of its own: more threads would only be in each other's way.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# No test needs the Hub; without a network every attempt waits for half a minute.
for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
    os.environ.setdefault(name, "1")

# Decoded images are given back to the system when they are dropped; read by glibc when a worker starts.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "262144")

# What judges were examined on this machine is no part of a test.
os.environ.setdefault("MIRROR_BENCH_LICENCES", tempfile.mkdtemp(prefix="licences-"))
