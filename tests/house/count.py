#!/usr/bin/env python3
"""Counts test cases and prints the last line of ./run test.

    count.py [--failed=NAME ...] LOG ...

A LOG is a testlog.json of Meson (one JSON object a line, whose stdout is TAP) or a .tap file.
What was skipped and what failed is listed above the line, with the reason. A case is skipped when
it says so the TAP way ("ok 3 - name # SKIP reason", "1..0 # SKIP reason"), or when the comment
"# skip: reason" comes before its "ok": cmocka marks skips as failures, so tests use that instead.
A test program that dies, or that shows no case at all, counts as one failure. Exits 1 when
anything failed or when nothing passed.
"""
import json
import os
import re
import sys

CASE = re.compile(r'(ok|not ok)\b\s*(?:\d+)?\s*-?\s*([^#]*?)\s*(?:#\s*(skip|todo)\S*\s*(.*))?$', re.I)
NONE = re.compile(r'1\.\.0\b\s*(?:#\s*skip\S*\s*(.*))?$', re.I)
SKIP = re.compile(r'#\s*skip:\s*(.*)', re.I)
GOOD = ('OK', 'SKIP', 'EXPECTEDFAIL')


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def program(self, name, text, result, code):
        """One test program: its TAP, and what Meson thought of it."""
        cases = bad = 0
        reason = None
        for line in text.splitlines():
            none = NONE.match(line)
            skip = SKIP.match(line)
            case = CASE.match(line)
            if none:
                cases += 1
                self.skipped.append((name, none.group(1) or 'no reason given'))
            elif skip:
                reason = skip.group(1) or 'no reason given'
            elif case:
                cases += 1
                where = name + ': ' + case.group(2)
                if (case.group(3) or '').lower() == 'skip' and case.group(1) == 'ok':
                    self.skipped.append((where, case.group(4) or 'no reason given'))
                elif case.group(1).lower() == 'not ok':
                    bad += 1
                    self.failed.append(where)
                elif reason:
                    self.skipped.append((where, reason))
                else:
                    self.passed += 1
                reason = None
        if result not in GOOD and not bad:
            self.failed.append('%s: %s (exit status %s)' % (name, result.lower(), code))
        elif not cases:
            self.failed.append(name + ': showed no test case')

    def log(self, path):
        if path.endswith('.tap'):
            with open(path, encoding='utf-8', errors='replace') as tap:
                self.program(os.path.basename(path)[:-4], tap.read(), 'OK', 0)
            return
        folder = path.split(os.sep)[0]
        with open(path, encoding='utf-8') as log:
            for line in log:
                run = json.loads(line)
                self.program(folder + ': ' + run['name'].split(' / ')[-1], run.get('stdout') or '',
                             run['result'], run.get('returncode'))


def main(arguments):
    count = Count()
    for argument in arguments:
        if argument.startswith('--failed='):
            count.failed.append(argument[len('--failed='):])
        elif os.path.exists(argument):
            count.log(argument)
        else:
            count.failed.append(argument + ': is not there')
    for where, reason in count.skipped:
        print('skipped  %s (%s)' % (where, reason))
    for where in count.failed:
        print('FAILED   %s' % where)
    if not count.passed and not count.failed:
        print('FAILED   nothing ran')
    print('%d passed, %d failed, %d skipped' %
          (count.passed, len(count.failed), len(count.skipped)))
    return 1 if count.failed or not count.passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
