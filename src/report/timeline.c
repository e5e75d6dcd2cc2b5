/* SPDX-License-Identifier: Apache-2.0 */
#include "report/timeline.h"

#include "report/prose.h"
#include "report/text.h"
#include "report/width.h"
#include "report/xml.h"
#include "run/payload-result.h"

/* In pixels. Names, bars and durations have columns of their own, so that no text meets another. */
#define WIDTH         900
#define ROW_HEIGHT    22
#define NAME_LEFT     12
#define BARS_LEFT     190
#define BARS_RIGHT    800
#define TIME_RIGHT    (WIDTH - 12)
#define TITLE_BOTTOM  28
#define ROWS_TOP      44u
#define AXIS_HEIGHT   36
#define BAR_HEIGHT    14u
#define TITLE_COLUMNS 100

/* At most so many payloads: nobody looks at a picture of thousands. */
#define PAYLOADS_MAX 100

/* At most so many steps of the axis: the widest label needs a tenth of its width. */
#define STEPS_MAX 8

static const char style[] = "<style>\n"
                            ".page { fill: #ffffff }\n"
                            "text { font: 12px sans-serif; fill: #1f2328 }\n"
                            ".title { font-weight: bold; font-size: 14px }\n"
                            ".side { font-weight: bold }\n"
                            ".quiet { fill: #59636e }\n"
                            ".grid { stroke: #d1d9e0; stroke-width: 1 }\n"
                            ".host { fill: #0969da }\n"
                            ".guest { fill: #1a7f37 }\n"
                            "@media (prefers-color-scheme: dark) {\n"
                            ".page { fill: #0d1117 }\n"
                            "text { fill: #f0f6fc }\n"
                            ".quiet { fill: #9198a1 }\n"
                            ".grid { stroke: #3d444d }\n"
                            ".host { fill: #4493f8 }\n"
                            ".guest { fill: #3fb950 }\n"
                            "}\n"
                            "</style>\n";

typedef struct {
    GString *svg;
    gint64 total_us; /* at least 1 */
    guint row;
} Drawing;

/* Tenths of a pixel, in which no locale has a say. */
static gint64
position_of(const Drawing *self, gint64 time_us)
{
    gint64 clamped = CLAMP(time_us, 0, self->total_us);

    return 10 * BARS_LEFT + 10 * (BARS_RIGHT - BARS_LEFT) * clamped / self->total_us;
}

static guint
row_top(guint row)
{
    return ROWS_TOP + row * ROW_HEIGHT;
}

static void
append_text(Drawing *self, guint x, guint y, const char *attributes, const char *text)
{
    g_string_append_printf(self->svg, "<text x=\"%u\" y=\"%u\"%s>", x, y, attributes);
    mf_xml_append_escaped(self->svg, text);
    g_string_append(self->svg, "</text>\n");
}

static void
draw_heading(Drawing *self, const char *name)
{
    append_text(self, NAME_LEFT, row_top(self->row++) + 15, " class=\"side\"", name);
}

/* A bar with a duration; or, for what took none, a diamond with its time. */
static void
draw_row(Drawing *self, const MfMark *mark)
{
    guint top = row_top(self->row++);
    guint middle = top + ROW_HEIGHT / 2;
    gint64 left = position_of(self, mark->start_us);
    gint64 width = MAX(position_of(self, mark->end_us) - left, 10);
    gboolean moment = mark->start_us == mark->end_us;
    g_autofree char *duration =
        mf_prose_duration(moment ? mark->start_us : mark->end_us - mark->start_us);
    g_autofree char *time = moment ? g_strconcat("at ", duration, NULL) : g_strdup(duration);

    append_text(self, NAME_LEFT, top + 15, "", mark->name);
    if (moment)
        g_string_append_printf(self->svg,
                               "<path class=\"%s\" d=\"M%" G_GINT64_FORMAT ".%d %u"
                               "l5 5l-5 5l-5 -5z\"/>\n",
                               mf_mark_side_name(mark->side), left / 10, (int)(left % 10),
                               middle - 5);
    else
        g_string_append_printf(self->svg,
                               "<rect class=\"%s\" x=\"%" G_GINT64_FORMAT ".%d\" y=\"%u\" "
                               "width=\"%" G_GINT64_FORMAT ".%d\" height=\"%u\" rx=\"2\"/>\n",
                               mf_mark_side_name(mark->side), left / 10, (int)(left % 10),
                               middle - BAR_HEIGHT / 2, width / 10, (int)(width % 10), BAR_HEIGHT);
    append_text(self, TIME_RIGHT, top + 15, " class=\"quiet\" text-anchor=\"end\"", time);
}

/* 1, 2 or 5 of some power of ten: the least step of which no more than STEPS_MAX fit. */
static gint64
step_of(gint64 total_us)
{
    static const gint64 factors[] = {1, 2, 5};

    for (gint64 power = 1;; power *= 10)
        for (gsize i = 0; i < G_N_ELEMENTS(factors); i++)
            if (total_us / (power * factors[i]) <= STEPS_MAX)
                return power * factors[i];
}

static void
draw_axis(Drawing *self, guint rows)
{
    guint bottom = row_top(rows) + 4;
    gint64 step = MAX(step_of(self->total_us), 1000);

    for (gint64 time = 0; time <= self->total_us; time += step) {
        gint64 x = position_of(self, time);
        g_autofree char *label = mf_prose_duration(time);

        g_string_append_printf(self->svg,
                               "<path class=\"grid\" d=\"M%" G_GINT64_FORMAT ".%d %uV%u\"/>\n",
                               x / 10, (int)(x % 10), ROWS_TOP, bottom);
        append_text(self, (guint)(x / 10), bottom + 16, " class=\"quiet\" text-anchor=\"middle\"",
                    label);
    }
}

/* The phases as marks, in their order; then what was noted, by its start. */
static GArray *
rows_of(const MfResult *result, MfMarkSide side)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(MfMark));
    gint64 time = 0;

    for (MfPhase phase = 0; phase < MF_N_PHASES && side == MF_MARK_HOST; phase++) {
        MfMark mark = {mf_phase_name(phase), side, time, time + result->phase_us[phase]};

        time = mark.end_us;
        if (mark.end_us > mark.start_us)
            g_array_append_val(rows, mark);
    }
    guint phases = rows->len;
    for (guint i = 0; i < result->marks->len; i++) {
        MfMark mark = g_array_index(result->marks, MfMark, i);
        guint at = rows->len;

        if (mark.side != side)
            continue;
        while (at > phases && g_array_index(rows, MfMark, at - 1).start_us > mark.start_us)
            at--;
        g_array_insert_val(rows, at, mark);
    }
    return rows;
}

/* What the guest ran, by its start; 'names' (of char *) own the names of the rows. */
static void
add_payloads(GArray *rows, const MfResult *result, GPtrArray *names)
{
    guint count = result->payloads ? MIN(result->payloads->len, PAYLOADS_MAX) : 0;
    guint others = rows->len;
    gint64 first = 0;

    for (MfPhase phase = 0; phase < MF_PHASE_EXECUTE; phase++)
        first += result->phase_us[phase];
    for (guint i = 0; i < count; i++) {
        const MfPayloadResult *payload = g_ptr_array_index(result->payloads, i);
        gint64 start = first + payload->start_us;
        gint64 end = payload->ended ? start + payload->duration_us
                                    : first + result->phase_us[MF_PHASE_EXECUTE];
        g_autofree char *line = mf_text_clean_line(payload->name);
        MfMark mark = {mf_width_cut(line, MF_MARK_NAME_MAX), MF_MARK_GUEST, start, MAX(start, end)};
        guint at = rows->len;

        g_ptr_array_add(names, (gpointer)mark.name);
        while (at > others && g_array_index(rows, MfMark, at - 1).start_us > start)
            at--;
        g_array_insert_val(rows, at, mark);
    }
}

static gint64
end_of(const GArray *rows)
{
    gint64 end = 1;

    for (guint i = 0; i < rows->len; i++)
        end = MAX(end, g_array_index(rows, MfMark, i).end_us);
    return end;
}

static void
draw_side(Drawing *self, MfMarkSide side, const GArray *rows)
{
    if (rows->len == 0)
        return;
    draw_heading(self, mf_mark_side_name(side));
    for (guint i = 0; i < rows->len; i++)
        draw_row(self, &g_array_index(rows, MfMark, i));
}

static void
append_title(Drawing *self, const char *title)
{
    g_autofree char *line = mf_text_clean_line(title);
    g_autofree char *cut = mf_width_cut(line, TITLE_COLUMNS);
    g_autofree char *total = mf_prose_duration(self->total_us);

    g_string_append(self->svg, "<title>");
    mf_xml_append_escaped(self->svg, line);
    g_string_append_printf(self->svg, ", %s</title>\n", total);
    /* What is wider than its place is cut off there: nobody knows the font. */
    g_string_append_printf(self->svg, "<svg width=\"%d\" height=\"%u\">\n", BARS_RIGHT, ROWS_TOP);
    append_text(self, NAME_LEFT, TITLE_BOTTOM, " class=\"title\"", cut);
    g_string_append(self->svg, "</svg>\n");
    append_text(self, TIME_RIGHT, TITLE_BOTTOM, " class=\"title\" text-anchor=\"end\"", total);
}

char *
mf_timeline_to_svg(const char *title, const MfResult *result)
{
    g_autoptr(GArray) host = rows_of(result, MF_MARK_HOST);
    g_autoptr(GArray) guest = rows_of(result, MF_MARK_GUEST);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    add_payloads(guest, result, names);
    Drawing self = {g_string_new(NULL), MAX(end_of(host), end_of(guest)), 0};
    guint rows = host->len + guest->len + (host->len > 0) + (guest->len > 0);
    guint height = row_top(rows) + AXIS_HEIGHT;

    g_string_append_printf(self.svg,
                           "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" "
                           "height=\"%u\" viewBox=\"0 0 %d %u\">\n",
                           WIDTH, height, WIDTH, height);
    g_string_append(self.svg, style);
    g_string_append_printf(self.svg, "<rect class=\"page\" width=\"%d\" height=\"%u\"/>\n", WIDTH,
                           height);
    append_title(&self, title);
    draw_axis(&self, rows);
    draw_side(&self, MF_MARK_HOST, host);
    draw_side(&self, MF_MARK_GUEST, guest);
    g_string_append(self.svg, "</svg>\n");
    return g_string_free(self.svg, FALSE);
}
