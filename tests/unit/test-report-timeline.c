/* SPDX-License-Identifier: Apache-2.0 */
#include "report/timeline.h"

#include <string.h>

#include "golden.h"
#include "run/payload-result.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

static MfResult *
make_result(void)
{
    MfResult *result = mf_result_new();

    result->phase_us[MF_PHASE_RESOLVE] = 4200;
    result->phase_us[MF_PHASE_LAUNCH] = 95000;
    result->phase_us[MF_PHASE_BOOT] = 8 * SECOND;
    result->phase_us[MF_PHASE_SETUP] = 310000;
    result->phase_us[MF_PHASE_EXECUTE] = 2 * SECOND;
    result->phase_us[MF_PHASE_STOP] = 120000;
    mf_result_add_mark(result, MF_MARK_GUEST, "initramfs", 7 * SECOND, 8 * SECOND);
    mf_result_add_mark(result, MF_MARK_GUEST, "kernel", 900000, 7 * SECOND);
    mf_result_add_mark(result, MF_MARK_HOST, "QEMU launched", 5000, 5000);
    mf_result_add_mark(result, MF_MARK_GUEST, "ready", 8 * SECOND, 8 * SECOND);
    return result;
}

static void
add_payload(MfResult *result, const char *name, gint64 start_us, gint64 duration_us)
{
    MfPayloadResult *payload = mf_payload_result_new(name, result->payloads->len, 0);

    payload->start_us = start_us;
    payload->duration_us = duration_us;
    payload->ended = duration_us > 0;
    g_ptr_array_add(result->payloads, payload);
}

/* In the order in which they ended, which is not that of the rows. */
static void
add_payloads(MfResult *result)
{
    result->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_result_free);
    add_payload(result, "fio", SECOND / 2, SECOND);
    add_payload(result, "<hog> with a name that is too long to fit", SECOND / 4, 3 * SECOND / 2);
    add_payload(result, "left over", 0, 0);
}

static void
test_phases_and_marks_are_on_one_axis(void)
{
    g_autoptr(MfResult) result = make_result();

    add_payloads(result);
    g_autofree char *svg = mf_timeline_to_svg("make \"check\" <all> & more", result);

    golden_assert("report-timeline.svg", svg);
}

/* The number behind 'name="'. */
static double
number_of(const char *element, const char *name)
{
    g_autofree char *pattern = g_strdup_printf(" %s=\"", name);
    const char *found = strstr(element, pattern);

    g_assert_nonnull(found);
    return g_ascii_strtod(found + strlen(pattern), NULL);
}

/* The columns of names, bars and durations do not meet as long as a name is not longer than the
 * names there are; within a column each text has a height of its own, on the axis a width. */
static void
assert_no_overlap(const char *svg)
{
    g_auto(GStrv) lines = g_strsplit(svg, "\n", 0);
    double last_name = 0, last_time = 0, last_tick = 0;

    for (char **line = lines; *line; line++) {
        if (!g_str_has_prefix(*line, "<text"))
            continue;
        double x = number_of(*line, "x");
        double y = number_of(*line, "y");
        const char *text = strchr(*line, '>') + 1;

        if (strstr(*line, "\"middle\"")) {
            g_assert_true(last_tick == 0 || x - last_tick >= 60);
            last_tick = x;
            g_assert_cmpfloat(x, <=, 800);
            continue;
        }
        double *last = strstr(*line, "\"end\"") ? &last_time : &last_name;
        g_assert_cmpfloat(y - *last, >=, 14);
        *last = y;
        if (last == &last_name && !strstr(*line, "title"))
            g_assert_cmpuint(strcspn(text, "<"), <=, 24);
    }
}

static void
test_no_text_overlaps_at_any_scale(void)
{
    static const gint64 scales[] = {
        0,           1,           999,           12345,          SECOND, 7 * SECOND + 1,
        59 * SECOND, 61 * SECOND, 3599 * SECOND, 86400 * SECOND,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(scales); i++) {
        g_autoptr(MfResult) result = mf_result_new();

        for (MfPhase phase = 0; phase < MF_N_PHASES; phase++)
            result->phase_us[phase] = scales[i] / MF_N_PHASES;
        mf_result_add_mark(result, MF_MARK_GUEST, "first console output", 0, 0);
        mf_result_add_mark(result, MF_MARK_GUEST, "kernel", 0, scales[i]);
        g_autofree char *svg = mf_timeline_to_svg("x", result);
        assert_no_overlap(svg);
    }
}

static void
test_a_long_title_ends_before_the_total(void)
{
    g_autoptr(MfResult) result = make_result();
    g_autofree char *title = g_strnfill(300, 'W');
    g_autofree char *shown = g_strnfill(100, 'W');
    g_autofree char *svg = mf_timeline_to_svg(title, result);
    g_autofree char *clipped = g_strdup_printf("<svg width=\"800\" height=\"44\">\n"
                                               "<text x=\"12\" y=\"28\" class=\"title\">%s</text>\n"
                                               "</svg>\n",
                                               shown);

    g_assert_nonnull(strstr(svg, clipped));
}

static void
test_a_mark_outside_of_the_run_stays_in_the_picture(void)
{
    g_autoptr(MfResult) result = mf_result_new();

    mf_result_add_mark(result, MF_MARK_GUEST, "kernel", -5 * SECOND, 2 * SECOND);
    g_autofree char *svg = mf_timeline_to_svg("x", result);
    const char *bar = strstr(svg, "<rect class=\"guest\"");
    g_assert_nonnull(bar);
    g_assert_cmpfloat(number_of(bar, "x"), ==, 190);
    g_assert_cmpfloat(number_of(bar, "width"), ==, 610);
}

static void
test_a_run_that_never_began_has_a_picture_too(void)
{
    g_autoptr(MfResult) result = mf_result_new();
    g_autofree char *svg = mf_timeline_to_svg("", result);

    g_assert_true(g_str_has_prefix(svg, "<svg xmlns="));
    g_assert_true(g_str_has_suffix(svg, "</svg>\n"));
}

static void
test_the_picture_needs_no_other_file(void)
{
    g_autoptr(MfResult) result = make_result();
    g_autofree char *svg = mf_timeline_to_svg("x", result);

    g_assert_null(strstr(svg, "href"));
    g_assert_null(strstr(svg, "url("));
    g_assert_null(strstr(svg, "<script"));
    g_assert_nonnull(strstr(svg, "prefers-color-scheme: dark"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-timeline/phases-and-marks-are-on-one-axis",
                    test_phases_and_marks_are_on_one_axis);
    g_test_add_func("/report-timeline/no-text-overlaps-at-any-scale",
                    test_no_text_overlaps_at_any_scale);
    g_test_add_func("/report-timeline/a-long-title-ends-before-the-total",
                    test_a_long_title_ends_before_the_total);
    g_test_add_func("/report-timeline/a-mark-outside-of-the-run-stays-in-the-picture",
                    test_a_mark_outside_of_the_run_stays_in_the_picture);
    g_test_add_func("/report-timeline/a-run-that-never-began-has-a-picture-too",
                    test_a_run_that_never_began_has_a_picture_too);
    g_test_add_func("/report-timeline/the-picture-needs-no-other-file",
                    test_the_picture_needs_no_other_file);
    return g_test_run();
}
