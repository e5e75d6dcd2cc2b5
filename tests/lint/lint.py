#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of this source tree that the compiler does not check.

    tests/lint/lint.py [--root DIR] [--tap] [CHECK...]

Without --tap every finding is one line, 'path:line: what is wrong', and the exit status is 1 if
there is any. With --tap every check is one test case.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

import csource

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = pathlib.PurePath('tests/lint/cases')

LAYERS = ('base', 'wire', 'qapi', 'machine', 'warm', 'run', 'suite', 'report', 'cli')
# What guest/ may include: it is static, without GLib, and shares only the formats.
GUEST_HEADERS = ('wire/cgroup-name.h', 'wire/frame.h', 'wire/record.h',
                 'wire/guest-protocol.h')

FILE_LINES = 800
FUNCTION_LINES = 60
NESTING = 4

FORBIDDEN_CALLS = {
    'sleep': 'wait for the event instead',
    'usleep': 'wait for the event instead',
    'g_usleep': 'wait for the event instead',
    'nanosleep': 'wait for the event instead',
    'clock_nanosleep': 'wait for the event instead',
    'system': 'start the program with an argv',
    'popen': 'start the program with an argv',
    'sprintf': 'use g_strdup_printf() or snprintf()',
    'vsprintf': 'use g_strdup_vprintf() or vsnprintf()',
    'strcpy': 'use g_strdup() or memcpy()',
    'strcat': 'use a GString',
}

SUFFIXES = ('.c', '.h', '.cc', '.py', '.sh', '.in', '.md', '.yml')
NAMES = ('Makefile', 'meson.build', 'meson_options.txt')
CPPCHECK = ('--enable=warning', '--inline-suppr', '--std=c11', '--library=gtk',
            '--suppress=missingIncludeSystem', '--suppress=unknownMacro', '--quiet', '-j2',
            '--template={file}:{line}: {message} [{id}]')


class MissingTool(Exception):
    """A check that cannot run on this host; says which tool and version it wants."""


class Source:
    """One text file of the tree: its path relative to the root and its text."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_bytes().decode('utf-8', 'replace')
        self.lines = self.text.splitlines()
        first = self.lines[0] if self.lines else ''
        self.is_c = path.suffix in ('.c', '.h')
        self.is_python = path.suffix == '.py' or bool(re.match(r'#!.*\bpython', first))
        self.is_shell = path.suffix == '.sh' or bool(re.match(r'#!.*\b(ba|da)?sh\b', first))
        self.is_source = (self.is_c or self.is_python or self.is_shell or path.suffix == '.cc'
                          or path.name in NAMES)


class Tree:
    """All sources below a root, in the order of their paths."""

    def __init__(self, root):
        self.root = root
        self.sources = [Source(root, path) for path in sorted(self._walk(root))]

    @staticmethod
    def _skipped(path):
        name = path.name
        return (name.startswith('build') or name == '__pycache__' or name == 'subprojects'
                or (name.startswith('.') and name != '.ci'))

    def _walk(self, directory):
        for path in directory.iterdir():
            relative = path.relative_to(self.root)
            if path.is_symlink() or relative == CASES:
                continue
            if path.is_dir():
                if not self._skipped(path):
                    yield from self._walk(path)
            elif path.suffix in SUFFIXES or path.name in NAMES or self._is_script(path):
                yield relative

    @staticmethod
    def _is_script(path):
        if path.suffix:
            return False
        with path.open('rb') as file:
            return file.read(2) == b'#!'

    def c_files(self):
        return [source for source in self.sources if source.is_c]

    def run(self, tool, arguments):
        """The output of a tool that is run in the root."""
        if not shutil.which(tool):
            raise MissingTool(f'{tool} is not installed')
        done = subprocess.run([tool, *arguments], cwd=self.root, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.stdout


def check_layers(tree):
    """A layer includes only itself and those below it."""
    for source in tree.c_files():
        parts = source.path.parts
        if parts[0] != 'src' or len(parts) < 3:
            continue
        for number, header, system in csource.includes(source.lines):
            problem = layer_problem(parts[1], str(pathlib.PurePath(*parts[1:])), header, system)
            if problem:
                yield source.path, number, problem


def layer_problem(layer, name, header, system):
    """What is wrong with layer's file 'name' including 'header', or None."""
    free_of_glib = layer == 'guest' or re.sub(r'c$', 'h', name) in GUEST_HEADERS
    if system:
        if free_of_glib and re.match(r'(glib|gio|gobject)', header):
            return f'{name} is compiled for the guest, which has no GLib (<{header}>)'
        return None
    if '/' not in header:
        return None if header == 'config.h' else f'"{header}" does not say which layer it is in'
    target = header.split('/')[0]
    if free_of_glib:
        if target == layer == 'guest' or header in GUEST_HEADERS:
            return None
        return f'{name} is compiled for the guest and may not include "{header}"'
    if layer not in LAYERS:
        return f"'{layer}' is not a layer"
    if target not in LAYERS:
        return f'"{header}" is in no layer'
    if LAYERS.index(target) > LAYERS.index(layer):
        return f'{layer} may not look up to {target} ("{header}")'
    return None


def check_own_header(tree):
    """A file with a header of its own includes it first, so that the header stands alone."""
    names = {str(source.path) for source in tree.sources}
    for source in tree.c_files():
        if source.path.parts[0] != 'src' or source.path.suffix != '.c':
            continue
        own = source.path.with_suffix('.h')
        found = csource.includes(source.lines)
        wanted = '/'.join(own.parts[1:])
        if str(own) in names and found and found[0][1] != wanted:
            yield source.path, found[0][0], f'the first include is not its own "{wanted}"'


def check_include_path(tree):
    """Nothing of src/ is compiled with its own directory on the include path."""
    # A call with the calls in its arguments, two deep.
    target = re.compile(r'\b(?:static_library|executable)\('
                        r'(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)')
    for source in tree.sources:
        if source.path.name != 'meson.build' or source.path.parts[0] not in ('src', 'qapi'):
            continue
        for match in target.finditer(source.text):
            if 'kwargs: layer' not in match.group(0):
                line = source.text.count('\n', 0, match.start()) + 1
                yield source.path, line, "its own directory hides system headers: 'kwargs: layer'"


def check_length(tree):
    """Files and functions stay short, and blocks flat."""
    for source in tree.sources:
        if len(source.lines) > FILE_LINES and source.path.suffix != '.md':
            yield source.path, 1, f'{len(source.lines)} lines are more than {FILE_LINES}'
        if not source.is_c:
            continue
        for function in csource.functions(source.text):
            if function.length > FUNCTION_LINES:
                yield (source.path, function.line,
                       f'{function.name}: {function.length} lines are more than {FUNCTION_LINES}')
            if function.depth > NESTING:
                yield (source.path, function.line,
                       f'{function.name}: {function.depth} levels of nesting are more than {NESTING}')


def check_calls(tree):
    """Calls that have no place in the product."""
    pattern = re.compile(r'(?<![\w.>])(' + '|'.join(FORBIDDEN_CALLS) + r')\s*\(')
    for source in tree.c_files():
        if source.path.parts[0] != 'src':
            continue
        for number, line in enumerate(csource.code(source.text).splitlines(), 1):
            for match in pattern.finditer(line):
                name = match.group(1)
                yield source.path, number, f'{name}() is not used here: {FORBIDDEN_CALLS[name]}'
            if re.search(r'\bgoto\b', line):
                yield source.path, number, 'goto is not used here: let the types clean up'


def check_licence(tree):
    """Every source file names its licence."""
    for source in tree.sources:
        head = '\n'.join(source.lines[:3])
        if source.is_source and 'SPDX-License-Identifier: Apache-2.0' not in head:
            yield source.path, 1, 'no SPDX-License-Identifier in the first three lines'


def check_space(tree):
    """No trailing space, no carriage return, no tab outside Makefiles, a newline at the end."""
    for source in tree.sources:
        is_makefile = (source.path.name == 'Makefile'
                       or source.text.startswith('#!/usr/bin/make'))
        for number, line in enumerate(source.text.split('\n'), 1):
            if line != line.rstrip():
                yield source.path, number, 'space or carriage return at the end of the line'
            elif '\t' in line and not is_makefile:
                yield source.path, number, 'a tab'
        if source.text and not source.text.endswith('\n'):
            yield source.path, len(source.lines), 'no newline at the end of the file'


def check_unfinished(tree):
    """Nothing is left for later."""
    # Written so that this file does not find itself.
    pattern = re.compile(r'\b(T[O]DO|F[I]XME|X[X]X|HA[C]K)\b')
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match:
                yield source.path, number, f'unfinished: {match.group(1)}'


def check_paths(tree):
    """No path of the machine on which something was written."""
    pattern = re.compile(r'(?<![\w.$}/-])/(home|root|work)/\w[\w./-]*')
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match:
                yield source.path, number, f'a path of one machine: {match.group(0)}'


def check_python(tree):
    """Python files compile."""
    for source in tree.sources:
        if not source.is_python:
            continue
        try:
            compile(source.text, str(source.path), 'exec')
        except SyntaxError as error:
            yield source.path, error.lineno, 'not Python: a syntax error'


def check_shell(tree):
    """shellcheck has nothing to say; templates are checked when rendered, by a unit test."""
    files = [str(source.path) for source in tree.sources
             if source.is_shell and source.path.suffix != '.in']
    output = tree.run('shellcheck', ['-f', 'gcc', *files]) if files else ''
    for line in output.splitlines():
        match = re.match(r'(.*?):(\d+):\d+: \w+: (.*)', line)
        if match:
            yield match.group(1), int(match.group(2)), match.group(3)


def check_format(tree):
    """C is written as clang-format 14 writes it (others differ in details)."""
    version = re.search(r'version (\d+)', tree.run('clang-format', ['--version']))
    if not version or version.group(1) != '14':
        raise MissingTool('clang-format is not version 14, whose output is the rule')
    files = [str(source.path) for source in tree.c_files()
             if source.path.parts[0] in ('src', 'tests')]
    output = tree.run('clang-format', ['--dry-run', *files]) if files else ''
    found = re.findall(r'^(.*?):(\d+):\d+: warning: code should be clang-formatted', output, re.M)
    for path, line in dict.fromkeys(found):
        yield path, int(line), "differs from what 'make fmt' writes"


def check_analysis(tree):
    """cppcheck finds no bug."""
    files = [str(source.path) for source in tree.c_files()
             if source.path.parts[0] == 'src' and source.path.suffix == '.c']
    output = tree.run('cppcheck', [*CPPCHECK, '-I', 'src', *files]) if files else ''
    for line in output.splitlines():
        match = re.match(r'(.+?):(\d+): (.*)', line)
        if match:
            yield match.group(1), int(match.group(2)), match.group(3)


CHECKS = {name[len('check_'):].replace('_', '-'): function
          for name, function in list(globals().items()) if name.startswith('check_')}


def findings(check, tree):
    """The findings of one check as text, in the order of files and lines."""
    found = [(str(path), line, text) for path, line, text in CHECKS[check](tree)]
    return [f'{path}:{line}: {text}' for path, line, text in sorted(found)]


def report_tap(checks, tree):
    print(f'1..{len(checks)}')
    for number, check in enumerate(checks, 1):
        summary = f'{number} - {check}: {CHECKS[check].__doc__.splitlines()[0]}'
        try:
            found = findings(check, tree)
        except MissingTool as error:
            print(f'ok {summary} # SKIP {error}')
            continue
        print(f'not ok {summary}' if found else f'ok {summary}')
        for line in found:
            print(f'# {line}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', type=pathlib.Path, default=ROOT)
    parser.add_argument('--tap', action='store_true', help='report every check as a test case')
    parser.add_argument('checks', nargs='*', metavar='CHECK', help=', '.join(CHECKS))
    options = parser.parse_args()
    unknown = [check for check in options.checks if check not in CHECKS]
    if unknown:
        parser.error(f"'{unknown[0]}' is not one of {', '.join(CHECKS)}")

    tree = Tree(options.root)
    checks = options.checks or list(CHECKS)
    if options.tap:
        report_tap(checks, tree)
        return
    found = [line for check in checks for line in findings(check, tree)]
    print('\n'.join(found), end='\n' if found else '')
    sys.exit(1 if found else 0)


if __name__ == '__main__':
    main()
