#!/bin/sh
# Set lifecircle up in this folder without a network and run the example.
cd "$(dirname "$0")" || exit 2
for python in "${PYTHON:-}" python3.11 python3 python; do
  if [ -n "$python" ] && command -v "$python" >/dev/null 2>&1; then
    exec "$python" start.py
  fi
done
echo "需要 Python 3.11。 Python 3.11 is needed." >&2
exit 2
