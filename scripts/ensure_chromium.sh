#!/usr/bin/env bash
# The page's tests drive the system's Chromium. Where there is none it is installed, if this is root on a Debian, as in
# a container of a CI; anywhere else tests/browser is skipped and says so. This never fails: the suite decides.
set -u
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null && "$name" --version > /dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "tests/browser needs Chromium: install it with this system's package manager, such as apt-get install chromium"
  exit 0
fi
echo "installing Chromium for tests/browser"
export DEBIAN_FRONTEND=noninteractive
{ timeout 300 apt-get update && timeout 900 apt-get install -y --no-install-recommends chromium; } > /dev/null 2>&1 \
  || echo "Chromium could not be installed; tests/browser is skipped"
exit 0
