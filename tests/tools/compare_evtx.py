#!/usr/bin/env python3
"""Compares the events of .evtx files with those that another reader makes, field by field.

    compare_evtx.py --ours HIKESHI [--evtxexport PATH] [--evtx_dump PATH] FILE...

Both other readers print XML; it is turned into fields by the rules of docs/events.md, written here
once more and independently. Prints one line a difference and, at the end, what was compared.
Differences that are known, with their reasons, are in docs/evtx.md; they are named by known().
"""
import argparse
import collections
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

EVENT = re.compile(r'<Event[ >].*?</Event>|<Event/>', re.S)
NOT_XML = re.compile('[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]')
TIME = re.compile(r'^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z| UTC|\+00:00)?$')
HEX = re.compile(r'^0[xX]([0-9a-fA-F]+)$')
GUID = re.compile(r'^\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?$')
NUMBER = re.compile(r'^-?\d+\.\d+(?:e[-+]?\d+)?$|^-?\d+e[-+]?\d+$', re.I)


def local(tag):
    return tag.rsplit('}', 1)[-1].rsplit(':', 1)[-1]


def canonical(text):
    """One spelling for what readers write in different ways without meaning different things."""
    text = (text or '').replace('\r\n', '\n').replace('\r', '\n')
    match = TIME.match(text)
    if match:
        return match[1] + 'T' + match[2] + '.' + (match[3] or '').rstrip('0')
    match = HEX.match(text)
    if match:
        return hex(int(match[1], 16))
    match = GUID.match(text)
    if match:
        return match[1].lower()
    if NUMBER.match(text):
        return repr(float(text))
    return text


class Fields(dict):
    def put(self, name, text):
        self.setdefault(name, []).append(canonical(text))


def leaf(fields, element, inside_system, before=''):
    name = before + local(element.tag)
    named = name == 'Data' and not inside_system and 'Name' in element.attrib
    field = element.attrib['Name'] if named and element.attrib['Name'] else name
    for key, value in element.attrib.items():
        if not (named and key == 'Name'):
            fields.put(name + '_' + local(key), value)
    text = element.text or ''
    if not len(element):
        if text or not inside_system:
            fields.put(field, text)
    else:
        text += ''.join(child.tail or '' for child in element)
        if text.strip():
            fields.put(field, text)
        for child in element:
            leaf(fields, child, False)


def fields_of(xml):
    root = ElementTree.fromstring(xml)
    fields = Fields()
    for part in root:
        name = local(part.tag)
        if name == 'System':
            for element in part:
                leaf(fields, element, True)
        elif len(part) or part.attrib:
            for key, value in part.attrib.items():
                fields.put(name + '_' + local(key), value)
            for element in part:
                repeats = name == 'RenderingInfo' and local(element.tag) != 'Message'
                leaf(fields, element, False, 'RenderingInfo_' if repeats else '')
        elif (part.text or '').strip():
            fields.put(name, part.text)
    time = fields.pop('TimeCreated_SystemTime', [''])[0]
    record = fields.pop('EventRecordID', ['0'])[0]
    return int(record), time, fields


def others(command):
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    text = NOT_XML.sub('\ufffd', out.decode('utf-8', 'replace'))
    for match in EVENT.finditer(text):
        xml = re.sub(r'&#(x?)([0-9a-fA-F]+);', lambda m: char_reference(m), match[0])
        try:
            yield fields_of(xml)
        except ElementTree.ParseError as error:
            yield None, str(error), xml


def char_reference(match):
    number = int(match[2], 16 if match[1] else 10)
    fine = number in (9, 10, 13) or 32 <= number < 0xd800 or 0xe000 <= number < 0xfffe
    return match[0] if fine or 0x10000 <= number < 0x110000 else '\ufffd'


def text_of(value):
    if value is None:
        return ''
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return canonical(NOT_XML.sub('\ufffd', str(value)))


def ours(command):
    """All events of all files, by file."""
    events = collections.defaultdict(list)
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in out.stdout.decode('utf-8').split('\n'):
        if line:
            event = json.loads(line)
            fields = {name: [text_of(v) for v in (value if isinstance(value, list) else [value])]
                      for name, value in event['fields'].items()}
            events[event['input']].append((event['record'], canonical(event['time']), fields))
    return events


def known(who, a, b):
    """The differences listed in docs/evtx.md."""
    if who == 'evtx_dump' and a and b:  # it writes "_" for what XML can't hold
        return [v.replace('\ufffd', '_') for v in a] == [v.replace('\ufffd', '_') for v in b]
    return False


def compare(path, mine, theirs, who, report):
    by_key = collections.defaultdict(list)
    for record, time, fields in mine:
        by_key[record, time].append(fields)
    events = 0
    for record, time, fields in theirs:
        events += 1
        if record is None:
            report(path, who, 0, 'not XML', time, fields[:300])
            continue
        candidates = by_key.get((record, time))
        if not candidates:
            report(path, who, record, 'event missing', time, '')
            continue
        best = min(range(len(candidates)),
                   key=lambda i: sum(candidates[i].get(k) != v for k, v in fields.items()))
        mine_fields = candidates.pop(best)
        for name in sorted(set(fields) | set(mine_fields)):
            a, b = mine_fields.get(name), fields.get(name)
            if a != b and not known(who, a, b):
                report(path, who, record, name, a, b)
    for (record, time), left in by_key.items():
        for _ in left:
            report(path, who, record, 'event more', time, '')
    return events


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--ours', required=True)
    options.add_argument('--evtxexport')
    options.add_argument('--evtx_dump')
    options.add_argument('files', nargs='+')
    options = options.parse_args()
    counts = collections.Counter()

    def report(path, who, record, what, a, b):
        counts['differences'] += 1
        print(f'{path}\t{who}\t{record}\t{what}\t{a!r}\t{b!r}')

    events = ours([options.ours, 'events'] + options.files)
    for path in options.files:
        mine = events[path]
        counts['files'] += 1
        counts['events'] += len(mine)
        if options.evtxexport:
            counts['evtxexport'] += compare(
                path, mine, others([options.evtxexport, '-f', 'xml', path]), 'evtxexport', report)
        if options.evtx_dump:
            counts['evtx_dump'] += compare(
                path, mine, others([options.evtx_dump, '-t', '1', '-o', 'xml', path]),
                'evtx_dump', report)
    print('# ' + ', '.join(f'{name}: {count}' for name, count in counts.items()))
    return 1 if counts['differences'] else 0


if __name__ == '__main__':
    sys.exit(main())
