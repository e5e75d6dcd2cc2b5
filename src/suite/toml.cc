// SPDX-License-Identifier: Apache-2.0
// The only C++ in mayfly: toml++ within, C on the outside. No exception is thrown (it is compiled
// without them), so none can reach a C caller.
#define TOML_EXCEPTIONS                 0
#define TOML_ENABLE_FORMATTERS          0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES          32

// toml++ 3.3 asserts what a text can violate: "[}" begins a key with a brace. Behind the assertion
// it has a check with a message, which is reached when assertions do nothing at all; with NDEBUG it
// would take them for granted instead.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <glib.h>
#include <json.h>
#include <toml++/toml.h>

// mayfly's own headers are C, and know of nothing else.
extern "C" {
#include "base/error.h"
#include "suite/toml.h"
}

static_assert(TOML_MAX_NESTED_VALUES == MF_TOML_DEPTH_MAX,
              "the parser's cap is the one we promise");

namespace
{

// Where a value of the tree comes from: the file's name is the same for all, so are all of a
// setting's.
struct Source {
    const char *file;        // interned; NULL for a setting
    const MfOrigin *setting; // NULL for a file
};

json_object *convert(const Source &source, const toml::node &node, const toml::key *key,
                     guint depth, GError **error);

bool
fail(GError **error, const Source &source, const toml::source_position &at, const char *sentence)
{
    MfOrigin origin = {MF_ORIGIN_FILE, source.file, at.line, at.column, 0, 0};
    g_autofree char *place = mf_origin_describe(source.setting ? source.setting : &origin);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "%s: %s", place, sentence);
    return false;
}

std::string
date_text(const toml::date &date)
{
    g_autofree char *text = g_strdup_printf("%04u-%02u-%02u", unsigned{date.year},
                                            unsigned{date.month}, unsigned{date.day});

    return text;
}

std::string
time_text(const toml::time &time)
{
    g_autofree char *text = g_strdup_printf("%02u:%02u:%02u", unsigned{time.hour},
                                            unsigned{time.minute}, unsigned{time.second});
    std::string result = text;

    if (time.nanosecond) {
        g_autofree char *fraction = g_strdup_printf(".%09u", unsigned{time.nanosecond});

        result += fraction;
        result.erase(result.find_last_not_of('0') + 1);
    }
    return result;
}

std::string
date_time_text(const toml::date_time &moment)
{
    std::string result = date_text(moment.date) + "T" + time_text(moment.time);

    if (!moment.offset)
        return result;
    if (moment.offset->minutes == 0)
        return result + "Z";

    int minutes = moment.offset->minutes;
    g_autofree char *offset = g_strdup_printf("%c%02d:%02d", minutes < 0 ? '-' : '+',
                                              ABS(minutes) / 60, ABS(minutes) % 60);
    return result + offset;
}

json_object *
new_string(std::string_view text)
{
    return json_object_new_string_len(text.data(), static_cast<int>(text.size()));
}

using Entry = std::pair<const toml::key *, const toml::node *>;

// The entries of a table in the order of the file, which the parser does not keep.
std::vector<Entry>
sort_entries(const toml::table &table)
{
    std::vector<Entry> entries;

    for (auto &&[key, node] : table)
        entries.emplace_back(&key, &node);
    std::sort(entries.begin(), entries.end(), [](const Entry &one, const Entry &other) {
        return one.first->source().begin < other.first->source().begin;
    });
    return entries;
}

json_object *
convert_table(const Source &source, const toml::table &table, guint depth, GError **error)
{
    json_object *object = json_object_new_object();

    for (auto &&[key, node] : sort_entries(table)) {
        std::string name(key->str());
        json_object *value = nullptr;

        if (name.find('\0') != std::string::npos)
            fail(error, source, key->source().begin, "A key with a NUL character has no meaning.");
        else
            value = convert(source, *node, key, depth + 1, error);
        if (!value) {
            json_object_put(object);
            return nullptr;
        }
        json_object_object_add(object, name.c_str(), value);
    }
    return object;
}

json_object *
convert_array(const Source &source, const toml::array &array, guint depth, GError **error)
{
    json_object *result = json_object_new_array();

    for (auto &&node : array) {
        json_object *value = convert(source, node, nullptr, depth + 1, error);
        if (!value) {
            json_object_put(result);
            return nullptr;
        }
        json_object_array_add(result, value);
    }
    return result;
}

json_object *
convert_bare(const Source &source, const toml::node &node, guint depth, GError **error)
{
    switch (node.type()) {
    case toml::node_type::table:
        return convert_table(source, *node.as_table(), depth, error);
    case toml::node_type::array:
        return convert_array(source, *node.as_array(), depth, error);
    case toml::node_type::string:
        return new_string(node.as_string()->get());
    case toml::node_type::integer:
        return json_object_new_int64(node.as_integer()->get());
    case toml::node_type::floating_point:
        return json_object_new_double(node.as_floating_point()->get());
    case toml::node_type::boolean:
        return json_object_new_boolean(node.as_boolean()->get());
    case toml::node_type::date:
        return new_string(date_text(node.as_date()->get()));
    case toml::node_type::time:
        return new_string(time_text(node.as_time()->get()));
    case toml::node_type::date_time:
        return new_string(date_time_text(node.as_date_time()->get()));
    case toml::node_type::none:
        break;
    }
    g_return_val_if_reached(nullptr);
}

// The value of 'node' with its origin; 'key' is nullptr for the element of an array.
json_object *
convert(const Source &source, const toml::node &node, const toml::key *key, guint depth,
        GError **error)
{
    const toml::source_position &at = node.source().begin;

    if (depth > MF_TOML_DEPTH_MAX) {
        g_autofree char *sentence =
            g_strdup_printf("Tables and arrays are nested more than %d deep.", MF_TOML_DEPTH_MAX);

        fail(error, source, at, sentence);
        return nullptr;
    }

    json_object *value = convert_bare(source, node, depth, error);
    if (!value)
        return nullptr;

    MfOrigin origin = {MF_ORIGIN_FILE, source.file, at.line, at.column, 0, 0};
    if (key) {
        origin.key_line = key->source().begin.line;
        origin.key_column = key->source().begin.column;
    }
    mf_origin_set(value, source.setting ? source.setting : &origin);
    return value;
}

std::string_view
line_of(std::string_view text, unsigned line)
{
    while (--line > 0)
        text.remove_prefix(text.find('\n') + 1);
    return text.substr(0, text.find_first_of("\r\n"));
}

void
skip_character(std::string_view &text)
{
    size_t size = static_cast<size_t>(g_utf8_skip[static_cast<guchar>(text.front())]);

    text.remove_prefix(MIN(size, text.size()));
}

// What was written at 'at' in the place of a value.
std::string
word_at(std::string_view text, const toml::source_position &at)
{
    std::string_view word = line_of(text, at.line);

    for (unsigned column = 1; column < at.column && !word.empty(); column++)
        skip_character(word);
    size_t length = 0;
    while (length < word.size() && g_ascii_iscntrl(word[length]) == 0 &&
           !std::strchr(" ,]}#", word[length]))
        length++;
    return std::string(word.substr(0, length));
}

// The same key twice, the second time with a value at 'value': that is where the parser is, but
// people look for the key.
bool
fail_twice(GError **error, const Source &source, std::string_view text,
           const toml::source_position &value)
{
    toml::source_position at = value;
    std::string_view rest = line_of(text, value.line), key = rest;
    bool between = true;
    char quote = '\0';

    for (unsigned column = 1; column < value.column && !rest.empty(); column++) {
        char c = rest.front();

        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '{' || c == ',') {
            between = true;
        } else if (between && c != ' ' && c != '\t') {
            at.column = column;
            key = rest;
            between = false;
        }
        if (quote == '\0' && (c == '"' || c == '\''))
            quote = c;
        skip_character(rest);
    }
    key.remove_suffix(rest.size());
    key = key.substr(0, key.find_last_not_of(" \t=") + 1);

    std::string sentence = "The key '" + std::string(key) + "' is there already.";
    return fail(error, source, at, sentence.c_str());
}

bool
fail_parse(GError **error, const Source &source, std::string_view text,
           const toml::parse_error &cause)
{
    std::string sentence(cause.description());
    toml::source_position at = cause.source().begin;

    if (sentence.find("pair: cannot redefine existing") != std::string::npos &&
        sentence.back() == '\'')
        return fail_twice(error, source, text, at);
    // "Error while parsing string: expected ..." says the same without its beginning.
    if (size_t colon = sentence.find(": ");
        colon != std::string::npos && sentence.rfind("Error while", 0) == 0)
        sentence.erase(0, colon + 2);
    if (sentence.rfind("unescaped control", 0) == 0)
        sentence = "a string ends on its line, and has no control characters";
    if (sentence.rfind("could not determine", 0) == 0)
        sentence = "'" + word_at(text, at) + "' is no value (a text is written in quotes)";
    if (sentence.rfind("expected digit, saw", 0) == 0)
        sentence += " (a text is written in quotes)";
    // It may quote what it saw: a NUL would end the sentence, and the others reach a terminal.
    std::replace_if(
        sentence.begin(), sentence.end(),
        [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
    sentence = "This is not TOML 1.0: " + sentence + ".";
    return fail(error, source, at, sentence.c_str());
}

// The position of 'offset', as the parser counts.
toml::source_position
position_of(const char *text, size_t offset)
{
    toml::source_position at = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            at = {at.line + 1, 1};
        else if ((text[i] & 0xC0) != 0x80)
            at.column++;
    }
    return at;
}

bool
check_caps(GError **error, const Source &source, std::string_view text)
{
    gsize offset;

    if (text.size() > MF_TOML_SIZE_MAX) {
        g_autofree char *sentence =
            g_strdup_printf("The text has %zu bytes, which is more than the %u that are read.",
                            text.size(), MF_TOML_SIZE_MAX);

        return fail(error, source, {1, 1}, sentence);
    }
    if (mf_toml_find_long_key(text.data(), text.size(), &offset)) {
        g_autofree char *sentence =
            g_strdup_printf("A key has more than %d parts.", MF_TOML_DEPTH_MAX);

        return fail(error, source, position_of(text.data(), offset), sentence);
    }
    return true;
}

// Whether 'table' is one "key = value", the key dotted or not.
bool
is_one_setting(const toml::table &table)
{
    const toml::table *at = &table;

    while (at && !at->is_inline() && at->size() == 1)
        at = at->cbegin()->second.as_table();
    return !at || at->is_inline();
}

json_object *
parse(const Source &source, std::string_view text, GError **error)
{
    if (!check_caps(error, source, text))
        return nullptr;

    toml::parse_result result = toml::parse(text);
    if (!result) {
        fail_parse(error, source, text, result.error());
        return nullptr;
    }
    if (source.setting && !is_one_setting(result.table())) {
        fail(error, source, {1, 1}, "Expected one KEY=VALUE with a value of TOML.");
        return nullptr;
    }
    return convert(source, result.table(), nullptr, 1, error);
}

} // namespace

json_object *
mf_toml_parse(const char *text, gsize size, const char *file, GError **error)
{
    return parse({g_intern_string(file), nullptr}, {text, size}, error);
}

json_object *
mf_toml_parse_setting(const char *text, const MfOrigin *origin, GError **error)
{
    return parse({nullptr, origin}, {text, strlen(text)}, error);
}
