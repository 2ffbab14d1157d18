#!/usr/bin/env python3
"""Makes much EVTX data of little: whole chunks of sample files, again and again.

    grow_evtx.py SAMPLES OUT MEGABYTES [MEGABYTES_A_FILE]

Chunks are independent of each other and of the file they stand in, so a file made of the chunks of
many is a valid one; only its header is new (checksum, number of chunks). Every file of OUT holds
other samples; all samples come before the first comes again.
"""
import os
import struct
import sys
import zlib

HEADER, CHUNK = 4096, 65536


def chunks_of(folder):
    """All whole chunks of the .evtx files below a folder, in the order of the paths."""
    for base, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if not name.endswith('.evtx'):
                continue
            with open(os.path.join(base, name), 'rb') as f:
                data = f.read()
            for at in range(HEADER, len(data) - CHUNK + 1, CHUNK):
                if data[at:at + 8] == b'ElfChnk\0':
                    yield data[at:at + CHUNK]


def header(chunks, next_record):
    start = struct.pack('<8sQQQIHHHH', b'ElfFile\0', 0, chunks - 1, next_record, 128, 1, 3, HEADER,
                        chunks).ljust(120, b'\0')
    return (start + struct.pack('<II', 0, zlib.crc32(start))).ljust(HEADER, b'\0')


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    samples, out, total = sys.argv[1], sys.argv[2], int(sys.argv[3]) << 20
    most = (int(sys.argv[4]) if len(sys.argv) == 5 else 64) << 20
    source = list(chunks_of(samples))
    if not source:
        sys.exit('grow_evtx.py: no whole chunk below ' + samples)
    os.makedirs(out, exist_ok=True)
    at = number = 0
    while at * CHUNK < total:
        n = min(most // CHUNK, -(-total // CHUNK) - at)
        with open(os.path.join(out, 'grown-%04d.evtx' % number), 'wb') as f:
            f.write(header(n, 1))
            for i in range(at, at + n):
                f.write(source[i % len(source)])
        at += n
        number += 1


if __name__ == '__main__':
    main()
