/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json-type.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

/* Types as the generator describes them, with every kind and form. */

typedef enum { COLOUR_UNKNOWN = MF_JSON_UNKNOWN, COLOUR_RED, COLOUR_GREEN } Colour;

static const char *const colour_names[] = {[COLOUR_RED] = "red", [COLOUR_GREEN] = "green"};

static const MfJsonType colour_type = {
    .kind = MF_JSON_ENUM,
    .size = sizeof(Colour),
    .values = colour_names,
    .n_values = G_N_ELEMENTS(colour_names),
};

typedef struct {
    gint64 x;
} Point;

static void point_free(Point *self);

static const MfJsonMember point_members[] = {
    {"x", &mf_json_type_int64, MF_JSON_SINGLE, offsetof(Point, x)},
};

static const MfJsonType point_type = {
    .kind = MF_JSON_STRUCT,
    .size = sizeof(Point),
    .members = point_members,
    .n_members = G_N_ELEMENTS(point_members),
    .free_func = (GDestroyNotify)point_free,
};

static void
point_free(Point *self)
{
    mf_json_type_free(&point_type, self);
}

typedef struct {
    enum { MARK_FLAG, MARK_COLOUR, MARK_COUNT, MARK_POINT, MARK_LIST } kind;
    union {
        gboolean flag;
        Colour colour;
        guint64 count;
        Point *point;
        char **list;
    };
} Mark;

static void mark_free(Mark *self);

static const MfJsonMember mark_members[] = {
    {"flag", &mf_json_type_bool, MF_JSON_SINGLE, offsetof(Mark, flag)},
    {"colour", &colour_type, MF_JSON_SINGLE, offsetof(Mark, colour)},
    {"count", &mf_json_type_uint64, MF_JSON_SINGLE, offsetof(Mark, count)},
    {"point", &point_type, MF_JSON_SINGLE, offsetof(Mark, point)},
    {"list", &mf_json_type_string, MF_JSON_ARRAY, offsetof(Mark, list)},
};

static const MfJsonType mark_type = {
    .kind = MF_JSON_ALTERNATE,
    .size = sizeof(Mark),
    .members = mark_members,
    .n_members = G_N_ELEMENTS(mark_members),
    .free_func = (GDestroyNotify)mark_free,
};

static void
mark_free(Mark *self)
{
    mf_json_type_free(&mark_type, self);
}

typedef struct {
    gboolean has_flag;
    gboolean flag;
    guint64 count;
    double ratio;
    char *text;
    json_object *any;
    gboolean has_colour;
    Colour colour;
    Point *point;
    Mark *mark;
    char **texts;
    GPtrArray *points;
    GArray *numbers;
    GArray *colours;
    GPtrArray *anys;
} Picture;

static void picture_free(Picture *self);

#define MEMBER(name, type, form)                                                                   \
    {                                                                                              \
#name, type, form, offsetof(Picture, name)                                                 \
    }

static const MfJsonMember picture_members[] = {
    {"flag", &mf_json_type_bool, MF_JSON_OPTIONAL, offsetof(Picture, flag),
     offsetof(Picture, has_flag)},
    MEMBER(count, &mf_json_type_uint64, MF_JSON_SINGLE),
    MEMBER(ratio, &mf_json_type_number, MF_JSON_SINGLE),
    MEMBER(text, &mf_json_type_string, MF_JSON_OPTIONAL),
    MEMBER(any, &mf_json_type_any, MF_JSON_OPTIONAL),
    {"colour", &colour_type, MF_JSON_OPTIONAL, offsetof(Picture, colour),
     offsetof(Picture, has_colour)},
    MEMBER(point, &point_type, MF_JSON_OPTIONAL),
    MEMBER(mark, &mark_type, MF_JSON_OPTIONAL),
    MEMBER(texts, &mf_json_type_string, MF_JSON_OPTIONAL_ARRAY),
    MEMBER(points, &point_type, MF_JSON_OPTIONAL_ARRAY),
    MEMBER(numbers, &mf_json_type_int64, MF_JSON_OPTIONAL_ARRAY),
    MEMBER(colours, &colour_type, MF_JSON_OPTIONAL_ARRAY),
    MEMBER(anys, &mf_json_type_any, MF_JSON_OPTIONAL_ARRAY),
};

static const MfJsonType picture_type = {
    .kind = MF_JSON_STRUCT,
    .size = sizeof(Picture),
    .members = picture_members,
    .n_members = G_N_ELEMENTS(picture_members),
    .free_func = (GDestroyNotify)picture_free,
};

static void
picture_free(Picture *self)
{
    mf_json_type_free(&picture_type, self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

static Picture *
read_picture(const char *text, GError **error)
{
    g_autoptr(json_object) value = json_tokener_parse(text);
    MfJson json = mf_json_top(value, "the picture");
    Picture *self = NULL;

    g_assert_nonnull(value);
    g_assert_cmpint(mf_json_type_read(&picture_type, MF_JSON_SINGLE, &json, &self, error), ==,
                    self != NULL);
    return self;
}

static char *
build_text(const MfJsonType *type, gconstpointer self)
{
    g_autoptr(json_object) value = mf_json_type_build(type, self);

    return g_strdup(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

static const char full[] =
    "{\"flag\":false,\"count\":18446744073709551615,\"ratio\":2.5,\"text\":\"a\\nb\","
    "\"any\":{\"free\":[null]},\"colour\":\"green\",\"point\":{\"x\":-7},\"mark\":true,"
    "\"texts\":[\"\",\"b\"],\"points\":[{\"x\":1},{\"x\":2}],\"numbers\":[-1,9],"
    "\"colours\":[\"red\",\"green\"],\"anys\":[1,null,\"x\"]}";

static void
test_every_kind_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Picture) picture = read_picture(full, &error);

    g_assert_no_error(error);
    g_assert_true(picture->has_flag);
    g_assert_false(picture->flag);
    g_assert_cmpuint(picture->count, ==, G_MAXUINT64);
    g_assert_cmpfloat(picture->ratio, ==, 2.5);
    g_assert_cmpstr(picture->text, ==, "a\nb");
    g_assert_true(json_object_is_type(picture->any, json_type_object));
    g_assert_true(picture->has_colour);
    g_assert_cmpint(picture->colour, ==, COLOUR_GREEN);
    g_assert_cmpint(picture->point->x, ==, -7);
    g_assert_cmpint(picture->mark->kind, ==, MARK_FLAG);
    g_assert_true(picture->mark->flag);
    g_assert_cmpuint(g_strv_length(picture->texts), ==, 2);
    g_assert_cmpstr(picture->texts[1], ==, "b");
    g_assert_cmpuint(picture->points->len, ==, 2);
    g_assert_cmpint(((Point *)picture->points->pdata[1])->x, ==, 2);
    g_assert_cmpuint(picture->numbers->len, ==, 2);
    g_assert_cmpint(g_array_index(picture->numbers, gint64, 0), ==, -1);
    g_assert_cmpint(g_array_index(picture->colours, Colour, 1), ==, COLOUR_GREEN);
    g_assert_cmpuint(picture->anys->len, ==, 3);
    g_assert_null(picture->anys->pdata[1]);
}

static void
test_what_was_read_is_built_again(void)
{
    g_autoptr(Picture) picture = read_picture(full, NULL);
    g_autofree char *text = build_text(&picture_type, picture);

    g_assert_cmpstr(text, ==, full);
}

static void
test_absent_optional_members_stay_absent(void)
{
    static const char sparse[] = "{\"count\":0,\"ratio\":1.0}";
    g_autoptr(Picture) picture = read_picture(sparse, NULL);

    g_assert_false(picture->has_flag);
    g_assert_false(picture->has_colour);
    g_assert_null(picture->text);
    g_assert_null(picture->texts);
    g_assert_null(picture->points);

    g_autofree char *text = build_text(&picture_type, picture);
    g_assert_cmpstr(text, ==, sparse);
}

static void
test_unknown_members_are_ignored(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Picture) picture = read_picture("{\"new\": {}, \"count\": 1, \"ratio\": 1}", &error);

    g_assert_no_error(error);
    g_assert_cmpuint(picture->count, ==, 1);
}

static void
test_an_unknown_name_is_an_unknown_value(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Picture) picture =
        read_picture("{\"count\": 1, \"ratio\": 1, \"colour\": \"mauve\"}", &error);

    g_assert_no_error(error);
    g_assert_true(picture->has_colour);
    g_assert_cmpint(picture->colour, ==, COLOUR_UNKNOWN);
}

static void
test_names_and_values_translate_both_ways(void)
{
    g_assert_cmpstr(mf_json_type_name_value(&colour_type, COLOUR_RED), ==, "red");
    g_assert_cmpstr(mf_json_type_name_value(&colour_type, COLOUR_UNKNOWN), ==, "unknown");
    g_assert_cmpstr(mf_json_type_name_value(&colour_type, 99), ==, "unknown");
    g_assert_cmpint(mf_json_type_find_value(&colour_type, "green"), ==, COLOUR_GREEN);
    g_assert_cmpint(mf_json_type_find_value(&colour_type, "Green"), ==, COLOUR_UNKNOWN);
    g_assert_cmpint(mf_json_type_find_value(&colour_type, "unknown"), ==, COLOUR_UNKNOWN);
    g_assert_cmpint(mf_json_type_find_value(&colour_type, NULL), ==, COLOUR_UNKNOWN);
}

static void
test_a_wrong_member_fails_the_whole_with_its_name(void)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"[]", "In place of the picture came an array, but an object is expected."},
        {"{\"ratio\": 1}", "In the picture, member 'count' is missing."},
        {"{\"count\": -1, \"ratio\": 1}",
         "In the picture, member 'count' is the number -1, but an integer from 0 to "
         "18446744073709551615 is expected."},
        {"{\"count\": 1, \"ratio\": \"1\"}",
         "In the picture, member 'ratio' is the string '1', but a number is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"flag\": 0}",
         "In the picture, member 'flag' is the number 0, but true or false is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"text\": null}",
         "In the picture, member 'text' is null, but a string is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"colour\": 1}",
         "In the picture, member 'colour' is the number 1, but a string is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"texts\": \"a\"}",
         "In the picture, member 'texts' is the string 'a', but an array is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"texts\": [\"a\", 2]}",
         "In the picture, member 'texts[1]' is the number 2, but a string is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"points\": [{\"x\": 1}, {}]}",
         "In the picture, member 'points[1].x' is missing."},
        {"{\"count\": 1, \"ratio\": 1, \"colours\": [\"red\", {}]}",
         "In the picture, member 'colours[1]' is an object, but a string is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"mark\": null}",
         "In the picture, member 'mark' is null, but a 'flag' or a 'colour' or a 'count' or a "
         "'point' or a 'list' is expected."},
        {"{\"count\": 1, \"ratio\": 1, \"mark\": {\"x\": true}}",
         "In the picture, member 'mark.x' is true, but an integer from -9223372036854775808 to "
         "9223372036854775807 is expected."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_picture(bad[i].text, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
        g_assert_cmpstr(error->message, ==, bad[i].message);
    }
}

static void
test_an_alternate_takes_the_branch_of_the_json_type(void)
{
    static const struct {
        const char *text;
        int kind;
    } cases[] = {
        {"false", MARK_FLAG},      {"\"red\"", MARK_COLOUR}, {"5", MARK_COUNT},
        {"{\"x\":3}", MARK_POINT}, {"[\"a\"]", MARK_LIST},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text =
            g_strdup_printf("{\"count\":1,\"ratio\":1.0,\"mark\":%s}", cases[i].text);
        g_autoptr(Picture) picture = read_picture(text, &error);

        g_assert_no_error(error);
        g_assert_cmpint(picture->mark->kind, ==, cases[i].kind);

        g_autofree char *built = build_text(&picture_type, picture);
        g_assert_cmpstr(built, ==, text);
    }
}

static void
test_a_missing_array_is_built_empty(void)
{
    static const MfJsonMember members[] = {
        {"texts", &mf_json_type_string, MF_JSON_ARRAY, offsetof(Picture, texts)},
        {"points", &point_type, MF_JSON_ARRAY, offsetof(Picture, points)},
    };
    static const MfJsonType type = {
        .kind = MF_JSON_STRUCT, .members = members, .n_members = G_N_ELEMENTS(members)};
    Picture picture = {0};
    g_autofree char *text = build_text(&type, &picture);

    g_assert_cmpstr(text, ==, "{\"texts\":[],\"points\":[]}");
}

static void
test_freeing_nothing_is_fine(void)
{
    picture_free(NULL);
    picture_free(g_new0(Picture, 1));
    mark_free(NULL);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestFunc run;
    } tests[] = {
        {"every-kind-is-read", test_every_kind_is_read},
        {"what-was-read-is-built-again", test_what_was_read_is_built_again},
        {"absent-optional-members-stay-absent", test_absent_optional_members_stay_absent},
        {"unknown-members-are-ignored", test_unknown_members_are_ignored},
        {"an-unknown-name-is-an-unknown-value", test_an_unknown_name_is_an_unknown_value},
        {"names-and-values-translate-both-ways", test_names_and_values_translate_both_ways},
        {"a-wrong-member-fails-the-whole-with-its-name",
         test_a_wrong_member_fails_the_whole_with_its_name},
        {"an-alternate-takes-the-branch-of-the-json-type",
         test_an_alternate_takes_the_branch_of_the_json_type},
        {"a-missing-array-is-built-empty", test_a_missing_array_is_built_empty},
        {"freeing-nothing-is-fine", test_freeing_nothing_is_fine},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/json-type/", tests[i].name, NULL);

        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
