# SPDX-License-Identifier: Apache-2.0
"""A validator for the part of JSON Schema (draft 2020-12) that mayfly's own schemas use.

A keyword that it does not know is an error, so that no rule of a schema goes unchecked.
"""

import re

TYPES = {
    'object': dict,
    'array': list,
    'string': str,
    'integer': int,
    'number': (int, float),
    'boolean': bool,
    'null': type(None),
}

ANNOTATIONS = {'$schema', '$defs', 'title', 'description'}


class Invalid(Exception):
    """What is wrong, and where in the document."""


def _is(value, name):
    # Python's True is an int; JSON's true is not.
    if isinstance(value, bool):
        return name == 'boolean'
    return isinstance(value, TYPES[name])


class Schema:
    """A schema, read from JSON."""

    def __init__(self, document):
        self.document = document

    def validate(self, value):
        """Raises Invalid for the first rule that 'value' breaks."""
        self._check(value, self.document, '$')

    def _resolve(self, reference):
        node = self.document
        for name in reference.removeprefix('#/').split('/'):
            node = node[name]
        return node

    def _check(self, value, rules, place):
        for keyword, rule in rules.items():
            if keyword in ANNOTATIONS:
                continue
            check = getattr(self, '_check_' + keyword.replace('$', ''), None)
            if check is None:
                raise NotImplementedError(f'the keyword {keyword} of the schema')
            check(value, rule, place, rules)

    def _check_ref(self, value, reference, place, _rules):
        self._check(value, self._resolve(reference), place)

    def _check_type(self, value, names, place, _rules):
        names = names if isinstance(names, list) else [names]
        if not any(_is(value, name) for name in names):
            raise Invalid(f'{place}: {value!r} is not of type {" or ".join(names)}')

    def _check_const(self, value, constant, place, _rules):
        if value != constant or isinstance(value, bool) != isinstance(constant, bool):
            raise Invalid(f'{place}: {value!r} is not {constant!r}')

    def _check_enum(self, value, values, place, _rules):
        if value not in values:
            raise Invalid(f'{place}: {value!r} is not one of {values}')

    def _check_minimum(self, value, limit, place, _rules):
        if _is(value, 'integer') and value < limit:
            raise Invalid(f'{place}: {value} is less than {limit}')

    def _check_maximum(self, value, limit, place, _rules):
        if _is(value, 'integer') and value > limit:
            raise Invalid(f'{place}: {value} is more than {limit}')

    def _check_pattern(self, value, pattern, place, _rules):
        if isinstance(value, str) and not re.search(pattern, value):
            raise Invalid(f'{place}: {value!r} does not match {pattern}')

    def _check_items(self, value, rules, place, _rules):
        if isinstance(value, list):
            for index, element in enumerate(value):
                self._check(element, rules, f'{place}[{index}]')

    def _check_required(self, value, names, place, _rules):
        for name in names:
            if isinstance(value, dict) and name not in value:
                raise Invalid(f"{place}: there is no '{name}'")

    def _check_properties(self, value, properties, place, _rules):
        if isinstance(value, dict):
            for name in value.keys() & properties.keys():
                self._check(value[name], properties[name], f'{place}.{name}')

    def _check_additionalProperties(self, value, allowed, place, rules):
        if allowed is not False:
            raise NotImplementedError('additionalProperties that are not false')
        for name in value.keys() - rules['properties'].keys() if isinstance(value, dict) else ():
            raise Invalid(f"{place}: there is no such member as '{name}'")

    def _check_oneOf(self, value, alternatives, place, _rules):
        problems = []
        for rules in alternatives:
            try:
                self._check(value, rules, place)
            except Invalid as problem:
                problems.append(str(problem))
        if len(alternatives) - len(problems) != 1:
            raise Invalid(f'{place}: not exactly one of the alternatives: {"; ".join(problems)}')
