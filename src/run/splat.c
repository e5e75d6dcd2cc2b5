/* SPDX-License-Identifier: Apache-2.0 */
#include "run/splat.h"

#include <string.h>

/* Frames of the call trace that say where it happened, for the fingerprint. */
#define FINGERPRINT_FRAMES 4
#define FINGERPRINT_DIGITS 16

/* Behind its call trace an oops has its modules and registers once more, and then its end. */
#define LINES_AFTER_TRACE 40

/* A report is said at once: what comes this much later belongs to something else. Microseconds. */
#define REPORT_SPAN_US 2000000

/* How a kind's report begins: with these words, or with a line that has them somewhere. The first
 * that fits counts, so the special ones come first. */
static const struct {
    const char *words;
    MfSplatKind kind;
    gboolean inside;
} beginnings[] = {
    {"Kernel panic - not syncing", MF_SPLAT_PANIC, FALSE},
    {"BUG: KASAN:", MF_SPLAT_KASAN, FALSE},
    {"BUG: KMSAN:", MF_SPLAT_KASAN, FALSE},
    {"BUG: KFENCE:", MF_SPLAT_KFENCE, FALSE},
    {"BUG: KCSAN:", MF_SPLAT_KCSAN, FALSE},
    {"UBSAN: ", MF_SPLAT_UBSAN, FALSE},
    {"BUG: soft lockup", MF_SPLAT_SOFT_LOCKUP, TRUE},
    {"detected hard LOCKUP", MF_SPLAT_HARD_LOCKUP, TRUE},
    {"self-detected stall on CPU", MF_SPLAT_RCU_STALL, TRUE},
    {"detected stalls on CPUs/tasks", MF_SPLAT_RCU_STALL, TRUE},
    {"detected expedited stalls", MF_SPLAT_RCU_STALL, TRUE},
    {"INFO: task ", MF_SPLAT_HUNG_TASK, FALSE},
    {" invoked oom-killer:", MF_SPLAT_OOM, TRUE},
    {"WARNING: possible circular locking dependency", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: possible recursive locking", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: possible irq lock inversion", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: inconsistent lock state", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: suspicious RCU usage", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: bad unlock balance", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: lock held when returning", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: held lock freed", MF_SPLAT_LOCKDEP, FALSE},
    {"WARNING: Nested lock was not taken", MF_SPLAT_LOCKDEP, FALSE},
    {" lock order detected", MF_SPLAT_LOCKDEP, TRUE},
    {"BUG: Invalid wait context", MF_SPLAT_LOCKDEP, TRUE},
    {"DEBUG_LOCKS_WARN_ON", MF_SPLAT_LOCKDEP, FALSE},
    {"BUG: kernel NULL pointer dereference", MF_SPLAT_OOPS, FALSE},
    {"BUG: unable to handle", MF_SPLAT_OOPS, FALSE},
    {"Unable to handle kernel", MF_SPLAT_OOPS, FALSE},
    {"Internal error: ", MF_SPLAT_OOPS, FALSE},
    {"kernel BUG at ", MF_SPLAT_BUG, FALSE},
    {"BUG: ", MF_SPLAT_BUG, FALSE},
    {"WARNING: CPU: ", MF_SPLAT_WARNING, FALSE},
};

/* "general protection fault, ...: 0000 [#1] SMP": whatever the words are, the counter of deaths
 * behind them makes it an oops. */
#define DEATH_COUNTER " [#"

/* Where the processor was, in the kernel. */
#define RIP "RIP: 0010:"

/* Frames that every trace of its kind has: how it was reported, not where it happened. */
static const char *const reporters[] = {
    "dump_stack",
    "show_stack",
    "show_trace",
    "print_",
    "kasan_",
    "__asan_",
    "__ubsan_",
    "ubsan_",
    "kfence_",
    "kcsan_",
    "__warn",
    "warn_slowpath",
    "report_bug",
    "handle_bug",
    "exc_",
    "asm_exc_",
    "die",
    "__die",
    "oops_",
    "page_fault_",
    "no_context",
    "__bad_area",
    "panic",
    "lockdep_",
    "__lock_",
    "lock_acquire",
    "mark_lock",
    "check_noncircular",
    "validate_chain",
    "__might_",
    "sched_show_",
    "rcu_dump_",
    "nmi_",
    "trigger_",
};

struct _MfSplatScanner {
    GPtrArray *splats; /* owned; of MfSplat */
    MfSplat *open;     /* owned; the one whose lines are coming, or NULL */
    GString *lines;    /* owned; of the open one */
    GString *frames;   /* owned; the functions of its call trace */
    gint64 begun_us;   /* what the kernel's clock said at its first line, -1 without one */
    guint n_lines, n_frames, n_after_trace;
    gboolean after_delimiter; /* the last line was one */
    gboolean delimited;       /* it began behind a delimiter, and ends with one */
    gboolean in_trace, traced;
};

const char *
mf_splat_kind_name(MfSplatKind kind)
{
    static const char *const names[] = {
        [MF_SPLAT_PANIC] = "panic",
        [MF_SPLAT_OOPS] = "oops",
        [MF_SPLAT_BUG] = "bug",
        [MF_SPLAT_KASAN] = "kasan",
        [MF_SPLAT_KFENCE] = "kfence",
        [MF_SPLAT_KCSAN] = "kcsan",
        [MF_SPLAT_UBSAN] = "ubsan",
        [MF_SPLAT_LOCKDEP] = "lockdep",
        [MF_SPLAT_HARD_LOCKUP] = "hard-lockup",
        [MF_SPLAT_SOFT_LOCKUP] = "soft-lockup",
        [MF_SPLAT_RCU_STALL] = "rcu-stall",
        [MF_SPLAT_HUNG_TASK] = "hung-task",
        [MF_SPLAT_WARNING] = "warning",
        [MF_SPLAT_OOM] = "oom",
    };

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_SPLATS);
    return names[kind];
}

void
mf_splat_free(MfSplat *self)
{
    if (!self)
        return;
    g_free(self->title);
    g_free(self->report);
    g_free(self->fingerprint);
    g_free(self);
}

static GPtrArray *
make_list(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)mf_splat_free);
}

MfSplatScanner *
mf_splat_scanner_new(void)
{
    MfSplatScanner *self = g_new0(MfSplatScanner, 1);

    self->splats = make_list();
    self->lines = g_string_new(NULL);
    self->frames = g_string_new(NULL);
    return self;
}

void
mf_splat_scanner_free(MfSplatScanner *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->splats);
    mf_splat_free(self->open);
    g_string_free(self->lines, TRUE);
    g_string_free(self->frames, TRUE);
    g_free(self);
}

/* Skips "<4>", "[   12.345678]" and "[  T123]" in front of a kernel's message. *ret_us is the
 * clock's, -1 when the line has none. */
static const char *
skip_prefix(const char *line, gint64 *ret_us)
{
    const char *at = line;

    *ret_us = -1;
    if (*at == '<') {
        const char *end = strchr(at, '>');

        if (end && end - at <= 4)
            at = end + 1;
    }
    while (*at == '[') {
        const char *end = strchr(at, ']');
        const char *inside = at + 1 + strspn(at + 1, " ");

        if (!end || !(g_ascii_isdigit(*inside) ||
                      ((*inside == 'T' || *inside == 'C') && g_ascii_isdigit(inside[1]))))
            break;
        if (g_ascii_isdigit(*inside))
            *ret_us = (gint64)(g_ascii_strtod(inside, NULL) * 1e6);
        at = end + 1;
    }
    return at > line && *at == ' ' ? at + 1 : at;
}

/* "=====...": what stands around the reports of sanitizers and of lockdep. */
static gboolean
is_delimiter(const char *text)
{
    gsize length = strspn(text, "=");

    return length >= 20 && text[length] == '\0';
}

/* Later kernels put the place first: "WARNING: mm/slub.c:123 at kfree+0x1/0x2, CPU#0: x/1". */
static gboolean
is_warning_with_place(const char *text)
{
    const char *at = g_str_has_prefix(text, "WARNING: ") ? strstr(text, " at ") : NULL;
    const char *colon = at ? memrchr(text, ':', (gsize)(at - text)) : NULL;

    return colon && colon[1] != ' ' && at == colon + 1 + strspn(colon + 1, "0123456789");
}

static int
find_kind(const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(beginnings); i++) {
        gboolean fits = beginnings[i].inside ? strstr(text, beginnings[i].words) != NULL
                                             : g_str_has_prefix(text, beginnings[i].words);

        if (beginnings[i].kind == MF_SPLAT_HUNG_TASK)
            fits = fits && strstr(text, " blocked for more than ");
        if (fits)
            return (int)beginnings[i].kind;
    }
    if (is_warning_with_place(text))
        return MF_SPLAT_WARNING;
    return strstr(text, DEATH_COUNTER) ? MF_SPLAT_OOPS : -1;
}

/* Whether a line that could begin a report is only a part of the open one. */
static gboolean
is_part_of_open(const MfSplatScanner *self, int kind, const char *text)
{
    if (!self->open || kind < 0)
        return FALSE;
    /* An oops is announced, then counted; so is a BUG. */
    return kind == MF_SPLAT_OOPS && strstr(text, DEATH_COUNTER) != NULL && !self->traced &&
           self->open->kind != MF_SPLAT_WARNING;
}

/* The words without what differs from one time to the next: numbers, addresses, offsets. */
static void
append_stable(GString *stable, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (!g_ascii_isdigit(*at)) {
            g_string_append_c(stable, *at);
            continue;
        }
        gboolean hex = at[0] == '0' && at[1] == 'x';
        const char *digits = hex ? at + 2 : at;

        at = digits + strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") - 1;
        g_string_append_c(stable, '#');
    }
}

/* The function in " name+0x12/0x34 [module]" or "RIP: 0010:name+0x12/0x34"; NULL when the line is
 * no frame, or a doubtful one. */
static char *
get_frame(const char *text)
{
    gboolean pointer = g_str_has_prefix(text, RIP);
    const char *name = pointer ? text + strlen(RIP) : text + strspn(text, " ");
    const char *end = strstr(name, "+0x");

    if (name == text || *name == '?' || !end || memchr(name, ' ', (gsize)(end - name)))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(reporters); i++)
        if (g_str_has_prefix(name, reporters[i]))
            return NULL;
    return g_strndup(name, (gsize)(end - name));
}

static char *
make_fingerprint(const MfSplatScanner *self)
{
    g_autoptr(GString) stable = g_string_new(mf_splat_kind_name(self->open->kind));

    g_string_append_c(stable, '\n');
    append_stable(stable, self->open->title);
    g_string_append_c(stable, '\n');
    append_stable(stable, self->frames->str);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, stable->str, -1);
    sum[FINGERPRINT_DIGITS] = '\0';
    return sum;
}

static MfSplat *
find_same(const MfSplatScanner *self, const char *fingerprint)
{
    for (guint i = 0; i < self->splats->len; i++) {
        MfSplat *splat = g_ptr_array_index(self->splats, i);

        if (g_str_equal(splat->fingerprint, fingerprint))
            return splat;
    }
    return self->splats->len < MF_SPLATS_MAX
               ? NULL
               : g_ptr_array_index(self->splats, self->splats->len - 1);
}

void
mf_splat_scanner_finish(MfSplatScanner *self)
{
    MfSplat *splat = self->open;

    if (!splat)
        return;
    splat->fingerprint = make_fingerprint(self);
    splat->report = g_strndup(self->lines->str, self->lines->len);
    self->open = NULL;

    MfSplat *same = find_same(self, splat->fingerprint);
    if (same) {
        same->count++;
        mf_splat_free(splat);
    } else {
        g_ptr_array_add(self->splats, splat);
    }
}

static void
begin(MfSplatScanner *self, MfSplatKind kind, const char *text, gint64 time_us)
{
    mf_splat_scanner_finish(self);
    self->open = g_new0(MfSplat, 1);
    self->open->kind = kind;
    self->open->title = g_strdup(text);
    self->open->count = 1;
    self->begun_us = time_us;
    self->delimited = self->after_delimiter;
    self->in_trace = self->traced = FALSE;
    self->n_lines = self->n_frames = self->n_after_trace = 0;
    g_string_truncate(self->lines, 0);
    g_string_truncate(self->frames, 0);
}

static void
add_line(MfSplatScanner *self, const char *line, const char *text)
{
    gsize length = strlen(line);

    if (self->lines->len + length + 1 <= MF_SPLAT_REPORT_MAX)
        g_string_append_printf(self->lines, "%s%s", self->lines->len ? "\n" : "", line);
    self->n_lines++;
    if (g_ascii_strncasecmp(text, "Call Trace:", strlen("Call Trace:")) == 0) {
        self->in_trace = TRUE;
        return;
    }

    g_autofree char *frame = self->n_frames < FINGERPRINT_FRAMES ? get_frame(text) : NULL;
    if (frame) {
        g_string_append_printf(self->frames, "%s\n", frame);
        self->n_frames++;
    }
    if (self->in_trace && (*text != ' ' || strstr(text, "</TASK>"))) {
        self->in_trace = FALSE;
        self->traced = TRUE;
    }
}

/* Whether the report has all its lines with 'text', the last that was added. */
static gboolean
is_complete(MfSplatScanner *self, const char *text)
{
    if (self->n_lines >= MF_SPLAT_LINES_MAX || g_str_has_prefix(text, "---[ end "))
        return TRUE;
    if (self->delimited && is_delimiter(text))
        return TRUE;
    if (!self->traced || self->delimited)
        return FALSE;
    switch (self->open->kind) {
    case MF_SPLAT_PANIC:
    case MF_SPLAT_OOPS:
    case MF_SPLAT_BUG:
    case MF_SPLAT_WARNING:
        return ++self->n_after_trace >= LINES_AFTER_TRACE;
    default:
        return TRUE;
    }
}

int
mf_splat_scanner_feed(MfSplatScanner *self, const char *line)
{
    gint64 time_us;
    const char *text = skip_prefix(line, &time_us);
    int kind = find_kind(text);

    if (self->open && time_us >= 0 && self->begun_us >= 0 &&
        time_us - self->begun_us > REPORT_SPAN_US)
        mf_splat_scanner_finish(self);
    if (is_part_of_open(self, kind, text))
        kind = -1;
    if (kind >= 0)
        begin(self, (MfSplatKind)kind, text, time_us);
    self->after_delimiter = is_delimiter(text);
    if (self->open) {
        add_line(self, line, text);
        if (is_complete(self, text))
            mf_splat_scanner_finish(self);
    }
    return kind;
}

const GPtrArray *
mf_splat_scanner_get_splats(MfSplatScanner *self)
{
    return self->splats;
}

GPtrArray *
mf_splat_scanner_take_splats(MfSplatScanner *self)
{
    GPtrArray *splats = self->splats;

    self->splats = make_list();
    return splats;
}
